"""Channels that were found on Telegram, in pages, with buttons to follow them; or why none were. Pure."""

from collections.abc import Collection

from bot.locales import N_, Translator
from bot.locales.locale import Locale, show_number
from bot.locales.refusals import REFUSALS, refusal
from bot.models.enquiries import USED_UP, EnquiryKind, Findings, FoundChannel
from bot.models.links import post_link
from bot.models.outgoing import Outgoing
from bot.text.buttons import button, rows_of
from bot.text.markup import Text, bold, link, one_line
from bot.text.pages import page_of

PAGE = 6  # channels
_NAME, _LABEL, _SUBJECT, _LINE = (
    60,
    24,
    80,
    160,
)  # UTF-16 units of a title, of one on a button, of what was asked, found
_HEADINGS = {
    EnquiryKind.SIMILAR: N_("Channels like «{subject}»"),
    EnquiryKind.POSTS: N_("Who else writes «{subject}»"),
}
_NOTHING = {
    EnquiryKind.SIMILAR: N_("Telegram knows no similar channels."),
    EnquiryKind.POSTS: N_("No other public channel writes this."),
}
_REASONS = {
    **REFUSALS,
    USED_UP: N_("The free searches in all public channels are used up; I never pay for more."),
    "PREMIUM_ACCOUNT_REQUIRED": N_(
        "Telegram lets only accounts with Premium search in all public channels, and my reader account has none."
    ),
    "FLOOD_WAIT": N_("Telegram asks me to wait."),
    "FLOOD_PREMIUM_WAIT": N_("Telegram asks me to wait."),
    "CONNECTION_LOST": N_("Telegram did not answer. Please tap again."),
}


def render_findings(  # noqa: PLR0913 - what was asked, what was found, and for whom
    kind: EnquiryKind,
    subject: str,
    found: Findings,
    locale: Locale,
    *,
    enquiry_id: int,
    number: int = 0,
    followed: Collection[int] = (),
    may_follow: bool = False,
) -> Outgoing:
    """Write a page of what was found; the channels that are followed already are marked."""
    t = locale.t
    text = Text().say(t.gettext(_HEADINGS[kind]), subject=bold(one_line(subject, _SUBJECT))).add("\n\n")
    if not found.channels:
        written, entities = text.add(_why_none(kind, found, locale)).cut().build()
        return Outgoing(text=written, entities=entities)
    page = page_of(found.channels, number, PAGE)
    for each in page.items:
        text.lines(_line(each, locale, is_followed=each.id in followed))
    if found.free_left is not None:
        line = t.ngettext("{n} free search is left today.", "{n} free searches are left today.", found.free_left)
        text.add("\n").say(line, n=found.free_left)
    new = [each for each in page.items if each.id not in followed] if may_follow else []
    label = t.gettext("Follow {name}")
    buttons = [button(label.format(name=one_line(each.title, _LABEL)), "follow", f"@{each.username}") for each in new]
    written, entities = text.cut().build()
    return Outgoing(text=written, entities=entities, buttons=(*rows_of(buttons, 2), *page.turns("found", enquiry_id)))


def _why_none(kind: EnquiryKind, found: Findings, locale: Locale) -> str:
    t = locale.t
    if found.reason is None:
        return t.gettext(_NOTHING[kind])
    why = refusal(found.reason, t, _REASONS)
    if found.free_at is None:
        return why
    again = t.gettext("It works again {time}.").format(time=locale.date(found.free_at, relative_to=locale.now))
    return f"{why} {again}"


def _line(found: FoundChannel, locale: Locale, *, is_followed: bool) -> Text:
    """Write one channel: its name, that it is followed, how many read it, and the line that was found."""
    t, title = locale.t, one_line(found.title, _NAME) or found.username
    url = (
        post_link(found.id, found.username, found.message_id) if found.message_id else f"https://t.me/{found.username}"
    )
    text = Text().add("✓ " if is_followed else "• ", link(title, url))
    facts = [t.gettext("followed")] if is_followed else []
    if found.subscribers:
        facts.append(_subscribers(found.subscribers, t))
    if found.date is not None:
        facts.append(locale.date(found.date, relative_to=locale.now))
    text.add("".join(f" · {fact}" for fact in facts))
    return text.add("\n", one_line(found.line, _LINE)) if found.line else text


def _subscribers(count: int, t: Translator) -> str:
    line = t.ngettext("{n} subscriber", "{n} subscribers", count)
    return line.format(n=show_number(count, t))
