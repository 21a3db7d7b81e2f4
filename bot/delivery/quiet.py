"""Whether a message comes without a sound: because it is of little weight, or for quiet hours. Pure."""

from datetime import datetime

from bot.models.notices import Sound
from bot.schedule import quiet_until
from bot.store.alerts import Kind
from bot.store.groups import STORM
from bot.store.outbox import Alert


def is_silent(alert: Alert, now: datetime) -> bool:
    """Return whether a message comes without a sound."""
    return alert.silent or (_respects_quiet_hours(alert) and quiet_until(alert.chat.schedule, now) is not None)


def _respects_quiet_hours(alert: Alert) -> bool:
    """Return whether a message is silent in quiet hours; an alert is of a topic that passes them, or it would wait."""
    if alert.kind is Kind.NOTICE:
        notice = alert.notice
        return alert.payload.get("notice") != STORM if notice is None else notice.sound is not Sound.ALWAYS
    return alert.kind is Kind.CHANGE
