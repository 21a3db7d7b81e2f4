"""Long posts as tests write and read them."""

from telethon.tl import types

from bot.sandbox import Message


def rich(*texts: str) -> types.RichMessage:
    """Make a post of paragraphs."""
    return types.RichMessage([types.PageBlockParagraph(types.TextPlain(text)) for text in texts], [], [])


def said(message: Message) -> str:
    """Return the whole text of a message of the world, as the archive is to have it."""
    blocks = [] if message.rich is None else message.rich.blocks
    return "\n\n".join(filter(None, (message.text, *(block.text.text for block in blocks))))
