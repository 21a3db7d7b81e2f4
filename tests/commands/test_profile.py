"""How the bot introduces itself, against the embedded server."""

from pathlib import Path

import pytest

from bot.commands.profile import ABOUT, DESCRIPTION, MOST_ABOUT, MOST_DESCRIPTION, introduce
from bot.locales import LANGUAGES, PHONES, translator
from bot.store.database import Database
from tests.kit_bot import embedded_server


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_texts_fit(language: str) -> None:
    t = translator(language)
    assert len(t.gettext(ABOUT)) <= MOST_ABOUT
    assert len(t.gettext(DESCRIPTION)) <= MOST_DESCRIPTION


async def test_each_language_is_set_once_and_what_an_owner_wrote_stays(tmp_path: Path) -> None:
    async with embedded_server() as server:
        sandbox, bot = server.sandbox, server.sandbox.world.add_bot("43:token", "Newsroom", "our_bot")
        bot.info["ru"] = {"about": "Наш бот"}
        client, db = sandbox.client(bot), await Database.open(tmp_path / "bot.db")
        await client.connect()
        try:
            sandbox.faults.answer("SetBotInfo", "BOT_INVALID", code=400, times=1)
            await introduce(client, db, name="")  # the next start tries again
            await introduce(client, db, name="")
            assert bot.info["ru"] == {"about": "Наш бот", "description": translator("ru").gettext(DESCRIPTION)}
            assert bot.info[""] == {"about": ABOUT, "description": DESCRIPTION}
            before = len(sandbox.calls)
            await introduce(client, db, name="")
            assert len(sandbox.calls) == before
            await introduce(client, db, name="Дежурный")
            assert bot.info[""]["name"] == "Дежурный"  # and so for all languages that have no name of their own
            assert len(bot.info) == len(PHONES)
            assert bot.info["ru"]["about"] == "Наш бот"
        finally:
            await client.disconnect()
            await db.close()
