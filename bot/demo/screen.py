"""Messages and posts come in, a chat as a terminal can show it goes out."""

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

    def say(self, sentence: str) -> None:
        """Show a sentence of the demo itself."""
        self._console.print(Text(sentence, style="dim italic"))

    def happen(self, at: datetime, who: str, what: str) -> None:
        """Show what a channel did, on one line."""
        line = Text.assemble(
            (f"{at.astimezone(MOSCOW):%H:%M} ", "dim"), (who, "bold cyan"), ("  " + " ".join(what.split()))
        )
        line.truncate(self._console.width, overflow="ellipsis")
        self._console.print(line)

    def ask(self, words: str) -> None:
        """Show what the subscriber writes to the bot."""
        self._console.print(Text(f"› {words}", style="bold green"))

    def receive(self, message: tl.Message, *, latency: float | None = None) -> None:
        """Show a message of the bot as the subscriber's phone does; `latency` in seconds for an alert."""
        body = styled(message)
        if labels := [button.text for button in buttons(message)]:
            body.append("\n").append("  ".join(f"[{number} {label}]" for number, label in enumerate(labels, 1)), "blue")
        title = None if latency is None else f"alert after {latency * 1000:.0f} ms"
        panel = Panel(body, title=title, title_align="left", border_style="dim" if latency is None else "red")
        self._console.print(Padding(panel, (0, 0, 0, INDENT)))


def styled(message: tl.Message) -> Text:
    """Return a message's text with its formatting; entities count UTF-16 units, as Telegram's do."""
    text = add_surrogate(message.message)
    shown = Text(message.message)
    for entity in message.entities or ():
        if (style := STYLES.get(type(entity))) is not None:
            start = len(del_surrogate(text[: entity.offset]))
            length = len(del_surrogate(text[entity.offset : entity.offset + entity.length]))
            shown.stylize(style, start, start + length)
    return shown


def buttons(message: tl.Message) -> list[tl.KeyboardInlineButton]:
    """Return the buttons under a message, row by row."""
    if not isinstance(message.reply_markup, tl.ReplyInlineMarkup):
        return []
    return [button for row in message.reply_markup.rows for button in row.buttons]
