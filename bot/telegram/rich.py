"""Long posts: their words stand in blocks, as on a web page, and here become one text with entities, and media.

https://core.telegram.org/type/PageBlock: since layer 227 such a post has an empty `message`. Blocks are apart by a
blank line, as paragraphs are; the lines of one block, such as the items of a list or the rows of a table, follow each
other.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from telethon.tl import TLObject, types

from bot.models import Entity
from bot.text.markup import units

_TEXT = types.TextPlain.SUBCLASS_OF_ID  # the type that inline text of any kind belongs to
_STYLES = {
    types.TextBold: "bold",
    types.TextItalic: "italic",
    types.TextUnderline: "underline",
    types.TextStrike: "strike",
    types.TextSpoiler: "spoiler",
    types.TextFixed: "code",
    types.TextMath: "code",
    types.TextAutoUrl: "url",
    types.TextAutoEmail: "email",
    types.TextAutoPhone: "phone",
    types.TextBankCard: "bank_card",
    types.TextBotCommand: "bot_command",
    types.TextCashtag: "cashtag",
    types.TextHashtag: "hashtag",
    types.TextMention: "mention",
    types.TextMentionName: "mention_name",
    types.TextCustomEmoji: "custom_emoji",
    types.TextDate: "formatted_date",
    types.TextUrl: "text_url",
    types.TextEmail: "text_url",
    types.TextPhone: "text_url",
    types.TextButton: "text_url",
}
_LINKS: dict[type, Callable[[Any], str | None]] = {
    types.TextUrl: lambda text: text.url,
    types.TextEmail: lambda text: f"mailto:{text.email}",
    types.TextPhone: lambda text: f"tel:{text.phone}",
    types.TextButton: lambda text: getattr(text.type, "url", None),
    types.TextMentionName: lambda text: str(text.user_id),
    types.TextCustomEmoji: lambda text: str(text.document_id),
}
_HEADINGS = (
    types.PageBlockTitle,
    types.PageBlockHeader,
    types.PageBlockSubheader,
    *(getattr(types, f"PageBlockHeading{level}") for level in range(1, 7)),
)
_DEEPEST = 100  # nodes in nodes
_FILES = {  # which attribute names the file of a block
    types.PageBlockPhoto: "photo_id",
    types.PageBlockVideo: "video_id",
    types.PageBlockAudio: "audio_id",
    types.PageBlockDocument: "document_id",
}


class RichText(NamedTuple):
    """The words of blocks, as one text."""

    text: str
    entities: tuple[Entity, ...]


def is_part(message: TLObject) -> bool:
    """Tell whether a message is the beginning of a long post, of which Telegram gives the rest when it is asked for."""
    return bool(getattr(getattr(message, "rich_message", None), "part", None))


def flatten(rich: types.RichMessage) -> RichText:
    """Return the words of all blocks, with what is formatted or a link in them."""
    writer = _BlockWriter()
    for block in rich.blocks:
        writer.paragraph()
        writer.node(block)
    return writer.finished()


def files(rich: types.RichMessage) -> list[TLObject]:
    """Return the photos and documents that blocks show, in order; of one that did not come along only the id is known.

    Pictures beside words, such as an author's, and icons within them are none.
    """
    known = {each.id: each for each in (*rich.photos, *rich.documents)}
    found = {}
    for block in _blocks(rich.blocks):
        number = getattr(block, _FILES[type(block)])
        empty = types.PhotoEmpty if isinstance(block, types.PageBlockPhoto) else types.DocumentEmpty
        found[number] = known.get(number) or empty(number)
    return list(found.values())


def _blocks(node: object) -> Iterator[TLObject]:
    """Yield the blocks that show a file, in the order in which they are shown."""
    if isinstance(node, list):
        for item in node:
            yield from _blocks(item)
    elif type(node) in _FILES:
        yield node
    elif isinstance(node, TLObject) and node.SUBCLASS_OF_ID != _TEXT:
        yield from _blocks([value for value in vars(node).values() if isinstance(value, list | TLObject)])


def _content(text: TLObject) -> tuple[TLObject | str, ...]:
    """Return what stands in inline text: others, or a string."""
    if isinstance(text, types.TextConcat):
        return tuple(text.texts)
    if isinstance(text, types.TextDiff):
        return types.TextStrike(text.old_text), " ", text.text
    return (getattr(text, "text", None) or getattr(text, "alt", None) or getattr(text, "source", None) or "",)


@dataclass(slots=True, kw_only=True)
class _Open:
    """A stretch that is being written; it begins with the first of its letters."""

    kind: str
    value: str | None
    start: int | None = None


class _BlockWriter:
    """Writes nodes one after the other; what it does not know it reads field by field, so that no words are lost."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0  # UTF-16 units
        self._breaks = 0  # newlines before the next letter
        self._depth = 0  # of nodes in nodes
        self._open: list[_Open] = []
        self._entities: list[Entity] = []

    def finished(self) -> RichText:
        """Return what was written; entities in the order of the text, outer before inner."""
        entities = sorted(self._entities, key=lambda entity: (entity.offset, -entity.length))
        return RichText("".join(self._pieces), tuple(entities))

    def paragraph(self) -> None:
        """Leave a blank line before the next letter."""
        self._breaks = 2

    def node(self, node: object) -> None:
        """Write a block, a list of them, or what belongs to one; each text begins a line."""
        if self._depth > _DEEPEST:  # nobody writes so; Python would give up
            return
        self._depth += 1
        if isinstance(node, list):
            for item in node:
                self.node(item)
        elif isinstance(node, TLObject) and node.SUBCLASS_OF_ID == _TEXT:
            self._line()
            self._text(node)
        elif isinstance(node, TLObject) and type(node) in _WRITERS:
            _WRITERS[type(node)](self, node)
        elif isinstance(node, TLObject):
            for value in vars(node).values():
                self.node(value)
        self._depth -= 1

    def _line(self) -> None:
        self._breaks = max(self._breaks, 1)

    def _put(self, text: str) -> None:
        if not text:
            return
        if self._length:
            self._append("\n" * self._breaks)
        self._breaks = 0
        for stretch in reversed(self._open):
            if stretch.start is not None:
                break
            stretch.start = self._length
        self._append(text)

    def _append(self, text: str) -> None:
        self._pieces.append(text)
        self._length += units(text)

    def _begin(self, kind: str, value: str | None = None) -> _Open:
        stretch = _Open(kind=kind, value=value)
        self._open.append(stretch)
        return stretch

    def _end(self) -> None:
        stretch = self._open.pop()
        if stretch.kind and stretch.start is not None:
            length = self._length - stretch.start
            self._entities.append(Entity(kind=stretch.kind, offset=stretch.start, length=length, value=stretch.value))

    @contextmanager
    def _styled(self, kind: str, value: str | None = None) -> Iterator[_Open]:
        yield self._begin(kind, value)
        self._end()

    def _text(self, text: TLObject) -> None:
        """Write inline text, however deep it is nested."""
        todo: list[TLObject | str | None] = [text]
        while todo:
            node = todo.pop()
            if node is None:
                self._end()
            elif isinstance(node, str):
                self._put(node)
            else:
                value = _LINKS[type(node)](node) if type(node) in _LINKS else None
                style = _STYLES.get(type(node), "")
                self._begin("" if style == "text_url" and not value else style, value)
                todo += (None, *reversed(_content(node)))

    def _linked(self, url: str | None, *nodes: object) -> None:
        """Write nodes as a link; where they have no words, the link itself."""
        if not url:
            self.node(list(nodes))
            return
        with self._styled("text_url", url) as stretch:
            self.node(list(nodes))
        if stretch.start is None:
            self._line()
            with self._styled("url"):
                self._put(url)

    def heading(self, block: TLObject) -> None:
        with self._styled("bold"):
            self.node(block.text)

    def quote(self, block: TLObject) -> None:
        with self._styled("blockquote"):
            self.node(getattr(block, "blocks", None) or block.text)
            self.node(block.caption)

    def preformatted(self, block: types.PageBlockPreformatted) -> None:
        with self._styled("pre", block.language):
            self.node(block.text)

    def math(self, block: types.PageBlockMath) -> None:
        self._line()
        with self._styled("code"):
            self._put(block.source)

    def details(self, block: types.PageBlockDetails) -> None:
        self.node([block.title, block.blocks])

    def bullets(self, block: types.PageBlockList) -> None:
        for item in block.items:
            self._item("•", item)

    def numbers(self, block: types.PageBlockOrderedList) -> None:
        step = -1 if block.reversed else 1
        number = block.start if block.start is not None else (len(block.items) if block.reversed else 1)
        for item in block.items:
            number = item.value if item.value is not None else number
            self._item(item.num or f"{number}.", item)
            number += step

    def _item(self, label: str, item: TLObject) -> None:
        if item.checkbox:
            label = "☑" if item.checked else "☐"
        self._line()
        self._put(f"{label} ")
        self._glued(item)

    def _glued(self, item: TLObject) -> None:
        """Write an item behind its label: its first words begin no line."""
        if hasattr(item, "text"):
            self._text(item.text)
            return
        first, *rest = item.blocks or [types.PageBlockDivider()]
        if isinstance(first, types.PageBlockParagraph):
            self._text(first.text)
        else:
            self.node(first)
        self.node(rest)

    def row(self, row: types.PageTableRow) -> None:
        self._line()
        for number, cell in enumerate(cell for cell in row.cells if cell.text is not None):
            if number:
                self._put(" | ")
            self._text(cell.text)

    def buttons(self, block: types.PageBlockButtonRow) -> None:
        for button in block.buttons:
            self._linked(getattr(button.type, "url", None), button.text)

    def picture(self, block: types.PageBlockPhoto) -> None:
        self._linked(block.url, block.caption)

    def embedded(self, block: types.PageBlockEmbed) -> None:
        self._linked(block.url, block.caption)

    def embedded_post(self, block: types.PageBlockEmbedPost) -> None:
        self._linked(block.url, types.TextBold(types.TextPlain(block.author)))
        self.node([block.blocks, block.caption])

    def article(self, article: types.PageRelatedArticle) -> None:
        self._linked(article.url, types.TextPlain(article.title or ""))
        self.node([types.TextPlain(each) for each in (article.description, article.author) if each])

    def channel(self, block: types.PageBlockChannel) -> None:
        username = getattr(block.channel, "username", None)
        url = f"https://t.me/{username}" if username else None
        self._linked(url, types.TextPlain(getattr(block.channel, "title", "")))


_WRITERS: dict[type, Callable[[_BlockWriter, Any], None]] = {
    **dict.fromkeys(_HEADINGS, _BlockWriter.heading),
    types.PageBlockBlockquote: _BlockWriter.quote,
    types.PageBlockBlockquoteBlocks: _BlockWriter.quote,
    types.PageBlockPullquote: _BlockWriter.quote,
    types.PageBlockPreformatted: _BlockWriter.preformatted,
    types.PageBlockMath: _BlockWriter.math,
    types.PageBlockDetails: _BlockWriter.details,
    types.PageBlockList: _BlockWriter.bullets,
    types.PageBlockOrderedList: _BlockWriter.numbers,
    types.PageTableRow: _BlockWriter.row,
    types.PageBlockButtonRow: _BlockWriter.buttons,
    types.PageBlockPhoto: _BlockWriter.picture,
    types.PageBlockEmbed: _BlockWriter.embedded,
    types.PageBlockEmbedPost: _BlockWriter.embedded_post,
    types.PageRelatedArticle: _BlockWriter.article,
    types.PageBlockChannel: _BlockWriter.channel,
}
