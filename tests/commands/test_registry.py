import re
from pathlib import Path

import pytest

from bot.commands import registry
from bot.commands.registry import Section
from bot.locales import LANGUAGES, translator
from bot.models.outgoing import PeerKind
from bot.models.people import Role
from tests.commands.kit import ANNA, BORIS, Bot, text

ROOT = Path(__file__).parents[2]
BEGIN, END = "<!-- commands: made by bot/commands/registry.py -->\n", "\n<!-- end of commands -->"


@pytest.mark.parametrize("language", LANGUAGES)
def test_telegram_takes_the_menu(language: str) -> None:
    menu = registry.menu(translator(language))
    for name, summary in menu:
        assert name.islower()
        assert 1 <= len(summary) <= 256
    assert len(menu) <= 100


def test_every_command_has_a_handler_but_the_first() -> None:
    assert [each.name for each in registry.commands().values() if each.handler is None] == ["start"]


@pytest.mark.parametrize("section", Section)
def test_each_command_of_a_section_has_a_place_of_its_own(section: Section) -> None:
    places = [each.place for each in registry.commands().values() if each.section is section]
    assert places == list(range(1, len(places) + 1))


def test_examples_begin_with_their_command() -> None:
    for each in registry.commands().values():
        for language in LANGUAGES:
            for typed, _ in each.examples:
                assert translator(language).gettext(typed).split()[0] == f"/{each.name}"


@pytest.mark.parametrize(
    ("typed", "meant"), [("folow", "follow"), ("statuss", "status"), ("topic", "topics"), ("xyz", None)]
)
def test_a_typo_gets_a_suggestion(typed: str, meant: str | None) -> None:
    assert registry.suggestion(typed) == meant


@pytest.mark.parametrize(("language", "suffix"), [("en", ".md"), ("ru", ".ru.md")])
def test_the_pages_show_the_commands_that_there_are(language: str, suffix: str) -> None:
    table = registry.markdown_table(language)
    assert (ROOT / f"docs/commands{suffix}").read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0] == table
    first = re.findall(r"^\| `/.*", (ROOT / f"README{suffix}").read_text(encoding="utf-8"), re.MULTILINE)
    assert first
    assert set(first) <= set(table.splitlines())


def test_readers_see_no_commands_that_they_may_not_send() -> None:
    t = translator("en")
    missing = {name for name, _ in registry.menu(t)} - {name for name, _ in registry.menu(t, Role.READER)}
    assert missing == {"follow", "unfollow", "private", "team", "log", "for", "targets"}


async def test_who_may_do_more_than_readers_gets_a_menu_of_their_own_when_they_come(bot: Bot) -> None:
    assert (await bot.says("/start")).menu == "en"
    assert (await bot.says("/start")).menu is None
    await bot.pair(BORIS, Role.READER)
    assert [(chat.peer.kind, chat.peer.id) for chat in await bot.own_menus()] == [(PeerKind.USER, ANNA)]


@pytest.mark.parametrize("typed", ["mute", "/mute", "Mute"])
async def test_help_on_a_command_shows_how_it_is_used(bot: Bot, typed: str) -> None:
    await bot.pair()
    shown = text(await bot.says(f"/help {typed}"))
    assert "/mute @name 8h – no alerts from a channel, or on a topic" in shown
    assert "/mute outages @name until Monday" in shown


async def test_help_on_what_is_no_command_says_what_was_probably_meant(bot: Bot) -> None:
    await bot.pair()
    assert text(await bot.says("/help muet")) == "There is no command /muet. Did you mean /mute?"
    for asked in ("/help dossier", "/dossiers"):
        line, *found = text(await bot.says(asked)).splitlines()
        assert line.startswith("There is no command /dossier")
        assert any(each.startswith("/cases") for each in found)
    chart = text(await bot.says("/help chart"))  # is nearly «start»
    assert ("Did you mean" in chart, "/stats" in chart) == (False, True)
