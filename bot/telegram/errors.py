"""Telegram's error strings, each with its verdict.

The strings are Telegram's own (https://core.telegram.org/api/errors). Telethon's classes are no key: it has one for a
part of them only, and drops the string of those.
"""

import re
import struct

from telethon import errors

from bot.errors import FatalError, SettingsError, TelegramError, UnreadableError, Verdict

# What Telethon raises at an answer that it cannot read: the first, or the others where it took one thing for another.
UNREADABLE = (errors.TypeNotFoundError, BufferError, struct.error)
CONNECTION_LOST = "CONNECTION_LOST"  # ours: no answer came, so nobody knows whether it was done
UNANSWERABLE = "REPLY_MESSAGE_ID_INVALID"  # what a message answers is gone, or the thread that it is meant for
_MINUTE, _HOUR = 60.0, 3600.0  # s
FLOOD = 420  # Telegram's code for too many requests

_NAMES = {  # numbers inside the strings stand as X
    Verdict.DONE: "RANDOM_ID_DUPLICATE MESSAGE_NOT_MODIFIED",
    Verdict.RETRY: """
        FLOOD_WAIT_X FLOOD_PREMIUM_WAIT_X SLOWMODE_WAIT_X PEER_FLOOD TIMEOUT RPC_CALL_FAIL RPC_MCGET_FAIL
        MSG_WAIT_FAILED MSG_WAIT_TIMEOUT CONNECTION_NOT_INITED CONNECTION_LAYER_INVALID FILE_PART_X_MISSING
        TRANSLATE_REQ_FAILED TRANSLATE_REQ_QUOTA_EXCEEDED TRANSLATION_TIMEOUT""",
    Verdict.SHORTEN: "MESSAGE_TOO_LONG MEDIA_CAPTION_TOO_LONG ENTITIES_TOO_LONG",
    Verdict.PLAIN: "ENTITY_BOUNDS_INVALID ENTITY_MENTION_USER_INVALID ENTITY_TEXTURL_INVALID",
    Verdict.BARE: """
        BUTTON_DATA_INVALID BUTTON_ID_INVALID BUTTON_INVALID BUTTON_POS_INVALID BUTTON_TEXT_INVALID BUTTON_TYPE_INVALID
        BUTTON_URL_INVALID BUTTON_USER_INVALID BUTTON_USER_PRIVACY_RESTRICTED BUTTON_COPY_TEXT_INVALID
        REPLY_MARKUP_INVALID REPLY_MARKUP_TOO_LONG""",
    Verdict.CLOSED: "TOPIC_CLOSED TOPIC_DELETED TOPIC_ID_INVALID",
    Verdict.DROP: """
        MESSAGE_EMPTY MESSAGE_ID_INVALID MESSAGE_EDIT_TIME_EXPIRED MESSAGE_AUTHOR_REQUIRED MESSAGE_DELETE_FORBIDDEN
        REPLY_MESSAGE_ID_INVALID QUERY_ID_INVALID INPUT_TEXT_EMPTY INPUT_TEXT_TOO_LONG TO_LANG_INVALID
        TRANSLATIONS_DISABLED""",
    Verdict.SUSPEND: """
        USER_IS_BLOCKED YOU_BLOCKED_USER USER_IS_BOT INPUT_USER_DEACTIVATED USER_DELETED PEER_ID_INVALID USER_ID_INVALID
        CHAT_ID_INVALID CHAT_FORBIDDEN CHAT_WRITE_FORBIDDEN CHAT_RESTRICTED CHAT_ADMIN_REQUIRED
        CHAT_GUEST_SEND_FORBIDDEN CHAT_SEND_PLAIN_FORBIDDEN USER_KICKED USER_NOT_PARTICIPANT USER_RESTRICTED
        USER_PRIVACY_RESTRICTED PRIVACY_PREMIUM_REQUIRED ALLOW_PAYMENT_REQUIRED_X""",
    Verdict.FATAL: """
        AUTH_KEY_UNREGISTERED AUTH_KEY_INVALID AUTH_KEY_DUPLICATED SESSION_REVOKED SESSION_EXPIRED USER_DEACTIVATED
        USER_DEACTIVATED_BAN ACCESS_TOKEN_EXPIRED ACCESS_TOKEN_INVALID FROZEN_METHOD_INVALID
        FROZEN_PARTICIPANT_MISSING""",
    Verdict.UNAUTHORISED: """
        CHANNEL_PRIVATE CHANNEL_INVALID CHANNEL_BANNED USER_BANNED_IN_CHANNEL USERNAME_NOT_OCCUPIED USERNAME_INVALID
        INVITE_HASH_EXPIRED INVITE_HASH_INVALID INVITE_HASH_EMPTY""",
}
VERDICTS = {error: verdict for verdict, names in _NAMES.items() for error in names.split()}
_BY_CODE = {401: Verdict.FATAL, 403: Verdict.SUSPEND, 303: Verdict.RETRY, FLOOD: Verdict.RETRY}
_WITHOUT_A_NUMBER = {"PEER_FLOOD": _HOUR}  # s; Telegram says that we send too much, and not for how long
_STRINGS = {error_class: error for error, error_class in errors.rpc_errors_dict.items()}
_PATTERNS = {error_class: pattern for pattern, error_class in errors.rpc_errors_re}


def verdict_of(error: str, code: int) -> tuple[Verdict, float]:
    """Return the verdict on an error, and the seconds that Telegram wants us to wait.

    Unknown strings are judged by the code: a chat that forbids (403) is suspended, a request that is wrong (400,
    404, 406) is dropped, the rest can heal.
    """
    name, code = re.sub(r"\d+", "X", error.upper()), abs(code)
    by_code = _BY_CODE.get(code, Verdict.DROP if 400 <= code < 500 else Verdict.RETRY)  # noqa: PLR2004 - as HTTP counts
    verdict = VERDICTS.get(name, by_code)
    if verdict is not Verdict.RETRY:
        return verdict, 0.0
    if number := re.search(r"_WAIT_(\d+)", error):
        return verdict, float(max(1, int(number[1])))  # FLOOD_WAIT_0 has been seen
    return verdict, _WITHOUT_A_NUMBER.get(name, _MINUTE if code == FLOOD else 0.0)


def error_string(error: errors.RPCError) -> str:
    """Return Telegram's error string of a Telethon error.

    Known strings became a class, of unknown ones Telethon keeps the string as the message.
    """
    pattern = _PATTERNS.get(type(error))
    number = next((value for value in vars(error).values() if isinstance(value, int)), 0)
    if pattern is not None and (number or type(error) not in _STRINGS):  # EMAIL_UNCONFIRMED comes with and without one
        return re.sub(r"\(\\d\+\)", str(number), pattern)
    return (_STRINGS.get(type(error)) or str(error.message)).upper()


def to_error(error: BaseException) -> TelegramError:
    """Turn the error of a request into one with a verdict; an error that Telegram did not send is a lost connection."""
    if isinstance(error, UNREADABLE) and not isinstance(error, errors.InvalidBufferError):
        return UnreadableError(getattr(error, "invalid_constructor_id", None))
    if isinstance(error, errors.RPCError):
        name, code = error_string(error), abs(error.code or 0)
    elif isinstance(error, errors.AuthKeyNotFound):
        name, code = "AUTH_KEY_UNREGISTERED", 401  # the server forgot our key: only a login helps
    else:
        name, code = CONNECTION_LOST, 0
    verdict, retry_after = verdict_of(name, code)
    return TelegramError(name, code=code, verdict=verdict, retry_after=retry_after)


def flood_wait(seconds: float) -> TelegramError:
    """Return the error with which Telegram would refuse a request that comes so many seconds too early."""
    return TelegramError(f"FLOOD_WAIT_{seconds:.0f}", code=FLOOD, verdict=Verdict.RETRY, retry_after=seconds)


def to_startup_error(refusal: TelegramError) -> SettingsError | FatalError:
    """Turn a refusal to sign in into an error for the person who runs the service, with advice."""
    if refusal.error in {"API_ID_INVALID", "API_ID_PUBLISHED_FLOOD"}:
        return SettingsError("TELEGRAM_API_ID and TELEGRAM_API_HASH are refused: copy both anew from my.telegram.org.")
    if refusal.error.startswith("ACCESS_TOKEN_"):
        return SettingsError("TELEGRAM_BOT_TOKEN is refused: copy it anew from @BotFather (/mybots).")
    if isinstance(refusal, UnreadableError):
        return FatalError(f"{refusal}: update channelwatch.")
    if refusal.retry_after:
        return FatalError(
            f"Telegram asks to wait {refusal.retry_after:.0f} s before signing in again ({refusal.error})."
        )
    if refusal.verdict is Verdict.RETRY:
        return FatalError(f"{refusal}: it cannot serve us now; start again in a few minutes.")
    advice = "the session is of no use any more; delete its file and sign in again."
    if refusal.error.startswith("FROZEN_"):
        advice = "it has frozen the account; in the Telegram app, @SpamBot says why and how to appeal."
    return FatalError(f"{refusal}: {advice}")
