"""The payload of a notice comes in, the message that tells a chat of it goes out. Pure.

A notice is what the outbox carries and is no post: a channel is followed now, one is lost, the answer to /ping.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.locales import N_, Translator
from bot.locales.figures import show_span
from bot.locales.refusals import refusal
from bot.locales.suspensions import why_suspended
from bot.locales.titles import topic_title
from bot.models import Button, Outgoing
from bot.rendering.alert import Audience, moment
from bot.text.markup import one_line

_ROOM = 120  # UTF-16 units of a foreign name


def thread_closed(payload: Mapping[str, Any], audience: Audience) -> Outgoing:
    """Tell a chat that a thread takes nothing more; without topics it was the one for all of its alerts."""
    t, names = audience.translator, payload["topics"]
    if not names:
        return Outgoing(text=t.gettext("The thread for this chat's alerts is closed: they come here now."))
    topics = ", ".join(f"«{one_line(topic_title(name, t), _ROOM)}»" for name in names)
    line = t.gettext("The thread for {topics} is closed: these alerts come here now.")
    return Outgoing(text=line.format(topics=topics))


def suspended(payload: Mapping[str, Any], audience: Audience) -> Outgoing:
    """Tell an owner that a group gets nothing any more, why, and how it comes back."""
    t = audience.translator
    line = t.gettext("I cannot write to «{chat}» any more, and have stopped its alerts.")
    lines = [line.format(chat=one_line(payload["title"], _ROOM)), why_suspended(payload["reason"], t)]
    lines.append(t.gettext("Once that is mended, send any command there: it goes on at once."))
    return Outgoing(text=" ".join(lines))


def missed(payload: Mapping[str, Any], audience: Audience) -> Outgoing:
    """Tell a chat that it gets alerts again, and how many did not arrive."""
    t, count = audience.translator, payload["count"]
    again = t.gettext("I can write here again.")
    line = t.gettext("What was posted meanwhile brought no alert; /latest shows the newest posts.")
    if count:
        line = t.ngettext(
            "{n} alert did not arrive, and what was posted meanwhile brought none; /latest shows the newest posts.",
            "{n} alerts did not arrive, and what was posted meanwhile brought none; /latest shows the newest posts.",
            count,
        ).format(n=count)
    return Outgoing(text=f"{again} {line}")


Payload = Mapping[str, Any]
NAME_ROOM = 120  # UTF-16 units of a foreign name
_OPTIONS = (N_("fast"), N_("slow"), N_("join:no"), N_("join:yes"))
SHOWN_CHANNELS = 12  # named in one list

FOLLOWED = {
    "joined": N_("I follow «{channel}» now."),
    "polled": N_("I follow «{channel}» now. Until I have joined it, its posts may come a minute late."),
    "outside": N_("I follow «{channel}» now, from outside: its posts may come some minutes late."),
    "outside_fast": N_("I follow «{channel}» now, from outside: its posts may come half a minute late."),
    "pending": N_(
        "I have asked to join «{channel}». Its admins have to let me in; as soon as they do, you get its alerts here."
    ),
}


def render_notice(payload: Payload, audience: Audience) -> Outgoing:
    """Write a notice; `payload["notice"]` says which one it is. Raises KeyError for one that nobody knows."""
    return _NOTICES[payload["notice"]](payload, audience)


def _followed(payload: Payload, audience: Audience) -> Outgoing:
    t = audience.translator
    would, news = payload["would"], FOLLOWED[payload["access"]]
    lines = [t.gettext(news).format(channel=_name(payload, "channel"))]
    if not payload["posts"]:  # of a private one, nobody outside knows what it has posted
        return Outgoing(text=lines[0])
    if not would:
        line = t.gettext("Its newest posts ({posts}) would have brought no alert.")
        lines.append(line.format(posts=payload["posts"]))
        return Outgoing(text="\n".join(lines))
    line = t.ngettext(
        "Its newest posts ({posts}) would have brought {n} alert.",
        "Its newest posts ({posts}) would have brought {n} alerts.",
        would,
    )
    lines.append(line.format(posts=payload["posts"], n=would))
    return Outgoing(text="\n".join(lines), buttons=_see_them(payload, audience))


def _refused(payload: Payload, audience: Audience) -> Outgoing:
    t, reason = audience.translator, payload["reason"]
    name = _name(payload, "reference")
    shown = f"t.me/{name}" if name.startswith(("+", "addlist/")) else name
    lines = [t.gettext("I could not follow {reference}.").format(reference=shown)]
    lines.append(refusal(reason, t))
    return Outgoing(text=" ".join(lines))


def _lost(payload: Payload, audience: Audience) -> Outgoing:
    t = audience.translator
    line = t.gettext("I can no longer read «{channel}»; what it posts from now on is missing here.")
    return Outgoing(text=f"{line.format(channel=_name(payload, 'channel'))} {refusal(payload['reason'], t)}")


def _found(payload: Payload, audience: Audience) -> Outgoing:
    line = audience.translator.gettext("I can read «{channel}» again.")
    return Outgoing(text=line.format(channel=_name(payload, "channel")))


def _renamed(payload: Payload, audience: Audience) -> Outgoing:
    """Say what a channel is called now; of two changes in one day only the first is told."""
    t, old, new = audience.translator, payload["username"], payload["new_username"]
    lines = []
    if payload["channel"] != payload["new_title"]:
        line = t.gettext("«{channel}» is called «{title}» now.")
        lines.append(line.format(channel=_name(payload, "channel"), title=_name(payload, "new_title")))
    if old != new:
        line = t.gettext("«{title}» has the name @{username} now, no longer @{old}.")
        if new is None:
            line = t.gettext("«{title}» has given up its public name @{old}. I am in it and read on.")
        elif old is None:
            line = t.gettext("«{title}» is public now: @{username}.")
        lines.append(line.format(title=_name(payload, "new_title"), username=new, old=old))
    return Outgoing(text="\n".join(lines))


def _folder(payload: Payload, audience: Audience) -> Outgoing:
    t, count, closed = audience.translator, payload["count"], payload["closed"]
    line = t.ngettext(
        "The folder «{folder}» holds {n} channel that I can read; I look at it now.",
        "The folder «{folder}» holds {n} channels that I can read; I look at them now.",
        count,
    )
    lines = [line.format(folder=_name(payload, "folder"), n=count)]
    if closed:
        line = t.gettext("Private, so that I need an invite link of each: {names}")
        lines.append(line.format(names=_names(closed)))
    return Outgoing(text="\n".join(lines))


def _all(payload: Payload, audience: Audience) -> Outgoing:
    t, fresh = audience.translator, payload["fresh"]
    line = t.ngettext(
        "My reader account is in {n} channel or supergroup.",
        "My reader account is in {n} channels and supergroups.",
        payload["count"],
    )
    said = line.format(n=payload["count"])
    if not fresh:
        known = t.gettext("I follow all of them already.")
        if payload["options"]:
            known = t.gettext("I follow all of them already, from now on so: {how}").format(
                how=_typed(payload["options"], t)
            )
        return Outgoing(text=f"{said} {known}")
    line = t.ngettext("I do not follow {n} of them yet.", "I do not follow {n} of them yet.", fresh)
    label = t.ngettext("Follow {n} channel", "Follow {n} channels", fresh).format(n=fresh)
    button = Button(text=label, data=f"all:{payload['options']}".encode())
    return Outgoing(text=f"{said} {line.format(n=fresh)}", buttons=((button,),))


def _typed(options: str, t: Translator) -> str:
    """Write options in the words that people of this language type."""
    history = t.gettext("history:")
    return " ".join(
        t.gettext(word) if word in _OPTIONS else word.replace("history:", history) for word in options.split()
    )


def _reader_lost(payload: Payload, audience: Audience) -> Outgoing:
    t = audience.translator
    if payload["standby"]:
        news = t.gettext("My standby reader account cannot read channels any more; its login takes --standby.")
    else:
        news = t.gettext("My reader account cannot read channels any more.")
    then = t.gettext("Once it is logged in again I go on by myself and look for what was posted meanwhile.")
    return Outgoing(text=f"⚠️ {news} {refusal(payload['reason'], t)} {then}")


def _silent(payload: Payload, audience: Audience) -> Outgoing:
    line = audience.translator.gettext(
        "«{channel}» is unusually silent: its last post is of {time}; as a rule about {n} would have followed."
    )
    since = moment(datetime.fromisoformat(payload["since"]), audience)
    return Outgoing(text=line.format(channel=_name(payload, "channel"), time=since, n=payload["expected"]))


def _receipt(payload: Payload, audience: Audience) -> Outgoing:
    t, alerts, gaps = audience.translator, payload["alerts"], payload["gaps"]
    figures = [
        t.ngettext("{verified} of {n} channel verified", "{verified} of {n} channels verified", payload["channels"]),
        t.ngettext("{alerts} alert", "{alerts} alerts", alerts),
        t.ngettext("{gaps} gap", "{gaps} gaps", gaps),
    ]
    counts = {key: payload[key] for key in ("verified", "alerts", "gaps")} | {"n": payload["channels"]}
    since = moment(datetime.fromisoformat(payload["since"]), audience)
    lines = [t.gettext("Since {time}: {figures}.").format(time=since, figures=", ".join(figures).format(**counts))]
    if payload["named"]:
        line = t.gettext("Lost, late or with a hole that is being filled: {names}. See /channels.")
        lines.append(line.format(names=_names(payload["named"])))
    if unverified := payload.get("unverified"):
        lines.append(t.gettext("Not verified yet: {names}.").format(names=_names(unverified)))
    return Outgoing(text="\n".join(lines))


def _names(names: Sequence[str]) -> str:
    more = len(names) - SHOWN_CHANNELS
    shown = ", ".join(one_line(name, NAME_ROOM) for name in names[:SHOWN_CHANNELS])
    return f"{shown} +{more}" if more > 0 else shown


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
    "found": _found,
    "renamed": _renamed,
    "folder": _folder,
    "all": _all,
    "reader_lost": _reader_lost,
    "silent": _silent,
    "receipt": _receipt,
    "ping": _ping,
    "test_alert": _test_alert,
    "thread_closed": thread_closed,
    "suspended": suspended,
    "missed": missed,
}
