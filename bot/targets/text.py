"""A message in the formats that services outside Telegram take: plain text, HTML, Markdown. Pure.

What others wrote never becomes markup in any of them.
"""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from bot.models.outgoing import Outgoing
from bot.models.targets import TargetMessage
from bot.text.formatted import FormattedText, Style, nest_styles
from bot.text.markup import Text, one_line, units

TITLE_ROOM = 120  # UTF-16 units
SHORTEST = 40  # of the text, however small a service's messages are
_KINDS = frozenset({"bold", "italic", "code", "pre", "strike", "text_url"})
_HTML = {"bold": "b", "italic": "i", "code": "code", "pre": "code", "strike": "s"}
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-!|>~<&=$]|(?<=\d)\.)")
_SPEAKING = re.compile(r"@(?=\w)")  # services ping whoever is named so; all of a channel, for @everyone
_WEB = ("http://", "https://", "tg://")


class TextFormat(StrEnum):
    """How a service reads what it is sent."""

    PLAIN = "text"
    HTML = "html"
    MARKDOWN = "markdown"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetText:
    """A message as a service is sent it."""

    title: str  # one line; empty where the service has none
    body: str


def write(message: TargetMessage, how: TextFormat, *, room: int, title_room: int) -> TargetText:
    """Write a message into `room` characters, cut at a word: its links and its ids stay.

    Where a service has titles, of `title_room` characters, the first line of the message becomes that.
    """
    outgoing = message.outgoing
    first, _, rest = outgoing.text.partition("\n")
    title = one_line(first, min(TITLE_ROOM, title_room)) if title_room > 0 else ""
    whole = Text().formatted(outgoing.text, outgoing.entities)
    foot = _foot(message, how)
    is_twice = bool(title and rest.strip() and title == first.strip())
    start = len(first) + 1 if is_twice else 0
    limit = max(SHORTEST, room - len(foot))
    while True:
        text, entities = whole.cut(limit).build()
        shown = FormattedText.read(text, entities, kinds=_KINDS)
        body = _FORMATS[how](shown.cut(start, len(text)).strip() if start < len(text) else shown)
        over = len(body) + len(foot) - room
        if over <= 0 or limit <= SHORTEST:
            return TargetText(title=title, body=body + foot)
        limit = max(SHORTEST, min(limit, units(text)) - max(over, 8))


def _foot(message: TargetMessage, how: TextFormat) -> str:
    """Return what stands under a text: the links of its buttons, its own id and that of what it speaks of."""
    lines = [(button.text, button.url) for row in message.outgoing.buttons for button in row if button.url]
    ids = f"id {message.id}" + (f" · re {message.about}" if message.about else "")
    match how:
        case TextFormat.HTML:
            parts = [_link_html(label, url) for label, url in lines]
            return "".join(f"<br/>\n{part}" for part in (*parts, html.escape(ids)))
        case TextFormat.MARKDOWN:
            parts = [_link_markdown(escape_markdown(label), url) for label, url in lines]
            return "".join(f"  \n{part}" for part in (*parts, escape_markdown(ids)))
    return "".join(f"\n{part}" for part in (*(f"{label}: {url}" for label, url in lines), ids))


def plain(outgoing: Outgoing) -> str:
    """Return the text of a message for people, with the links behind its words."""
    return _plain(FormattedText.read(outgoing.text, outgoing.entities, kinds=_KINDS))


def _plain(shown: FormattedText) -> str:
    return _written(shown, lambda text: text, _mark_plain)


def _mark_plain(style: Style, inner: str) -> str:
    is_link = style.kind == "text_url" and _is_safe(style.value) and inner != style.value
    return f"{inner} ({style.value})" if is_link else inner


def _html(shown: FormattedText) -> str:
    return _written(shown, html.escape, _mark_html).replace("\n", "<br/>\n")


def _mark_html(style: Style, inner: str) -> str:
    if style.kind == "text_url":
        return f'<a href="{html.escape(style.value or "")}">{inner}</a>' if _is_safe(style.value) else inner
    tag = _HTML[style.kind]
    return f"<{tag}>{inner}</{tag}>"


def _link_html(label: str, url: str) -> str:
    return f'<a href="{html.escape(url)}">{html.escape(label)}</a>'


def escape_markdown(text: str) -> str:
    """Write a text so that no reader of Markdown takes any of it for markup, nor an @ for a call to somebody."""
    quiet = _SPEAKING.sub("@\u200b", text)
    return _MARKDOWN.sub(r"\\\1", quiet)


def _markdown(shown: FormattedText) -> str:
    """Write words and links; of formats only bold, which all dialects know."""
    return _written(shown, escape_markdown, _mark_markdown).replace("\n", "  \n")


def _mark_markdown(style: Style, inner: str) -> str:
    if style.kind == "text_url":
        return _link_markdown(inner, style.value or "") if _is_safe(style.value) else inner
    return f"**{inner}**" if style.kind == "bold" and "\n" not in inner else inner


def _link_markdown(label: str, url: str) -> str:
    return f"[{label}](<{url.replace('<', '%3C').replace('>', '%3E')}>)"


def _is_safe(url: str | None) -> bool:
    return url is not None and url.startswith(_WEB) and not any(char.isspace() for char in url)


def _written(shown: FormattedText, escape: Callable[[str], str], mark: Callable[[Style, str], str]) -> str:
    """Write a text with its styles, outer ones around inner ones."""
    return _within(shown.text, nest_styles(shown.text, shown.styles), 0, len(shown.text), escape, mark)


def _within(  # noqa: PLR0913, PLR0917 - a stretch, and how it is written
    text: str,
    styles: list[Style],
    start: int,
    end: int,
    escape: Callable[[str], str],
    mark: Callable[[Style, str], str],
) -> str:
    written, place = list[str](), start
    while styles and styles[0].start < end:
        style = styles.pop(0)
        written.append(escape(text[place : style.start]))
        written.append(mark(style, _within(text, styles, style.start, style.end, escape, mark)))
        place = style.end
    return "".join((*written, escape(text[place:end])))


_FORMATS: dict[TextFormat, Callable[[FormattedText], str]] = {
    TextFormat.PLAIN: _plain,
    TextFormat.HTML: _html,
    TextFormat.MARKDOWN: _markdown,
}
