"""Why a channel cannot be read, or a chat not be written to: sentences by Telegram's error string or a word of ours."""

import re
from collections.abc import Mapping

from bot.locales import N_, Translator

_LONGEST = 120  # characters of a string that we have no sentence for

LOGGED_OUT = N_("Telegram has logged it out. Run channelwatch login on the server.")
BANNED = N_(
    "Telegram has closed the account. Write to recover@telegram.org if that was a mistake, or log in another one "
    "with channelwatch login --anew."
)
FROZEN = N_(
    "Telegram has frozen the account. Open it in the Telegram app, where @SpamBot says why and how to "
    "appeal; I will notice within half an hour when it is free again. Or log in another one with "
    "channelwatch login --anew."
)
REFUSALS = {  # why a channel cannot be read, or a reader account cannot read
    "USERNAME_NOT_OCCUPIED": N_("There is no channel with this name. Check the spelling."),
    "USERNAME_INVALID": N_("There is no channel with this name. Check the spelling."),
    "INVITE_HASH_EXPIRED": N_("This invite link no longer works. Ask the channel's admins for a new one."),
    "INVITE_HASH_INVALID": N_("There is no such invite link. Copy the whole link again."),
    "INVITE_HASH_EMPTY": N_("There is no such invite link. Copy the whole link again."),
    "INVITE_SLUG_EXPIRED": N_("This folder link no longer works. Ask for a new one."),
    "INVITE_SLUG_EMPTY": N_("This folder link no longer works. Ask for a new one."),
    "INVITE_REQUEST_SENT": N_("I have asked to join. Its admins have to let me in."),
    "CHANNEL_PRIVATE": N_("It is private. Send me its invite link: https://t.me/+…"),
    "CHANNEL_INVALID": N_("I cannot find it. Send me its name, like @name, or its invite link."),
    "CHANNEL_BANNED": N_("Telegram has closed it."),
    "CHANNELS_TOO_MUCH": N_(
        "My reader account is in as many channels as Telegram allows. Unfollow one with /unfollow, then try again."
    ),
    "USER_BANNED_IN_CHANNEL": N_("My reader account is banned there."),
    "AUTH_KEY_UNREGISTERED": LOGGED_OUT,
    "SESSION_REVOKED": LOGGED_OUT,
    "SESSION_EXPIRED": LOGGED_OUT,
    "AUTH_KEY_DUPLICATED": N_(
        "Its session was used in two places at once, so Telegram ended it. Run channelwatch login --anew on the server."
    ),
    "USER_DEACTIVATED": BANNED,
    "USER_DEACTIVATED_BAN": BANNED,
    "FROZEN_METHOD_INVALID": FROZEN,
    "FROZEN_PARTICIPANT_MISSING": FROZEN,
    "FLOOD_WAIT": N_("Telegram asks me to wait; I will try again automatically."),
    "CONNECTION_LOST": N_("Telegram did not answer; I will try again automatically."),
    "waits for its turn to be joined": N_("I join channels one at a time, with pauses; its turn will come."),
    "user": N_("It is a person. I follow channels and supergroups only."),
    "bot": N_("It is a bot. I follow channels and supergroups only."),
    "basic_group": N_("It is a small group. I will follow it automatically once its admins make it a supergroup."),
    "needs_joining": N_("It is private: nobody can read it from outside. Send it again without join:no."),
    "too_many_fast": N_("At most 20 channels can be fast. Send it again without “fast”."),
    "vanished": N_(
        "It has become private or has been deleted. If it still exists, send me its invite link: https://t.me/+…"
    ),
    "removed": N_("It was deleted, or its admins have removed my reader account. To go on, send me its invite link."),
    "not_member": N_("My reader account is not a member there. Send me its invite link: https://t.me/+…"),
    "own_channel": N_("I post your own alerts there, so following it would bring them back to you."),
    "site_unreachable": N_("The site does not answer. Check the address, or try again later."),
    "site_refuses": N_("The site refuses my request. Open the address in a browser: perhaps it has moved."),
    "site_private": N_("This address is not on the public internet. SITE_PRIVATE_ADDRESSES on the server allows that."),
    "site_no_feed": N_("I find no RSS or Atom feed there. Look for «RSS» on the site and send me that link."),
    "site_broken": N_("Its feed is damaged. Send me another address of it, or try again later."),
    "no_page": N_("It has no web page, or Telegram does not show it here. A reader account may be able to read it."),
    "taken_over": N_(
        "Its name belongs to another channel now, which I do not read. Send me the new name with /follow."
    ),
    "strange_page": N_("Telegram has changed its web pages, and this version cannot read them. Update channelwatch."),
    "page_unreachable": N_("Telegram's web pages do not answer; I will try again automatically."),
    "needs_account": N_(
        "Only a reader account can do that, and none can read now. Run channelwatch login on the server; I will then "
        "try again automatically."
    ),
    "no_comments": N_("It has none."),
    "comments_closed": N_(
        "They are in a group that my reader account would have to join. To do that, send /follow and its link."
    ),
    "needs_app": N_("It asks newcomers questions. Join it by hand with the reader account, then send /follow again."),
}

_OUT = N_("I am no longer a member there.")
_MUTED = N_("I am not allowed to write there. Its admins can allow it in the group settings.")
_NOWHERE = N_("Telegram can no longer find it.")
_CLOSED = N_("Its threads are closed, including the general one.")
SUSPENSIONS = {  # why a chat takes no messages of the bot
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
    "CHAT_ADMIN_REQUIRED": N_("Only admins may write there, and I am not one."),
    "ALLOW_PAYMENT_REQUIRED": N_("It charges for every message."),
    "TOPIC_CLOSED": _CLOSED,
    "TOPIC_DELETED": _CLOSED,
    "TOPIC_ID_INVALID": _CLOSED,
}


TRANSLATION_REFUSALS = {  # why Telegram does not translate a text
    "TRANSLATE_REQ_QUOTA_EXCEEDED": N_("Telegram translates nothing more just now; I will try again automatically."),
    "TRANSLATE_REQ_FAILED": N_("Telegram's translator failed; I will try again automatically."),
    "TRANSLATION_TIMEOUT": N_("Telegram's translator failed; I will try again automatically."),
    "TRANSLATIONS_DISABLED": N_(
        "Telegram has switched translations off for my reader account. Translate the post in the app."
    ),
    "TO_LANG_INVALID": N_("Telegram does not translate into this language. Choose another one: /translate."),
    "INPUT_TEXT_TOO_LONG": N_("The text is too long for Telegram's translator."),
    "FLOOD_WAIT": REFUSALS["FLOOD_WAIT"],
    "CONNECTION_LOST": REFUSALS["CONNECTION_LOST"],
    "no answer": N_("Telegram did not translate it for a day."),
}


_TROUBLES = {  # why a target takes nothing
    "TIMEOUT": N_("no answer in time"),
    "FAILED": N_("the service refuses it or cannot be reached"),  # Apprise says no more
    "ClientConnectorDNSError": N_("its server cannot be found"),
    "ServerDisconnectedError": N_("no connection to its server"),
    "ClientConnectorError": N_("no connection to its server"),
    "ClientOSError": N_("no connection to its server"),
}


def target_trouble(reason: str, t: Translator) -> str:
    """Return in a few words why a target takes nothing."""
    if reason.startswith("HTTP_"):
        return t.gettext("its server answers with error {code}").format(code=reason.removeprefix("HTTP_"))
    return t.gettext(_TROUBLES[reason]) if reason in _TROUBLES else reason


def refusal(reason: str, t: Translator, sentences: Mapping[str, str] = REFUSALS) -> str:
    """Return the sentence for a reason, with what to do about it; a string without one is shown as Telegram's."""
    known = sentences.get(re.sub(r"_\d+$", "", reason))
    if known is not None:
        return t.gettext(known)
    shown = " ".join(reason.split())[:_LONGEST]
    return t.gettext("Telegram's reason: {reason}.").format(reason=shown)
