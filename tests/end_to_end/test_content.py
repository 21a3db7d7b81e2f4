from datetime import UTC, datetime
from pathlib import Path

import pytest
from telethon.tl import types

from bot.store import posts
from tests.kit_service import Service, running_service

DATE = datetime(2024, 5, 6, 12, 0, tzinfo=UTC)
NOISE = "Министр принял посла, обсудили торговлю."


def poll(question: str, *answers: str) -> types.MessageMediaPoll:
    found = [types.PollAnswer(types.TextWithEntities(text, []), bytes([number])) for number, text in enumerate(answers)]
    return types.MessageMediaPoll(
        types.Poll(10, types.TextWithEntities(question, []), found, 0), types.PollResults(total_voters=0)
    )


def page(title: str | None) -> types.MessageMediaWebPage:
    if title is None:
        return types.MessageMediaWebPage(types.WebPagePending(9, DATE))
    return types.MessageMediaWebPage(types.WebPage(9, "https://e.org/n", "e.org/n", 0, site_name="e.org", title=title))


def bold(message: types.Message) -> list[str]:
    return [words for entity, words in message.get_entities_text() if isinstance(entity, types.MessageEntityBold)]


async def test_a_poll_is_alerted_with_the_line_that_matched(service: Service) -> None:
    channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
    owner = await service.owner(follows=[channel])
    channel.post(media=poll("Что вы заметили?", "Сайт банка недоступен, сбой", "Ничего"))
    alert = await owner.alert("Poll: Сайт банка недоступен, сбой")
    assert {"Сайт", "недоступен", "сбой"} <= set(bold(alert))
    found = await owner.asks("/search банк недоступен")
    assert "Poll: Сайт банка недоступен, сбой" in found.message


async def test_a_forwarded_poll_is_tried_by_what_its_readers_see(service: Service) -> None:
    channel = service.sandbox.world.add_channel("Elsewhere", username="elsewhere")
    owner = await service.owner()
    channel.join(owner.account)
    post = channel.post(media=poll("Что вы заметили?", "Сбой в банке"))
    (forwarded,) = await owner.client.forward_messages("newsroom_bot", [post.id], "elsewhere")
    await owner.until(lambda: "This is from Elsewhere" in owner.heard[-1].message)
    before = len(owner.heard)
    await owner.client.send_message("newsroom_bot", "/test сбой ~2 банк", reply_to=forwarded.id)
    await owner.until(lambda: len(owner.heard) > before)
    assert "It matches." in owner.heard[-1].message


async def test_a_preview_that_loads_later_is_alerted_once_and_told_where_its_words_change(tmp_path: Path) -> None:
    async with running_service(tmp_path, sweep_interval=0.5) as service:
        channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
        owner = await service.owner(follows=[channel])
        post = channel.post("Читайте: https://e.org/n", media=page(None))
        channel.edit(post.id, media=page("Массовый сбой: сайты банков не работают"))
        alert = await owner.alert("Link preview: Массовый сбой")
        assert "edited" not in alert.message
        channel.edit(post.id, media=page("Массовый сбой: сайты банков не работают второй час"), push=False)
        channel.post(f"Конец. {NOISE} Сбой: сайт не работает.", push=False)
        await owner.alert("Конец")
        assert (await owner.reply("второй час")).reply_to.reply_to_msg_id == alert.id
        assert "второй час" in (await owner.asks("/search второй час")).message
        assert len(owner.alerts) == 2
        async with service.archive() as db:
            assert len(await posts.versions(db, channel.id, post.id)) == 2
        answer = await owner.asks(f"/post https://t.me/agency/{post.id}")
        assert (
            "Link preview: Массовый сбой: сайты банков не работают второй час" in answer.message.partition("Edited")[2]
        )


@pytest.mark.parametrize(("push", "interval"), [(True, 60.0), (False, 0.3)])
async def test_a_preview_of_which_only_the_page_is_told_is_alerted(
    tmp_path: Path, *, push: bool, interval: float
) -> None:
    async with running_service(tmp_path, sweep_interval=interval) as service:
        channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
        owner = await service.owner(follows=[channel])
        post = channel.post("Читайте: https://e.org/n", media=page(None))
        channel.post(f"Начало. {NOISE} Сбой: сайт не работает.")
        await owner.alert("Начало")
        channel.load(post.id, page("Массовый сбой: сайты банков не работают"), push=push)
        await owner.alert("Link preview: Массовый сбой")
        asked = [call.request for call in service.sandbox.calls if call.name == "GetMessages"]
        is_verified = not push and not asked  # where nothing is pushed, the verifying round may come first
        assert [[message.id for message in request.id] for request in asked[:1]] == [[post.id]] or is_verified


async def test_counters_follow_by_the_sweep_without_versions(tmp_path: Path) -> None:
    async with running_service(tmp_path, sweep_interval=0.3) as service:
        channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
        owner = await service.owner(follows=[channel])
        post = channel.post(NOISE)
        channel.set_views(post.id, 90_000)
        channel.react(post.id, "👍", 7, push=False)
        channel.react(post.id, "🌲", 2, push=False)
        channel.post("Конец. Сбой: сайт не работает.", push=False)
        await owner.alert("Конец")
        async with service.archive() as db:
            [stored] = await posts.versions(db, channel.id, post.id)
            assert (stored.views, stored.reactions, stored.number) == (90_000, 9, 1)
