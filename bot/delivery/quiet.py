"""An alert and the present come in; whether it comes without a sound, be it for quiet hours, goes out. Pure."""

from datetime import datetime

from bot.schedule import quiet_until
from bot.store.alerts import Kind
from bot.store.outbox import Alert

# What somebody is waiting for, who is awake. A storm begins in quiet hours only on a topic that passes them.
_HEARD = frozenset({"ping", "test_alert", "followed", "refused", "folder", "all", "storm"})


def is_silent(alert: Alert, now: datetime) -> bool:
    """Tell whether an alert comes without a sound."""
    is_aside = alert.kind is Kind.CHANGE or (alert.kind is Kind.NOTICE and alert.payload["notice"] not in _HEARD)
    return alert.silent or (is_aside and quiet_until(alert.chat.schedule, now) is not None)
