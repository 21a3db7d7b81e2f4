"""Whether a message comes without a sound: because it is of little weight, or for quiet hours. Pure."""

from datetime import datetime

from bot.models.alerts import GroupKind
from bot.models.notices import Sound
from bot.schedule import quiet_until
from bot.store.messages import Message
from bot.store.outbox import MessageKind


def is_silent(message: Message, now: datetime) -> bool:
    """Return whether a message comes without a sound."""
    return message.silent or (_respects_quiet_hours(message) and quiet_until(message.chat.schedule, now) is not None)


def _respects_quiet_hours(message: Message) -> bool:
    """Return whether a message is silent in quiet hours.

    An alert, or the first of a storm, is of a topic that passes them, or it would wait.
    """
    match message.kind:
        case MessageKind.NOTICE:
            return message.notice.sound is not Sound.ALWAYS
        case MessageKind.GROUP:
            return message.group is not GroupKind.STORM
    return message.kind is MessageKind.CHANGE
