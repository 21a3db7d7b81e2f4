"""A word that one chat excludes from a topic keeps posts from that chat alone, whatever becomes of the post."""

from datetime import timedelta

import pytest

from bot.matching.engine.compiled import Compiled, packed, verify
from bot.matching.words.tokens import analyse
from bot.models import Post
from bot.store import exclusions, subscriptions, topics
from bot.store.database import Transaction
from bot.store.exclusions import ExcludedWord
from tests.kit_archive import NOON, Archive, compiled, post


@pytest.fixture
async def newsroom(archive: Archive) -> Archive:
    """Two chats get a topic; the first excludes «учения» from it."""
    await archive.follow()
    first, second = await archive.pair(501), await archive.pair(502)
    topic = await archive.track(first, "Сбои", "сбой")
    word = ExcludedWord(topic_id=topic.id, word="учения", compiled=compiled("учения").to_json())
    await archive.db.write(lambda tx: subscriptions.subscribe(tx, second.id, topic.id, now=NOON))
    await archive.db.write(lambda tx: exclusions.add(tx, first.id, word))
    return archive


async def alerted(archive: Archive, *posts: Post) -> list[int]:
    """Return the people who get alerts, or more of them, when posts come."""
    before = {(each.chat.peer.id, each.post_key, each.label) for each in await archive.outbox()}
    await archive.live(*posts)
    after = [(each.chat.peer.id, each.post_key, each.label) for each in await archive.outbox()]
    return [each[0] for each in after if each not in before and each[2] == "alert"]


def edited(text: str) -> Post:
    return post(1, text, edit_date=NOON + timedelta(minutes=1))


async def test_it_holds_in_that_chat_alone_and_in_any_form(newsroom: Archive) -> None:
    assert await alerted(newsroom, post(1, "Сбой на учениях")) == [502]
    assert await alerted(newsroom, post(2, "Сбой на матче")) == [501, 502]


async def test_a_post_that_loses_the_word_is_news_to_the_chat_that_excludes_it(newsroom: Archive) -> None:
    assert await alerted(newsroom, post(1, "Сбой на учениях")) == [502]
    assert await alerted(newsroom, edited("Сбой на параде")) == [501]


async def test_a_post_that_never_fitted_before_is_news_to_the_others_alone(newsroom: Archive) -> None:
    assert await alerted(newsroom, post(1, "Идут учения")) == []
    assert await alerted(newsroom, edited("Идут учения: сбой")) == [502]


async def test_a_word_that_comes_by_an_edit_takes_no_alert_away(newsroom: Archive) -> None:
    assert await alerted(newsroom, post(1, "Сбой связи")) == [501, 502]
    assert await alerted(newsroom, edited("Сбой связи: учения")) == []


async def test_it_ends_when_it_is_taken_back(newsroom: Archive) -> None:
    chat = await newsroom.pair(501)
    (word,) = await exclusions.of_chat(newsroom.db, chat.id)
    await newsroom.db.write(lambda tx: exclusions.remove(tx, chat.id, word))
    assert await alerted(newsroom, post(1, "Сбой на учениях")) == [501, 502]


async def test_each_word_is_compiled_once_and_goes_with_its_topic(newsroom: Archive) -> None:
    (topic,) = await topics.all_topics(newsroom.db)
    chat = await newsroom.pair(502)
    word = ExcludedWord(topic_id=topic.id, word="учения", compiled=compiled("учения").to_json())
    await newsroom.db.write(lambda tx: exclusions.add(tx, chat.id, word))
    assert list(await exclusions.all_words(newsroom.db)) == ["учения"]
    await newsroom.db.write(lambda tx: topics.delete(tx, topic.id))
    assert await exclusions.all_words(newsroom.db) == {}


@pytest.mark.parametrize("query", ["сбой", "сбой, авария", "(сбой, авария) -матч", "head: сбой"])
def test_a_query_without_words_finds_what_a_chat_that_excludes_them_gets(query: str) -> None:
    whole, words = compiled(query), [compiled(word) for word in ("учения", "парад")]
    left = whole.without(words)
    for text in ("Сбой", "Сбой на учениях", "Сбой\n\nПарад", "Сбой на матче", "Авария"):
        document = analyse(text)
        is_excluded = any(verify(word, document) for word in words)
        assert (verify(left, document) is not None) == (verify(whole, document) is not None and not is_excluded)
    function, arguments = packed(whole.to_json(), [word.to_json() for word in words]).__reduce__()  # type: ignore[misc]
    assert isinstance(there := function(*arguments), Compiled)  # type: ignore[operator]
    assert there.query == left.query


async def test_a_chat_that_moves_to_a_topic_of_its_own_at_this_moment_misses_nothing(newsroom: Archive) -> None:
    assert await alerted(newsroom, post(1, "Сбой на матче")) == [501, 502]
    chat = await newsroom.pair(502)

    async def move(tx: Transaction) -> None:
        old = await topics.find(tx, "Сбои")
        assert old is not None
        own = await topics.save(tx, name="Сбои (2)", query="сбой", compiled=old.compiled, now=NOON)
        await subscriptions.move(tx, chat.id, old, own)
        tx.announced.clear()  # no news of it has come when the next post does

    await newsroom.db.write(move)
    assert await alerted(newsroom, post(2, "Сбой в метро")) == [501, 502]
