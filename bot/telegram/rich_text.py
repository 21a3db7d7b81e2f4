"""The blocks of a message that is laid out like a page come in (TL layer 229), their words go out as plain lines."""

from collections.abc import Iterator

from telethon.tl import TLObject, types

_RICH_TEXT = types.TextPlain.SUBCLASS_OF_ID  # the type that inline text of any kind belongs to


def plain_text(blocks: list[TLObject]) -> str:
    """Write what a reader sees of these blocks, a line for each piece of text."""
    return "\n".join(line for line in _lines(blocks) if line)


def _lines(node: object) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _lines(item)
    elif isinstance(node, TLObject):
        if node.SUBCLASS_OF_ID == _RICH_TEXT:
            yield _inline(node)
            return
        for part in vars(node).values():
            yield from _lines(part)


def _inline(text: TLObject) -> str:
    if isinstance(text, types.TextConcat):
        return "".join(map(_inline, text.texts))
    if isinstance(text, types.TextCustomEmoji):
        return str(text.alt)
    inner = getattr(text, "text", "")  # a plain string, or the same in bold, as a link and so on
    return inner if isinstance(inner, str) else _inline(inner)
