"""The payload of a notice comes in, the message that tells a chat of it goes out. Pure.

A notice is what the outbox carries and is no post: a channel is followed now, one is lost, the answer to /ping.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from babel.dates import format_timedelta
from babel.numbers import format_decimal

from bot.delivery.rendering import Audience, one_line
from bot.locales import N_
from bot.models import Button, Outgoing

Payload = Mapping[str, Any]
NAME_ROOM = 120  # UTF-16 units of a foreign name

FOLLOWED = {
    "joined": N_("I follow «{channel}» now."),
    "polled": N_("I follow «{channel}» now. Until I have joined it, its posts may come a minute late."),
    "pending": N_(
        "I have asked to join «{channel}». Its admins have to let me in; as soon as they do, you get its alerts here."
    ),
}
REFUSALS = {  # by Telegram's error string or a word of the part that reads channels
    "USERNAME_NOT_OCCUPIED": N_("There is no channel of this name. Check how it is written."),
    "USERNAME_INVALID": N_("There is no channel of this name. Check how it is written."),
    "INVITE_HASH_EXPIRED": N_("This invite link works no more. Ask the channel's admins for a new one."),
    "INVITE_HASH_INVALID": N_("There is no such invite link. Copy it once more, the whole of it."),
    "CHANNEL_PRIVATE": N_("It is private. Send me its invite link: https://t.me/+…"),
    "CHANNEL_INVALID": N_("I cannot find it. Send me its name, like @name, or its invite link."),
    "CHANNELS_TOO_MUCH": N_(
        "My reader account is in as many channels as Telegram allows. Give one up with /unfollow, then try again."
    ),
    "USER_BANNED_IN_CHANNEL": N_("My reader account is banned there."),
    "user": N_("It is a person. I follow channels and supergroups only."),
    "bot": N_("It is a bot. I follow channels and supergroups only."),
    "basic_group": N_("It is a small group. I can follow it once its admins have made it a supergroup."),
    "needs_app": N_("It asks newcomers questions. Join it by hand with the reader account, then send /follow again."),
}


def render_notice(payload: Payload, audience: Audience) -> Outgoing:
    """Write a notice; `payload["notice"]` says which one it is. Raises KeyError for one that nobody knows."""
    return _NOTICES[payload["notice"]](payload, audience)


def _followed(payload: Payload, audience: Audience) -> Outgoing:
    t = audience.translator
    period = format_timedelta(timedelta(days=payload["days"]), granularity="day", threshold=99, locale=t.language)
    would, news = payload["would"], FOLLOWED[payload["access"]]
    lines = [t.gettext(news).format(channel=_name(payload, "channel"))]
    if payload["access"] == "pending":  # nobody outside knows what it has posted
        return Outgoing(text=lines[0])
    if not would:
        lines.append(t.gettext("Its last {period} would have brought no alert.").format(period=period))
        return Outgoing(text="\n".join(lines))
    line = t.ngettext(
        "Its last {period} would have brought {n} alert.", "Its last {period} would have brought {n} alerts.", would
    )
    lines.append(line.format(period=period, n=would))
    return Outgoing(text="\n".join(lines), buttons=_see_them(payload, audience))


def _refused(payload: Payload, audience: Audience) -> Outgoing:
    t, reason = audience.translator, payload["reason"]
    lines = [t.gettext("I could not follow {reference}.").format(reference=_name(payload, "reference"))]
    lines.append(_because(reason, audience))
    return Outgoing(text=" ".join(lines))


def _lost(payload: Payload, audience: Audience) -> Outgoing:
    t = audience.translator
    line = t.gettext("I can no longer read «{channel}»; what it posts from now on is missing here.")
    return Outgoing(text=f"{line.format(channel=_name(payload, 'channel'))} {_because(payload['reason'], audience)}")


def _late(payload: Payload, audience: Audience) -> Outgoing:
    t, count = audience.translator, payload["count"]
    line = t.ngettext(
        "{n} post of «{channel}» reached me too late for an alarm. It is stored.",
        "{n} posts of «{channel}» reached me too late for an alarm. They are stored.",
        count,
    )
    buttons = _see_them(payload, audience) if "channel_id" in payload else ()
    return Outgoing(text=line.format(n=count, channel=_name(payload, "channel")), buttons=buttons)


def _ping(payload: Payload, audience: Audience) -> Outgoing:
    t = audience.translator
    seconds = max(0.0, (audience.now - datetime.fromisoformat(payload["asked_at"])).total_seconds())
    line = t.gettext("Pong. This came the way of an alert, in {seconds} s.")
    return Outgoing(text=line.format(seconds=format_decimal(round(seconds, 2), locale=t.language)))


def _test_alert(_payload: Payload, audience: Audience) -> Outgoing:
    t = audience.translator
    return Outgoing(text=t.gettext("This is a test alert. Alerts reach this chat: you need do nothing."))


def _because(reason: str, audience: Audience) -> str:
    known = REFUSALS.get(reason)
    if known is not None:
        return audience.translator.gettext(known)
    return audience.translator.gettext("Telegram's reason: {reason}.").format(reason=one_line(reason, NAME_ROOM))


def _name(payload: Payload, key: str) -> str:
    return one_line(str(payload[key]), NAME_ROOM)


def _see_them(payload: Payload, audience: Audience) -> tuple[tuple[Button, ...], ...]:
    data = f"seen:{payload['channel_id']}".encode()
    return ((Button(text=audience.translator.gettext("See them"), data=data),),)


_NOTICES: dict[str, Callable[[Payload, Audience], Outgoing]] = {
    "followed": _followed,
    "refused": _refused,
    "lost": _lost,
    "late": _late,
    "ping": _ping,
    "test_alert": _test_alert,
}
