"""Why a chat takes no messages of ours comes in, as Telegram's error string; the sentence for people goes out."""

import re

from bot.locales import N_, Translator

_LONGEST = 120  # characters of a string that we have no sentence for

_OUT = N_("I am no member there any more.")
_MUTED = N_("I have no right to write there; its admins give it in the group's settings.")
_NOWHERE = N_("Telegram does not find it any more.")
_CLOSED = N_("Its threads are closed, the general one too.")
SUSPENSIONS = {
    "CHANNEL_PRIVATE": _OUT,
    "CHANNEL_INVALID": _NOWHERE,
    "CHANNEL_BANNED": N_("Telegram has closed it."),
    "USER_BANNED_IN_CHANNEL": N_("Its admins have banned me."),
    "USER_KICKED": N_("Its admins have removed me."),
    "USER_NOT_PARTICIPANT": _OUT,
    "CHAT_FORBIDDEN": _OUT,
    "PEER_ID_INVALID": _NOWHERE,
    "CHAT_ID_INVALID": _NOWHERE,
    "CHAT_WRITE_FORBIDDEN": _MUTED,
    "CHAT_RESTRICTED": _MUTED,
    "CHAT_SEND_PLAIN_FORBIDDEN": _MUTED,
    "CHAT_GUEST_SEND_FORBIDDEN": _MUTED,
    "CHAT_ADMIN_REQUIRED": N_("Only admins may write there, and I am none."),
    "ALLOW_PAYMENT_REQUIRED": N_("It wants to be paid for each message."),
    "TOPIC_CLOSED": _CLOSED,
    "TOPIC_DELETED": _CLOSED,
    "TOPIC_ID_INVALID": _CLOSED,
}


def why_suspended(reason: str, translator: Translator) -> str:
    """Say why, as a sentence; a string that we do not know is shown as Telegram's."""
    known = SUSPENSIONS.get(re.sub(r"_\d+$", "", reason))
    if known is not None:
        return translator.gettext(known)
    shown = " ".join(reason.split())[:_LONGEST]
    return translator.gettext("Telegram's reason: {reason}.").format(reason=shown)
