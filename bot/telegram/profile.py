"""What Telegram shows of our bot before anybody writes to it: its name, a line about it, and a description."""

from dataclasses import dataclass

from telethon import TelegramClient, functions

from bot.telegram.rpc import ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The texts of one language; None: unknown, or not to be changed."""

    name: str | None = None
    about: str | None = None  # on its profile page
    description: str | None = None  # in the empty chat


async def read_profile(client: TelegramClient, code: str) -> Profile:
    """Return what people see whose phone speaks a language; empty: all others. Raises TelegramError."""
    shown = await ask(client(functions.bots.GetBotInfoRequest(lang_code=code)))
    return Profile(name=shown.name, about=shown.about, description=shown.description)


async def write_profile(client: TelegramClient, code: str, profile: Profile) -> None:
    """Change the texts that are given. Raises TelegramError."""
    request = functions.bots.SetBotInfoRequest(
        lang_code=code, name=profile.name, about=profile.about, description=profile.description
    )
    await ask(client(request))
