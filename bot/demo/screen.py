"""The demo in the terminal: posts on the left, the chat with the bot on the right."""

from datetime import datetime

from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text
from telethon.helpers import add_surrogate, del_surrogate
from telethon.tl import types as tl

from bot.demo.story import MOSCOW

STYLES = {
    tl.MessageEntityBold: "bold yellow",
    tl.MessageEntityTextUrl: "underline",
    tl.MessageEntityCode: "cyan",
    tl.MessageEntityStrike: "strike",
}
INDENT = 12  # the alerts stand to the right of the posts, as answers do in a chat


class Screen:
    """The terminal of the demo."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def narrate(self, sentence: str) -> None:
        """Show a sentence of the demo itself."""
        self._console.print(Text(sentence, style="dim italic"))

    def show_event(self, at: datetime, who: str, what: str) -> None:
        """Show what a channel did, on one line."""
        line = Text.assemble(
            (f"{at.astimezone(MOSCOW):%H:%M} ", "dim"), (who, "bold cyan"), ("  " + " ".join(what.split()))
        )
        line.truncate(self._console.width, overflow="ellipsis")
        self._console.print(line)

    def show_request(self, words: str) -> None:
        """Show a line that the subscriber writes to the bot."""
        self._console.print(Text(f"› {words}", style="bold green"))

    def show_message(self, message: tl.Message, *, latency: float | None = None) -> None:
        """Show a message of the bot as the subscriber's phone does; `latency` in seconds for an alert."""
        body = style_message(message)
        if labels := [button.text for button in buttons(message)]:
            body.append("\n").append("  ".join(f"[{number} {label}]" for number, label in enumerate(labels, 1)), "blue")
        title = None if latency is None else f"alert after {latency * 1000:.0f} ms"
        panel = Panel(body, title=title, title_align="left", border_style="dim" if latency is None else "red")
        self._console.print(Padding(panel, (0, 0, 0, INDENT)))


def style_message(message: tl.Message) -> Text:
    """Return a message's text with its formatting; offsets of Telegram's entities are in UTF-16 units."""
    text = add_surrogate(message.message)
    styled = Text(message.message)
    for entity in message.entities or ():
        if (style := STYLES.get(type(entity))) is not None:
            start = len(del_surrogate(text[: entity.offset]))
            length = len(del_surrogate(text[entity.offset : entity.offset + entity.length]))
            styled.stylize(style, start, start + length)
    return styled


def buttons(message: tl.Message) -> list[tl.KeyboardInlineButton]:
    """Return the buttons under a message, row by row."""
    if not isinstance(message.reply_markup, tl.ReplyInlineMarkup):
        return []
    return [button for row in message.reply_markup.rows for button in row.buttons]
