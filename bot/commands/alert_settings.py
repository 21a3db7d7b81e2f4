"""The settings of how alerts come to a chat, and what comes with them: how each is read, described and offered."""

import re
from dataclasses import replace
from typing import Any

from bot.commands.context import CommandError, Context
from bot.commands.parsing import read_switch
from bot.commands.setting import Setting
from bot.locales import N_
from bot.models.alerts import Edits
from bot.schedule import Storms
from bot.store.chats import Chat
from bot.text.markup import Text, bold, code

_EDITS = {
    Edits.ALL: (N_("All"), N_("whenever it changes; without a sound for punctuation and typos")),
    Edits.WORDS: (N_("Words"), N_("when words change, or the post is deleted or missing")),
    Edits.NONE: (N_("None"), N_("never")),
}


def _read_edits(typed: str, context: Context) -> Chat:
    word, t = typed.strip().casefold(), context.t
    for each, (label, _) in _EDITS.items():
        if word in {each.value, t.gettext(label).casefold()}:
            return replace(context.chat, edits=each)
    raise CommandError(t.gettext("Write /edits all, /edits words or /edits none."))


def _describe_edits(context: Context) -> Text:
    t = context.t
    text = Text().line(t.gettext("When a post changes, I edit its alert in this chat. I also reply to the alert:"))
    for label, meaning in _EDITS.values():
        text.add(bold(t.gettext(label))).add(": ", t.gettext(meaning), "\n")
    return text


EDITS = Setting(
    name="edits",
    title=N_("Changes of posts"),
    place=7,
    summary=N_("which post changes to report"),
    examples=(
        (N_("/edits all"), N_("reply to an alert whenever its post changes")),
        (N_("/edits words"), N_("only when words change, or the post is deleted or missing")),
        (N_("/edits none"), N_("edit the alert without a reply")),
    ),
    read=_read_edits,
    describe=_describe_edits,
    choices=tuple(Edits),
    label=lambda context: context.t.gettext(_EDITS[context.chat.edits][0]),
)

_USUAL_STORMS = Storms(count=4, minutes=5)
_MOST_COUNT, _MOST_MINUTES = 100, 60
_STORMS = re.compile(r"(\d{1,3})\s*(?:[/,:–-]|in|per|за|на|в)?\s*(\d{1,3})(?:\s*(?:m|м|хв)[a-zа-я]*\.?)?")


def _read_storms(typed: str, context: Context) -> Chat:
    switch, match = read_switch(typed), _STORMS.fullmatch(typed.strip().casefold())
    if switch is not None:
        return replace(context.chat, storms=_USUAL_STORMS if switch else None)
    if match and 1 <= int(match[1]) <= _MOST_COUNT and 1 <= int(match[2]) <= _MOST_MINUTES:
        return replace(context.chat, storms=Storms(count=int(match[1]), minutes=int(match[2])))
    line = context.t.gettext(
        "Write how many alerts (at most {most}) in how many minutes (at most {longest}): {example}"
    )
    raise CommandError(line, most=_MOST_COUNT, longest=_MOST_MINUTES, example=code("/storms 4 5"))


def _describe_storms(context: Context) -> Text:
    t, storms = context.t, context.chat.storms
    if storms is None:
        return Text().line(t.gettext("Each alert is sent separately in this chat, however many there are."))
    line = t.ngettext(
        "More than {n} alert on a topic within {minutes} min become one growing message in this chat.",
        "More than {n} alerts on a topic within {minutes} min become one growing message in this chat.",
        storms.count,
    )
    text = Text().line(line, n=storms.count, minutes=storms.minutes)
    return text.line(t.gettext("A new event among them is still sent separately, once."))


def _storms_label(context: Context) -> str:
    storms = context.chat.storms
    if storms is None:
        return context.t.gettext("Never")
    return context.t.gettext("{n} in {minutes} min").format(n=storms.count, minutes=storms.minutes)


STORMS = Setting(
    name="storms",
    title=N_("Many alerts at once"),
    place=6,
    summary=N_("when many alerts become one message"),
    usage="4 5",
    examples=(
        ("/storms 4 5", N_("more than 4 alerts on a topic within 5 minutes become one growing message")),
        (N_("/storms off"), N_("each alert is sent separately")),
    ),
    read=_read_storms,
    describe=_describe_storms,
    choices=("4 5", "10 5", "20 10", "off"),
    label=_storms_label,
    is_free=True,
)


def _switch(  # noqa: PLR0913 - the fields of a Setting
    name: str,
    *,
    title: str,
    place: int,
    summary: str,
    question: str,
    on: tuple[str, str],
    off: tuple[str, str],
) -> Setting:
    """Declare a setting that is on or off, a field of `Chat`; `on` and `off` are the examples of the two for /help."""

    def read(typed: str, context: Context) -> Chat:
        wanted = read_switch(typed)
        if wanted is None:
            raise CommandError(context.t.gettext("Write /{name} on or /{name} off."), name=name)
        changes: dict[str, Any] = {name: wanted}
        return replace(context.chat, **changes)

    return Setting(
        name=name,
        title=title,
        place=place,
        summary=summary,
        usage=N_("on/off"),
        examples=(on, off),
        read=read,
        describe=lambda context: Text().add(context.t.gettext(question)),
        choices=("on", "off"),
        label=lambda context: context.t.gettext("On") if getattr(context.chat, name) else context.t.gettext("Off"),
    )


CONFIRMATIONS = _switch(
    "confirmations",
    title=N_("Confirmations"),
    place=8,
    summary=N_("whether I notify you again when a second channel says the same"),
    question=N_(
        "When other channels say the same, I add them to the alert without a sound. Should I also reply, "
        "with a sound, when a second channel does?"
    ),
    on=(N_("/confirmations on"), N_("notify once more when a second channel says the same")),
    off=(N_("/confirmations off"), N_("only add it to the alert")),
)
HEADS = _switch(
    "heads",
    title=N_("Daily signature"),
    place=13,
    summary=N_("whether I post a signature over all that is stored each day"),
    question=N_(
        "Each day I can post here a signature over all that is stored. Whoever keeps it can tell later whether "
        "anything stored before was changed."
    ),
    on=(N_("/heads on"), N_("post a signature over all that is stored each day, without a sound")),
    off=(N_("/heads off"), N_("post none")),
)
PAGES = _switch(
    "pages",
    title=N_("Public pages"),
    place=15,
    summary=N_("whether I keep the public page of each post I alert you to"),
    question=N_(
        "With each alert I can keep the public page of the post as evidence: its HTML, with the time. "
        "It goes into dossiers and evidence bundles. Private channels have no such pages."
    ),
    on=(N_("/pages on"), N_("keep as evidence the public page of each post that comes as an alert, and of its edits")),
    off=(N_("/pages off"), N_("only of posts that are saved in a case")),
)
MEDIA = _switch(
    "media",
    title=N_("Photos and files"),
    place=9,
    summary=N_("whether photos and documents follow alerts"),
    question=N_("Send the photos and documents of a post after its alert, as a reply without a sound?"),
    on=(N_("/media on"), N_("the photos and documents of a post follow its alert as a reply without a sound")),
    off=(N_("/media off"), N_("alerts are text only")),
)
SURGES = _switch(
    "surges",
    title=N_("Unusual volume"),
    place=14,
    summary=N_("whether I say that a topic has unusually many posts"),
    question=N_(
        "Should I say so when a topic has five times as many posts as usual at this hour, in three channels or more? "
        "At most once a day for each topic, once I have watched it for four weeks."
    ),
    on=(N_("/surges on"), N_("a message when a topic has five times as many posts as usual, with some of them")),
    off=(N_("/surges off"), N_("no such message")),
)
