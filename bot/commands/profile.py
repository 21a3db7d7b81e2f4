"""Introduces the bot in each language by a line about it, a description and, where the settings have one, a name.

A text that an owner wrote at @BotFather stays. What was set is remembered, so that a start asks Telegram for nothing.
"""

import json
from dataclasses import asdict

import structlog

from bot.errors import TelegramError
from bot.locales import N_, PHONES, translator
from bot.runtime.supervisor import TURN, Beat, no_beat
from bot.store import meta
from bot.store.database import Database
from bot.telegram.client import Client
from bot.telegram.profile import Profile, read_profile, write_profile

log = structlog.get_logger(__name__)

MOST_ABOUT, MOST_DESCRIPTION = 120, 512  # characters; Telegram takes no more
ABOUT = N_("Reads Telegram channels and alerts you as soon as a post is about one of your topics.")
DESCRIPTION = N_(
    "I read Telegram channels and alert you as soon as a post is about one of your topics. I can also search all posts "
    "that I have stored. This bot is private: you need an invitation from its owner."
)
_KEY = "profile"


async def introduce(client: Client, database: Database, *, name: str, beat: Beat = no_beat) -> None:
    """Set the texts that are new; where Telegram refuses one or wants us to wait, the next start tries again."""
    wanted = {code: _texts(language, name) for code, language in PHONES.items()}
    username = await meta.get(database, "bot_username")
    texts_now = {code: asdict(each) for code, each in wanted.items()}
    now = {"bot": username, "texts": texts_now}
    before = json.loads(str(await meta.get(database, _KEY) or "{}"))
    if before == now:
        return
    known = [*texts_now.values(), *(before.get("texts", {}).values() if before.get("bot") == username else ())]
    ours = {text for each in known for text in each.values()} | {"", None}
    try:
        for code, texts in wanted.items():
            beat(TURN)
            changed = _changed(await read_profile(client, code), texts, ours)
            if changed != Profile():
                await write_profile(client, code, changed)
    except TelegramError as error:
        log.warning("Telegram did not take how the bot introduces itself", error=error.error)
        return
    await database.write(lambda tx: meta.put(tx, _KEY, json.dumps(now, ensure_ascii=False)))


def _texts(language: str, name: str) -> Profile:
    t = translator(language)
    return Profile(name=name or None, about=t.gettext(ABOUT), description=t.gettext(DESCRIPTION))


def _changed(shown: Profile, wanted: Profile, ours: set[str | None]) -> Profile:
    """Return what differs; texts that are not ours stay, but for the name, which is ours once the settings have one."""
    about, description = (
        new if new != old and old in ours else None
        for new, old in ((wanted.about, shown.about), (wanted.description, shown.description))
    )
    return Profile(name=wanted.name if wanted.name != shown.name else None, about=about, description=description)
