"""The payload of a notice comes in, the message that tells a chat of it goes out. Pure.

A notice is what the outbox carries and is no post: a channel is followed now, one is lost, the answer to /ping.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from babel.dates import format_timedelta

from bot.delivery.rendering import Audience, one_line
from bot.locales import N_
from bot.locales.figures import show_span
from bot.locales.refusals import refusal
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
    lines.append(refusal(reason, t))
    return Outgoing(text=" ".join(lines))


def _lost(payload: Payload, audience: Audience) -> Outgoing:
    t = audience.translator
    line = t.gettext("I can no longer read «{channel}»; what it posts from now on is missing here.")
    return Outgoing(text=f"{line.format(channel=_name(payload, 'channel'))} {refusal(payload['reason'], t)}")


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
    seconds = (audience.now - datetime.fromisoformat(payload["asked_at"])).total_seconds()
    line = t.gettext("Pong. This came the way of an alert and left {time} after your command had reached me.")
    return Outgoing(text=line.format(time=show_span(seconds, t)))


def _test_alert(_payload: Payload, audience: Audience) -> Outgoing:
    t = audience.translator
    return Outgoing(text=t.gettext("This is a test alert. Alerts reach this chat: you need do nothing."))


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
