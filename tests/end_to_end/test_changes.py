"""Alerts follow their posts: over TCP, from the channel's edit to the phone."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from telethon.tl import types

from bot.sandbox import Channel
from bot.store import posts
from tests.kit import states
from tests.kit_service import Person, Service, link_of, running_service

DOWN = "Сайт банка недоступен: массовый сбой в работе приложения."
UP = "Сайт банка снова работает: массовый сбой устранён."


@asynccontextmanager
async def reading(
    folder: Path, *, channels: Sequence[str] = ("Agency",)
) -> AsyncIterator[tuple[Service, Person, list[Channel]]]:
    """Bring an owner who follows these channels."""
    async with running_service(folder) as service:
        world = service.sandbox.world
        followed = [world.add_channel(name, username=name.lower(), members=[service.reader]) for name in channels]
        yield service, await service.owner(follows=followed), followed


def styled(message: types.Message, kind: type) -> list[str]:
    return [words for entity, words in message.get_entities_text() if isinstance(entity, kind)]


async def test_an_edit_of_the_words_edits_the_alert_and_a_reply_shows_the_difference(tmp_path: Path) -> None:
    async with reading(tmp_path) as (_, owner, (channel,)):
        post = channel.post(DOWN)
        alert = await owner.alert("недоступен")
        channel.edit(post.id, UP)
        edited = await owner.edit("снова работает")
        assert edited.id == alert.id
        assert "edited" in edited.message
        assert link_of(edited) == link_of(alert)
        reply = await owner.reply("снова работает")
        assert reply.reply_to.reply_to_msg_id == alert.id
        assert reply.silent  # the alert has just rung
        assert "\nbefore: " in reply.message
        assert "недоступен" in reply.message.partition("\nbefore: ")[2]
        assert "снова работает" in styled(reply, types.MessageEntityBold)
        assert styled(reply, types.MessageEntityTextUrl) == ["Agency"]
        assert len(owner.alerts) == 1


async def test_a_post_that_is_gone_is_told_with_its_words(tmp_path: Path) -> None:
    async with reading(tmp_path) as (_, owner, (channel,)):
        post = channel.post(DOWN)
        alert = await owner.alert("недоступен")
        channel.delete(post.id)
        edited = await owner.edit("Deleted, Telegram told us")
        assert edited.id == alert.id
        assert DOWN in edited.message
        reply = await owner.reply("Deleted, Telegram told us")
        assert reply.reply_to.reply_to_msg_id == alert.id
        assert DOWN in reply.message
        answer = await owner.asks(f"/post https://t.me/agency/{post.id}")
        assert "Deleted, Telegram told us" in answer.message
        assert DOWN in answer.message


async def test_a_typo_only_edits_the_alert_unless_the_chat_wants_all(tmp_path: Path) -> None:
    async with reading(tmp_path) as (_, owner, (channel,)):
        post = channel.post("Масовый сбой, сайт банка не работаит.")
        await owner.alert("Масовый сбой")
        channel.edit(post.id, "Масовый сбой, сайт банка не работает!")
        await owner.edit("не работает!")
        assert "● All" in [b.text for row in (await owner.asks("/edits all")).buttons for b in row]
        channel.edit(post.id, "Масовый сбой, сайт банка не работает.")
        reply = await owner.reply("работает")
        assert reply.silent
        assert owner.replies == [reply]


async def test_a_chat_that_wants_no_replies_still_has_its_alerts_edited(tmp_path: Path) -> None:
    async with reading(tmp_path) as (_, owner, (channel,)):
        await owner.asks("/edits none")
        post = channel.post(DOWN)
        await owner.alert("недоступен")
        channel.edit(post.id, UP)
        await owner.edit("снова работает")
        channel.delete(post.id)
        await owner.edit("Deleted, Telegram told us")
        assert owner.replies == []


async def test_the_same_text_posted_again_joins_the_alert_which_then_names_both(tmp_path: Path) -> None:
    async with reading(tmp_path, channels=("Agency", "Ministry")) as (_, owner, (agency, ministry)):
        post = agency.post(DOWN)
        alert = await owner.alert("недоступен")
        again = ministry.post(f"{DOWN.upper()}!")
        edited = await owner.edit("Also in @ministry")
        assert edited.id == alert.id
        assert link_of(edited) == f"https://t.me/agency/{post.id}"
        links = [entity.url for entity in edited.entities if isinstance(entity, types.MessageEntityTextUrl)]
        assert links[-1] == f"https://t.me/ministry/{again.id}"
        agency.post("Конец: сбой устранён, сайт работает.")
        await owner.alert("Конец")
        assert len(owner.alerts) == 2
        ministry.edit(again.id, UP)
        assert (await owner.reply("снова работает")).reply_to.reply_to_msg_id == alert.id


async def test_an_album_alerts_once_and_follows_the_edit_of_its_caption(tmp_path: Path) -> None:
    async with reading(tmp_path) as (service, owner, (channel,)):
        media = service.sandbox.world.media
        album = channel.album([media.photo(b"one"), media.photo(b"two")], DOWN)
        alert = await owner.alert("недоступен")
        channel.edit(album[1].id, media=media.photo(b"three"))
        channel.edit(album[0].id, UP)
        assert (await owner.reply("снова работает")).reply_to.reply_to_msg_id == alert.id
        channel.delete(album[1].id)
        channel.post("Конец: сбой устранён, сайт работает.")
        await owner.alert("Конец")
        answer = await owner.asks(f"/post https://t.me/agency/{album[1].id}?single")
        assert UP in answer.message
        assert "1 of 2 items · Deleted, Telegram told us" in answer.message
        assert "Only the formatting or the media changed" in answer.message
        assert (len(owner.alerts), len(owner.replies)) == (2, 1)


@pytest.mark.parametrize("hidden", [True, False], ids=["never edited by hand", "edited before"])
async def test_counters_and_reactions_make_no_version_and_no_alert(tmp_path: Path, *, hidden: bool) -> None:
    async with reading(tmp_path) as (service, owner, (channel,)):
        post = channel.post(DOWN)
        await owner.alert("недоступен")
        if not hidden:
            channel.edit(post.id, UP)
            await owner.reply("снова работает")
        before = len(owner.heard), len(owner.edited)
        channel.set_views(post.id, 90_000)
        channel.react(post.id, "👍", 7)
        channel.post("Вечером: новый сбой, сайт не работает.")
        await owner.alert("Вечером")
        assert (len(owner.heard), len(owner.edited)) == (before[0] + 1, before[1])
        async with service.archive() as db:
            assert len(await posts.versions(db, channel.id, post.id)) == (1 if hidden else 2)
            assert len(await states(db, "reply")) == (0 if hidden else 1)


async def test_a_change_while_the_service_is_down_is_told_once_it_is_back(tmp_path: Path) -> None:
    async with reading(tmp_path) as (service, owner, (channel,)):
        first, second = channel.post(DOWN), channel.post("Интернет отключён: сбой у оператора связи.")
        await owner.count(2)
        await service.stop()
        channel.edit(first.id, UP)
        channel.delete(second.id)
        await service.start()
        await owner.reply("снова работает")
        await owner.reply("Интернет отключён")
        assert (len(owner.alerts), len(owner.replies)) == (2, 2)
