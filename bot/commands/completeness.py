"""How the followed channels stand comes in; what /status says of how complete they are goes out."""

from collections.abc import Sequence
from datetime import datetime

from babel.numbers import format_decimal

from bot.commands.context import Context
from bot.store.channels import Access, Channel
from bot.store.stats import Standing
from bot.text.markup import Text, code, one_line

TABLE = "channelwatch doctor --gaps"
_TITLE = 60  # UTF-16 units of a channel's title


async def tell_completeness(text: Text, found: Sequence[Standing], context: Context) -> None:
    """Say when channels were checked, which are the worst, and where each can be looked at."""
    t, followed = context.t, [standing.channel for standing in found]
    _tell_checks(text, followed, context)
    verified = [channel for channel in followed if _is_verified(channel)]
    if followed and not verified:
        one, many = t.gettext("It is not verified yet."), t.gettext("None of them is verified yet.")
        text.line(one if len(followed) == 1 else many)
    elif verified:
        line = t.gettext("Channels verified: {n} of {all}; longest ago «{channel}», {time}")
        oldest = min(verified, key=lambda channel: channel.verified_at or context.now)
        time = context.date(oldest.verified_at or context.now)
        text.line(line, n=len(verified), all=len(followed), channel=_title(oldest), time=time)
    if holes := [standing for standing in found if standing.has_hole]:
        line = t.gettext("Channels with a hole that is being filled: {n}, the largest in «{channel}»")
        text.line(line, n=len(holes), channel=_title(max(holes, key=lambda standing: standing.missing).channel))
    if followed:
        text.line(t.gettext("How each of them stands, on the server: {command}"), command=code(TABLE))


def tell_unpushed(text: Text, found: Sequence[Standing], context: Context) -> None:
    """Say what Telegram did not push today though a reader heard it, and where most."""
    t, total, unpushed = context.t, sum(s.posts for s in found), sum(s.unpushed for s in found)
    if not unpushed:
        return
    line = t.gettext(
        "Of today's {total} posts in joined channels, while I was connected, Telegram did not push {n}; "
        "I found them by asking. Most in «{channel}»: {some} of {all}."
    )
    worst = max(found, key=lambda standing: standing.unpushed)
    counts = dict(zip(("total", "n"), (format_decimal(n, locale=t.language) for n in (total, unpushed)), strict=True))
    text.line(line, **counts, channel=_title(worst.channel), some=worst.unpushed, all=worst.posts)


def _tell_checks(text: Text, followed: Sequence[Channel], context: Context) -> None:
    """Say since which moment no channel has gone unchecked, and of how many that is true."""
    checks = [time for channel in followed if (time := _checked(channel)) is not None]
    if not checks:
        return
    t, since = context.t, context.date(min(checks))
    if len(checks) == len(followed):
        one = t.gettext("It was last checked for missed posts: {time}")
        many = t.gettext("All of them were last checked for missed posts: {time}")
        text.line(one if len(followed) == 1 else many, time=since)
        return
    line = t.ngettext(
        "{n} of {all} was last checked for missed posts: {time}. The others are lost or not read yet.",
        "{n} of {all} were last checked for missed posts: {time}. The others are lost or not read yet.",
        len(checks),
    )
    text.line(line, n=len(checks), all=len(followed), time=since)


def _checked(channel: Channel) -> datetime | None:
    """Return when a channel was last checked; None where it cannot be read, or was not since it was followed."""
    is_read = channel.access in {Access.JOINED, Access.POLLED} and not channel.reader_lost
    followed_at, swept_at = channel.followed_at, channel.swept_at
    return swept_at if is_read and swept_at and followed_at and swept_at >= followed_at else None


def _is_verified(channel: Channel) -> bool:
    """Say whether its past was compared with Telegram's since it was followed; how it is read now is told apart."""
    followed_at, verified_at = channel.followed_at, channel.verified_at
    return followed_at is not None and verified_at is not None and verified_at >= followed_at


def _title(channel: Channel) -> str:
    return one_line(channel.title, _TITLE)
