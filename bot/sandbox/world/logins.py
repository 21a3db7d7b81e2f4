"""Logins under way: codes for phones, tokens of bots, and QR tokens."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from bot.sandbox.world.peers import Account
from bot.sandbox.world.refused import Refused

_CODE_LIVES = timedelta(minutes=5)
_TOKEN_LIVES = timedelta(seconds=30)
_PHONE_DIGITS = range(7, 16)  # how many


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A login code on its way to a phone."""

    digits: str
    digest: str  # the phone_code_hash that belongs to it
    until: datetime


@dataclass(slots=True, kw_only=True)
class Token:
    """A login token shown as a QR code; `owner` is the authorisation that waits for it, opaque here."""

    value: bytes
    owner: object
    until: datetime
    account: Account | None = None  # of the person who scanned it


class Logins:
    """Codes and tokens by which an account may be signed in to."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._phones: dict[str, Account] = {}
        self._bots: dict[str, Account] = {}
        self._codes: dict[str, Code] = {}
        self._tokens: dict[bytes, Token] = {}

    def add_phone(self, phone: str, account: Account) -> None:
        """Register an account's phone number."""
        self._phones[digits(phone)] = account

    def add_bot(self, token: str, account: Account) -> None:
        """Register a bot's token."""
        self._bots[token] = account

    def bot(self, token: str) -> Account:
        """Return the bot of a token; raises Refused."""
        if token not in self._bots:
            raise Refused("ACCESS_TOKEN_INVALID")
        return self._bots[token]

    def send_code(self, phone: str, now: datetime) -> Code:
        """Return a new code for a phone number, which replaces an earlier one; raises Refused."""
        number = digits(phone)
        if len(number) not in _PHONE_DIGITS:
            raise Refused("PHONE_NUMBER_INVALID")
        code = f"{self._random.randrange(100_000):05}"
        self._codes[number] = Code(digits=code, digest=self._random.randbytes(9).hex(), until=now + _CODE_LIVES)
        return self._codes[number]

    def code(self, phone: str) -> str:
        """Return the code that was sent to a phone; KeyError where none was."""
        return self._codes[digits(phone)].digits

    def sign_in(self, phone: str, digest: str, code: str, now: datetime) -> Account | None:
        """Return the account of a phone, None where there is none; raises Refused for a wrong code."""
        sent = self._codes.get(digits(phone))
        if not code:
            raise Refused("PHONE_CODE_EMPTY")
        if sent is None or sent.digest != digest or sent.until < now:
            raise Refused("PHONE_CODE_EXPIRED")
        if sent.digits != code:
            raise Refused("PHONE_CODE_INVALID")
        del self._codes[digits(phone)]
        return self._phones.get(digits(phone))

    def token(self, owner: object, now: datetime) -> Token:
        """Return the owner's token, a new one where it has none that is valid."""
        for token in self._tokens.values():
            if token.owner is owner and token.until >= now:
                return token
        token = Token(value=self._random.randbytes(32), owner=owner, until=now + _TOKEN_LIVES)
        self._tokens = {value: old for value, old in self._tokens.items() if old.until >= now}
        self._tokens[token.value] = token
        return token

    def accept(self, value: bytes, account: Account, now: datetime) -> Token:
        """Let the owner of a token sign in to an account, and return the token; raises Refused."""
        token = self.find_token(value, now)
        if token.account is not None:
            raise Refused("AUTH_TOKEN_ALREADY_ACCEPTED")
        token.account = account
        return token

    def find_token(self, value: bytes, now: datetime) -> Token:
        """Return a token by its value; raises Refused."""
        if value not in self._tokens:
            raise Refused("AUTH_TOKEN_INVALID")
        if self._tokens[value].until < now:
            raise Refused("AUTH_TOKEN_EXPIRED")
        return self._tokens[value]

    def spend(self, token: Token) -> None:
        """Delete a token that was used."""
        self._tokens.pop(token.value, None)


def digits(phone: str) -> str:
    """Return a phone number's digits."""
    return "".join(filter(str.isdigit, phone))
