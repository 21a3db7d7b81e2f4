"""How far back the archive reaches, as answers say it, and the button that has more of the past read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.commands.context import CommandError, Context, Reply, Request, writes
from bot.commands.registry import outdated, tap
from bot.commands.rights import Need
from bot.locales.locale import Locale
from bot.models.outgoing import ButtonRows
from bot.search.coverage import Coverage, coverage_of
from bot.store import access, backfills
from bot.store.access import Restrictable
from bot.store.database import Transaction
from bot.text.buttons import button

STEP = timedelta(days=30)  # that is read at a tap, where nobody asked for a date
_DAY = "%Y%m%d"
_MOST_NAMED = 4  # channels in a button's data, which hold 64 bytes; the others come with the next tap


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What an answer says of how far back the archive reaches, and the row of its button, if there is one."""

    line: str
    rows: ButtonRows
    is_short: bool  # the archive does not reach as far back as was asked


async def past_of(context: Context, channel_ids: Sequence[int] | None, *, since: datetime | None) -> Past:
    """Describe the archive of some channels, or of all, beside a question about the time since a moment."""
    hidden = (await context.scope()).hidden
    coverage = await coverage_of(context.database, channel_ids, now=context.now, hidden=hidden)
    return describe_past(coverage, context, channel_ids, since=since)


def describe_past(
    coverage: Coverage, context: Context, channel_ids: Sequence[int] | None, *, since: datetime | None
) -> Past:
    """Describe a coverage."""
    start = coverage.since
    if start is None:
        return Past(line="", rows=(), is_short=False)
    is_short = since is not None and not coverage.reaches(since)
    target = since if is_short else None if since is not None else start - STEP
    lacking = coverage.short_of(target) if target is not None and not coverage.is_whole else []
    rows: ButtonRows = ()
    if target is not None and lacking and context.offers(Need.INSTANCE):
        named = () if channel_ids is None else (".".join(map(str, lacking[:_MOST_NAMED])),)
        rows = ((button(context.t.gettext("Read further back"), "further", f"{target:{_DAY}}", *named),),)
    line = past_line(coverage, context.locale, since=since if is_short else None)
    return Past(line=line, rows=rows, is_short=is_short)


def past_line(coverage: Coverage, locale: Locale, *, since: datetime | None = None) -> str:
    """Say how far back the archive reaches, and that it is not as far as `since`; nothing where there is none."""
    if coverage.since is None:
        return ""
    line = _start_line(coverage, coverage.since, locale, since=since)
    if not coverage.ends:
        return line
    t, end = locale.t, max(coverage.ends.values())
    if len(coverage.starts) == 1:
        more = t.gettext("I do not follow this channel. Its last stored post is from {date}.")
    else:
        more = t.gettext("I do not follow {n} of these channels and store no new posts from them.")
    return f"{line} {more.format(n=len(coverage.ends), date=locale.date(end))}"


def _start_line(coverage: Coverage, start: datetime, locale: Locale, *, since: datetime | None) -> str:
    t, count, date = locale.t, len(coverage.starts), locale.date(start)
    if count == 1:
        line = t.gettext("The archive is complete since {date}.")
        if coverage.is_whole:
            line = t.gettext("The archive is complete from the channel's first post.")
        elif since is not None:
            line = t.gettext("⚠️ The archive does not reach back that far: it is complete since {date} only.")
        return line.format(date=date)
    if coverage.is_whole:
        line = t.gettext("The archive is complete from the first post of every channel ({n}).")
    elif since is None:
        line = t.gettext("The archive is complete since {date} in all channels ({n}).")
    else:
        line = t.gettext(
            "⚠️ The archive does not reach back that far in {short} of {n} channels; in all of them since {date}."
        )
    short = sum(begin > since for begin in coverage.starts.values()) if since is not None else 0
    return line.format(short=short, n=count, date=date)


@tap("further", Need.INSTANCE, r"\d{8}(:\d{1,15}(\.\d{1,15}){0,3})?")
@writes
async def further(request: Request, context: Context, tx: Transaction) -> Reply:
    """Have channels read back to a day; the button names the day and, unless all are meant, the channels."""
    own, (day, _, named) = context.own, request.argument.partition(":")
    try:
        since = datetime.strptime(day, _DAY).replace(tzinfo=UTC)
    except ValueError:
        raise outdated(context) from None
    ids = list(map(int, named.split("."))) if named else None
    hidden = await access.hidden(tx, Restrictable.CHANNEL, context.viewer)
    lacking = (await coverage_of(tx, ids, now=context.now, hidden=hidden)).short_of(since)
    asked = await backfills.request_since(tx, lacking, since, chat_id=context.chat.id, asked_at=context.now)
    if not asked:
        raise CommandError(own.gettext("That has already been read, or is being read."))
    line = own.gettext("I am reading back to {date}, a page at a time. A message shows how far I am.")
    return Reply(note=line.format(date=context.for_speaker.date(since)))
