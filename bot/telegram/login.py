"""Signs a reader account in by a person's phone number, code and password."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from telethon import TelegramClient, errors, functions, types, utils

from bot.errors import FatalError, SettingsError
from bot.settings import Settings
from bot.telegram import connections, sessions
from bot.telegram.client import reader_client
from bot.telegram.errors import to_error, to_startup_error

T = TypeVar("T")
TRIES = 3  # of a number, a code or a password; Telegram forbids signing in for a while after a few wrong ones

_WHERE_THE_CODE_IS = {
    types.auth.SentCodeTypeApp: "in Telegram on another device of this account, in the chat «Telegram»",
    types.auth.SentCodeTypeSms: "by SMS",
    types.auth.SentCodeTypeCall: "by a phone call",
    types.auth.SentCodeTypeEmailCode: "by e-mail",
}
_AGAIN = {  # error string → what a person reads before being asked again
    "PHONE_NUMBER_INVALID": "This is no phone number; write it with + and the country code.",
    "PHONE_CODE_INVALID": "This is not the code.",
    "PHONE_CODE_EMPTY": "This is not the code.",
    "PASSWORD_HASH_INVALID": "This is not the password.",
}
_END = {  # error string → why it is of no use to go on
    "PHONE_NUMBER_BANNED": "Telegram has banned this number; use another account.",
    "PHONE_NUMBER_UNOCCUPIED": "There is no Telegram account with this number; make one in the Telegram app first.",
    "PHONE_CODE_EXPIRED": "The code has expired; run `channelwatch login` again.",
    "PHONE_NUMBER_FLOOD": "Too many codes were asked for with this number; try again tomorrow.",
    "PHONE_PASSWORD_FLOOD": "Too many wrong passwords; try again tomorrow.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """Questions to a person at the terminal. Nothing else runs meanwhile; Telethon reconnects where that is long."""

    phone: Callable[[], str]  # the number of the account
    code: Callable[[], str]  # the code that Telegram sent
    password: Callable[[str | None], str]  # of the two-step verification; takes the hint
    say: Callable[[str], None]  # shows what happened, before the next question


async def log_in(settings: Settings, prompts: Prompts, *, session: str = sessions.READER, anew: bool = False) -> str:
    """Sign a reader account in, unless it is signed in already, and return its name.

    `session` is the file in DATA_DIR. With `anew` an account is asked for in any case, and takes the place of the
    old one once it is signed in. Raises SettingsError for wrong credentials of the application, FatalError where
    Telegram refuses the account.
    """
    path = settings.data_dir / session
    with sessions.lock(path):
        if anew:
            fresh = path.with_name(f"new-{session}")
            fresh.unlink(missing_ok=True)  # of a login that was broken off
            user = await _user_of(settings, fresh.name, prompts)
            fresh.replace(path)
        else:
            user = await _user_of(settings, session, prompts)
    if user.bot:
        raise SettingsError(f"{session} belongs to a bot: delete the file, then run `channelwatch login` again.")
    return " ".join(filter(None, [user.first_name, user.last_name, user.username and f"(@{user.username})"]))


async def _user_of(settings: Settings, session: str, prompts: Prompts) -> types.User:
    client = reader_client(settings, session)
    try:
        return await connections.connect(client) or await sign_in(client, prompts)
    finally:
        await client.disconnect()


async def sign_in(client: TelegramClient, prompts: Prompts) -> types.User:
    """Sign a connected client in by phone, code and, where the account has one, password. Raises as `log_in` does."""

    async def send_code(phone: str) -> types.auth.SentCode:
        if utils.parse_phone(phone) is None:
            raise errors.PhoneNumberInvalidError(request=None)
        return await client.send_code_request(phone)

    phone, sent = await _ask(prompts, prompts.phone, send_code)
    prompts.say(f"Telegram sent a code {_WHERE_THE_CODE_IS.get(type(sent.type), 'to this account')}.")
    try:
        _, user = await _ask(prompts, prompts.code, lambda code: client.sign_in(phone, code))
    except errors.SessionPasswordNeededError:
        hint = (await client(functions.account.GetPasswordRequest())).hint
        question = partial(prompts.password, hint)
        _, user = await _ask(prompts, question, lambda password: client.sign_in(password=password))
    return user


async def _ask(prompts: Prompts, question: Callable[[], str], use: Callable[[str], Awaitable[T]]) -> tuple[str, T]:
    """Ask until Telegram takes the answer; return the answer and Telegram's."""
    for left in reversed(range(TRIES)):
        answer = question().strip()
        try:
            return answer, await use(answer)
        except errors.SessionPasswordNeededError:
            raise
        except errors.RPCError as error:
            refusal = to_error(error)
            if refusal.error not in _AGAIN or not left:
                sentence = _END.get(refusal.error) or _AGAIN.get(refusal.error)
                raise (FatalError(sentence) if sentence else to_startup_error(refusal)) from None
            prompts.say(_AGAIN[refusal.error])
    raise AssertionError  # the last try returns or raises
