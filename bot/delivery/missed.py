"""What a chat has missed while nothing could be sent to it comes in as a notice's payload; its message goes out."""

from collections.abc import Mapping
from typing import Any

from bot.delivery.rendering import Audience
from bot.models import Outgoing


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
