"""A topic from its first try to its alerts, with a person's ordinary client."""

import pytest
from telethon import events
from telethon.tl import types as tl

from bot.matching.topics import TopicError
from tests.kit_bot import Events
from tests.kit_service import Person, Service


def bold(message: tl.Message) -> list[str]:
    return [words for entity, words in message.get_entities_text() if isinstance(entity, tl.MessageEntityBold)]


async def replies(person: Person, words: str, to: tl.Message) -> tl.Message:
    """Answer a message, and return what the bot says to that."""
    before = len(person.heard)
    await person.client.send_message(to.chat_id, words, reply_to=to.id)
    await person.until(lambda: len(person.heard) > before)
    return person.heard[before]


async def test_a_topic_is_tried_saved_alerted_and_explained(service: Service) -> None:
    channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
    owner = await service.owner(follows=[channel])
    channel.post("Сбой: сайт банка недоступен.")
    await owner.alert("сайт банка")  # it is stored by now
    edited = Events(owner.client, events.MessageEdited())

    tried = await owner.asks("/test касса|банк ~3 сайт")
    assert "it would have triggered 1 alert" in tried.message
    assert {"сайт", "банка"} <= set(bold(tried))
    shown = await owner.asks("/track Кассы: касса -учения")
    assert "it would have triggered 0 alerts" in shown.message
    await shown.click(text="Save")
    assert (await edited.next()).raw_text.startswith("This chat now gets alerts on Кассы.")

    channel.post("Кассы вокзала закрыты, очередь на улице.")
    alert = await owner.alert("вокзала")
    assert alert.message.startswith("Кассы · Agency")
    explained = await replies(owner, "/explain", alert)
    assert "✅ Кассы: Кассы" in explained.message.splitlines()
    assert "▫️ Internet shutdowns: " in explained.message
    assert "excluded by: очередь" in (await replies(owner, "/explain касса -очередь", alert)).message
    assert len(owner.alerts) == 2


async def test_a_forwarded_post_is_explained(service: Service) -> None:
    other = service.sandbox.world.add_channel("Elsewhere", username="elsewhere")
    owner = await service.owner()
    other.join(owner.account)
    post = other.post("Сбой: сайт банка недоступен.")
    (forwarded,) = await owner.client.forward_messages("newsroom_bot", [post.id], "elsewhere")
    await owner.until(lambda: "This is from Elsewhere" in owner.heard[-1].message)
    explained = await replies(owner, "/test сайт ~2 касса", forwarded)
    assert "It does not match." in explained.message
    assert "not found: касса" in explained.message


async def test_a_topic_in_a_file_of_their_own_is_switched_on_and_alerts(service: Service) -> None:
    channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
    owner = await service.owner(follows=[channel])
    await service.stop()
    folder = service.settings.data_dir / "topics"
    (folder / "Топливо.toml").write_text('query = "бензин"\nmatches = ["Нет бензина"]', encoding="utf-8")
    await service.start()
    assert "now gets alerts on Топливо" in (await owner.asks("/track топливо")).message
    channel.post("Бензина на заправке нет.")
    assert (await owner.alert("заправке")).message.startswith("Топливо · Agency")

    await service.stop()
    (folder / "Топливо.toml").write_text('query = "бензин"\nmatches = ["Нет солярки"]', encoding="utf-8")
    with pytest.raises(TopicError, match=r"^Топливо\.toml, line 2: the query does not find “Нет солярки”"):
        await service.start()
    (folder / "Топливо.toml").unlink()
    await service.start()
    assert "No more alerts" in (await owner.asks("/untrack Топливо")).message


async def test_a_chat_keeps_the_old_query_of_a_shared_topic_after_a_restart(service: Service) -> None:
    channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
    owner = await service.owner(follows=[channel])
    anna = await service.invited("Anna")
    await (await owner.asks("/track Кассы: касса")).click(text="Save")
    await owner.edit("now gets alerts on Кассы")
    await anna.asks("/track Кассы")
    shown = await owner.asks("/track Кассы: очередь")
    assert "1 other chat uses it: Anna" in shown.message
    await shown.click(text="Change for everybody")
    await owner.edit("Кассы has been changed.")
    notice = await anna.message("changed the topic «Кассы»")
    assert notice.message.splitlines()[1:] == ["was: касса", "now: очередь"]
    assert bold(notice) == ["касса", "очередь"]

    await service.stop()
    await service.start()
    await notice.click(text="Keep the old one for us")
    await anna.edit("Кассы (Anna)")
    channel.post("Кассы вокзала закрыты.")
    assert (await anna.alert("вокзала")).message.startswith("Кассы (Anna) · Agency")
    channel.post("Очередь на почте.")
    assert (await owner.alert("почте")).message.startswith("Кассы · Agency")
    assert (len(anna.alerts), len(owner.alerts)) == (1, 1)
