"""A notice's payload about where a chat is comes in: a thread closed, a chat that refuses; its message goes out."""

from collections.abc import Mapping
from typing import Any

from bot.delivery.rendering import Audience
from bot.locales.suspensions import why_suspended
from bot.locales.titles import topic_title
from bot.markup import one_line
from bot.models import Outgoing

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
