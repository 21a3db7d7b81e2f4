"""A dossier as words: what the page, the paper and the spreadsheet show alike, in a language and time zone. Pure.

Telegram's time and ours are never mixed: each date says whose it is. A deletion that Telegram told is one thing, a
message that was not there when it was read again another; neither says who removed it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from bot.dossier.contents import Dossier, DossierFile, DossierPost, DossierVersion
from bot.locales import N_, Translator
from bot.locales.locale import show_size
from bot.locales.zones import show_offset
from bot.matching.similarity.diff import word_runs
from bot.models import TOLD, StoredPost
from bot.models.captures import CaptureState
from bot.models.links import post_link
from bot.rendering.captures import capture_sentence
from bot.rendering.files import file_name, why_left
from bot.rendering.post_text import channel_name, full_text
from bot.rendering.withheld import show_withholdings
from bot.store.channels import BEGINNING, Channel
from bot.store.ledger import LineKind
from bot.store.media import FileState
from bot.text.markup import one_line

_NAME, _EXCERPT = 120, 160  # UTF-16 units
_TURNS = {
    LineKind.DELETION: N_("deletion told by Telegram"),
    LineKind.MISSING: N_("missing when read again"),
    LineKind.SEEN_AGAIN: N_("seen again"),
}
Runs = tuple[tuple[str, str], ...]  # (same, gone or come, text)

PATHS = {  # by which a version reached us
    "live": N_("Telegram pushed it"),
    "difference": N_("Telegram listed it among the changes"),
    "sweep": N_("read from the channel's history"),
    "backfill": N_("read from the channel's past"),
    "import": N_("from an export of Telegram Desktop"),
    "story": N_("read while the story was shown"),
    "page": N_("read from the channel's public web page"),
    "site": N_("read from the website's feed"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFile:
    """A file of a version in words."""

    name: str
    about: str  # size, or why it is not here
    sha256: str  # empty where it never was here
    picture: Path | None
    ending: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownVersion:
    """A version in words."""

    heading: str
    facts: tuple[tuple[str, str], ...]  # what, and its value
    runs: Runs
    files: tuple[ShownFile, ...]

    @property
    def text(self) -> str:
        """What it says, without what the one before it said."""
        return "".join(text for kind, text in self.runs if kind != "gone")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPost:
    """A post in words."""

    number: int
    title: str
    link: str
    posted: str  # when, by Telegram's clock
    facts: tuple[tuple[str, str], ...]
    gone: str  # empty: it was there when it was last read
    note: str
    versions: tuple[ShownVersion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownEvent:
    """Something that happened, with the clock that says when."""

    at: str
    clock: str
    what: str
    number: int  # of the post
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierView:
    """A dossier in words."""

    language: str
    title: str
    subtitle: str
    note: str
    tags: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    headings: dict[str, str]  # of the sections
    sources: tuple[tuple[str, str, str], ...]  # name, link, from when on it is complete
    events: tuple[ShownEvent, ...]
    posts: tuple[ShownPost, ...]
    words: tuple[str, ...]  # what the words of the dossier mean


class DossierLanguage:
    """A language and a time zone to write in."""

    def __init__(self, t: Translator, time_zone: str) -> None:
        self.t = t
        self._zone = ZoneInfo(time_zone)

    def moment(self, moment: datetime) -> str:
        """Write a date in full, with what it is ahead of UTC."""
        local = moment.astimezone(self._zone)
        shown = format_datetime(local, "d MMM y, HH:mm:ss", locale=self.t.language)
        return f"{shown} {show_offset(local) if local.utcoffset() else 'UTC'}"

    def gone(self, post: StoredPost) -> str:
        """Write what became of a message; empty where it was there when it was last read."""
        if post.gone_at is None:
            return ""
        line = self.t.gettext("Telegram told us of its deletion: {time}, our clock. By whom, it does not say.")
        if post.gone_by not in TOLD:
            line = self.t.gettext("Missing when the channel was read again: {time}, our clock. Nobody told us why.")
        return line.format(time=self.moment(post.gone_at))


def view(dossier: Dossier, t: Translator, time_zone: str) -> DossierView:
    """Write a dossier in words."""
    writer, case = DossierLanguage(t, time_zone), dossier.case
    count = t.ngettext("{n} post", "{n} posts", len(dossier.posts)).format(n=len(dossier.posts))
    made = writer.moment(dossier.made_at)
    facts = [
        (t.gettext("Made"), made),
        (t.gettext("Opened"), f"{writer.moment(case.created_at)} · {one_line(case.author, _NAME) or '–'}"),
    ]
    return DossierView(
        language=t.language,
        title=case.name,
        subtitle=t.gettext("Dossier") + f" · {count}",
        note=case.note,
        tags=case.tags,
        facts=tuple(facts),
        headings=_headings(t),
        sources=tuple(_source(each, writer) for each in dossier.sources),
        events=tuple(_events(dossier.posts, writer)),
        posts=tuple(_post(number, each, writer) for number, each in enumerate(dossier.posts, start=1)),
        words=tuple(map(t.gettext, _WORDS)),
    )


def _headings(t: Translator) -> dict[str, str]:
    return {
        "posts": t.gettext("Posts"),
        "timeline": t.gettext("Timeline"),
        "sources": t.gettext("Sources"),
        "words": t.gettext("What the words mean"),
        "tags": t.gettext("Tags"),
        "note": t.gettext("Note"),
        "time": t.gettext("Time"),
        "clock": t.gettext("Whose clock"),
        "event": t.gettext("What happened"),
        "post": t.gettext("Post"),
        "channel": t.gettext("Channel"),
        "complete": t.gettext("Archive complete since"),
        "files": t.gettext("Files"),
        "posted": t.gettext("Posted (Telegram's time)"),
        "version": t.gettext("Version"),
        "text": t.gettext("Text"),
        "gone": t.gettext("Deletions"),
        "data": t.gettext("Data, times in UTC"),
    }


_WORDS = (
    N_("Telegram's time is what Telegram says of a post or an edit; our clock says when this archive saw it."),
    N_("«Deletion told by Telegram» and «missing when read again» are different things; neither says who did it."),
    N_("A version is what a post said when we saw it. What it said between two looks is not known."),
    N_("SHA-256 names the bytes that came from Telegram, or a file, so that a copy can be compared."),
    N_("A dossier shows what the archive holds; by itself it proves neither who wrote it nor that nobody changed it."),
)


def _source(channel: Channel, writer: DossierLanguage) -> tuple[str, str, str]:
    t, since = writer.t, channel.complete_from
    complete = "–" if since is None else writer.moment(since)
    if since == BEGINNING:
        complete = t.gettext("its first post")
    if channel.withholdings:
        line = t.gettext("{complete}; Telegram hides it: {where}")
        complete = line.format(complete=complete, where=show_withholdings(channel.withholdings, t))
    link = channel.address or (f"https://t.me/{channel.username}" if channel.username else "")
    return one_line(channel.title, _NAME) or str(channel.id), link, complete


def _events(found: Sequence[DossierPost], writer: DossierLanguage) -> Iterator[ShownEvent]:
    t, telegram, ours = writer.t, writer.t.gettext("Telegram's"), writer.t.gettext("ours")
    events: list[tuple[datetime, int, str, str]] = []
    for number, each in enumerate(found, start=1):
        first = each.first
        events.append((first.date, number, telegram, t.gettext("posted")))
        for versions in each.messages:
            for version in versions[1:]:
                edited = version.post.edit_date
                clock, at = (ours, version.post.seen_at) if edited is None else (telegram, edited)
                events.append((at, number, clock, t.gettext("edited")))
        turns = dict.fromkeys((turn.at, turn.kind) for turn in each.turns)  # those of an album together
        events += [(at, number, ours, t.gettext(_TURNS[kind])) for at, kind in turns]
    for at, number, clock, what in sorted(events, key=lambda event: event[0]):
        title = channel_name(found[number - 1].first, _NAME)
        yield ShownEvent(at=writer.moment(at), clock=clock, what=what, number=number, title=title)


def _post(number: int, each: DossierPost, writer: DossierLanguage) -> ShownPost:
    t, first, saved = writer.t, each.first, each.saved
    posted = writer.moment(first.date)
    facts = [(t.gettext("Posted (Telegram's time)"), posted)]
    seen = min(version.post.seen_at for versions in each.messages for version in versions)
    facts.append((t.gettext("First seen (our clock)"), writer.moment(seen)))
    if first.author:
        facts.append((t.gettext("Signed"), one_line(first.author, _NAME)))
    if first.forward is not None:
        facts.append((t.gettext("Forwarded from"), origin(first)))
    counters = ((t.gettext("Views"), first.views), (t.gettext("Forwards"), first.forwards))
    facts += [(name, f"{count:,}".replace(",", "\N{NO-BREAK SPACE}")) for name, count in counters if count is not None]
    if each.capture is not None:
        said = capture_sentence(each.capture, writer.moment, t)
        if each.capture.state is CaptureState.WANTED:
            said = t.gettext("Not kept yet when this dossier was made.")
        facts.append((t.gettext("Public page"), said))
        if each.capture.state is CaptureState.KEPT and each.capture.sha256 is not None:
            facts += [(t.gettext("Its address"), each.capture.url or ""), ("SHA-256", each.capture.sha256.hex())]
    facts.append((t.gettext("Saved (our clock)"), f"{writer.moment(saved.added_at)} · {one_line(saved.name, _NAME)}"))
    versions = [shown for message in each.messages for shown in _versions(message, each, writer)]
    gone = dict.fromkeys(line for message in each.messages if (line := writer.gone(message[0].post)))
    return ShownPost(
        number=number,
        title=channel_name(first, _NAME),
        link=first.link,
        posted=posted,
        facts=tuple(facts),
        gone="\n".join(gone),
        note=saved.note,
        versions=tuple(versions),
    )


def origin(post: StoredPost) -> str:
    """Write from where a post was forwarded; nothing for one that was not."""
    forward = post.forward
    if forward is None:
        return ""
    link = ""
    if forward.channel_id is not None and forward.message_id is not None:
        link = post_link(forward.channel_id, None, forward.message_id)
    return " · ".join(filter(None, [one_line(forward.name or "", _NAME), link])) or "–"


def _versions(message: Sequence[DossierVersion], whole: DossierPost, writer: DossierLanguage) -> Iterator[ShownVersion]:
    t, before = writer.t, ""
    for place, version in enumerate(message, start=1):
        post = version.post
        text = full_text(post.text, post.parts, t)
        runs = (("same", text),) if place == 1 or text == before else tuple(word_runs(before, text))
        heading = t.gettext("Version {n} of {all}").format(n=place, all=len(message))
        if len(whole.messages) > 1:
            heading += " · " + t.gettext("message {number} of the album").format(number=post.message_id)
        facts = []
        if post.edit_date is not None:
            facts.append((t.gettext("Edited (Telegram's time)"), writer.moment(post.edit_date)))
        facts.append((t.gettext("Seen (our clock)"), writer.moment(post.seen_at)))
        facts.append((t.gettext("How"), t.gettext(PATHS.get(post.observed_by, post.observed_by))))
        facts.append(("SHA-256", version.sha256.hex()))
        yield ShownVersion(
            heading=heading,
            facts=tuple(facts),
            runs=tuple(run for run in runs if run[1]),
            files=tuple(show_file(each, writer) for each in version.files),
        )
        before = text


def show_file(each: DossierFile, writer: DossierLanguage) -> ShownFile:
    """Write what is known of a file."""
    t, file = writer.t, each.file
    about = show_size(file.size or 0, t) if file.state is FileState.KEPT else t.gettext("not downloaded")
    return ShownFile(
        name=file_name(file.name, file.kind, t, most=_NAME),
        about=why_left(file.reason or "", t) if file.state is FileState.LEFT else about,
        sha256=file.sha256.hex() if file.sha256 is not None else "",
        picture=each.picture,
        ending=each.ending,
    )
