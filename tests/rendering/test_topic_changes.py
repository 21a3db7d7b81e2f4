"""What is different of a topic: the query whole while it is short, with what is new in bold, and the words left out."""

import pytest

from bot.locales import translator
from bot.models.topics import TopicState
from bot.rendering.topic_changes import show_topic_change

LONG = " | ".join(f"слово{number}" for number in range(200))


def state(query: str = "банк", *, limits: tuple[str, ...] = (), excluded: tuple[str, ...] = ()) -> TopicState:
    return TopicState(query=query, limits=limits, excluded=excluded)


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        (state(), state(), [""]),
        (state(), state("банк|касса"), ["was: банк", "now: банк|касса"]),
        (state("банк\nсбой"), state("банк"), ["was: банк сбой", "now: банк"]),
        (state(), state(limits=("Регуляторы",)), ["was: банк", "now: банк in:Регуляторы"]),
        (state(), state(excluded=("а", "б")), ["Now left out in all chats: а, б"]),
        (state(excluded=("а", "б")), state(excluded=("б",)), ["No longer left out in all chats: а"]),
    ],
)
def test_each_difference_stands_on_a_line(before: TopicState, after: TopicState, lines: list[str]) -> None:
    text, _ = show_topic_change(before, after, translator("en")).build()
    assert text.splitlines() == [line for line in lines if line]


def test_what_is_new_is_bold_in_both() -> None:
    text, entities = show_topic_change(state("банк сбой"), state("банк|касса сбой"), translator("en")).build()
    assert [text[each.offset : each.offset + each.length] for each in entities] == ["|касса"]


def test_of_a_long_query_the_changed_places_are_shown() -> None:
    text, _ = show_topic_change(state(LONG), state(LONG.replace("слово100 ", "другое ")), translator("en")).build()
    assert "другое" in text
    assert "слово100" in text
    assert "слово0 " not in text
    assert len(text) < 500
