import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.matching.similarity.diff import MOST_CHANGES, Weight, difference, fingerprint, weigh
from bot.matching.words.tokens import analyse
from bot.text.markup import Text


def written(text: Text) -> str:
    """Write a difference with its formatting: `**inserted**`, `~~deleted~~`."""
    words, entities = text.build()
    raw = words.encode("utf-16-le")
    marks = {"bold": "**", "strike": "~~"}
    out, end = "", 0
    for entity in entities:
        start, stop = 2 * entity.offset, 2 * (entity.offset + entity.length)
        mark = marks[entity.kind]
        out += raw[end:start].decode("utf-16-le") + mark + raw[start:stop].decode("utf-16-le") + mark
        end = stop
    return out + raw[end:].decode("utf-16-le")


@pytest.mark.parametrize(
    ("before", "after", "weight"),
    [
        ("Сбой в банке", "Сбой в банке", Weight.NONE),
        ("Сбой в банке", "СБОЙ, в банке!", Weight.SMALL),
        ("Объём растёт", "Объем растет", Weight.SMALL),
        ("Подробнее: https://a.ru/1", "Подробнее: https://a.ru/2", Weight.SMALL),
        ("Сайт не работаит", "Сайт не работает", Weight.SMALL),
        ("Сообщили обанке", "Сообщили о банке", Weight.SMALL),
        ("Сайт недоступен", "Сайт доступен", Weight.WORDS),
        ("Сайт закрыт", "Сайт открыт", Weight.WORDS),
        ("Сайт работает", "Сайт не работает", Weight.WORDS),
        ("Сбой в Ираке", "Сбой в Иране", Weight.WORDS),
        ("Пострадали 12345 человек", "Пострадали 12346 человек", Weight.WORDS),
        ("Доля 5,5 процента", "Доля 55 процента", Weight.WORDS),
        ("Это был сбой", "Это бой", Weight.WORDS),
        ("Сбой", "Сбой. Обновление: всё работает", Weight.WORDS),
        ("работаит плоха связь", "работает плохо связь", Weight.WORDS),
        ("", "Сбой", Weight.WORDS),
        ("🙂", "🙃", Weight.SMALL),
    ],
)
def test_punctuation_and_one_misspelt_word_weigh_little(before: str, after: str, weight: Weight) -> None:
    assert weigh(before, after) is weight
    assert weigh(after, before) is weight


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("Сбой в банке", "Сбой в вузе", "Сбой в ~~банке~~ **вузе**"),
        ("Сбой в банке", "Сбой", "Сбой ~~в банке~~"),
        ("Сбой", "Сбой, но всё работает", "Сбой**, но всё работает**"),
        ("Отказ в банке", "Сбой в банке", "~~Отказ~~ **Сбой** в банке"),
        ("Да, так", "Да. так", "Да~~,~~**.** так"),
        ("🙂 Сбой 🙂", "🙂 Отказ 🙂", "🙂 ~~Сбой~~ **Отказ** 🙂"),
        ("", "Сбой", "**Сбой**"),
        ("Сбой", "", "~~Сбой~~"),
        ("Сбой", "Сбой", "Сбой"),
        ("**Сбой** <b>", "**Сбой** <i>", "**Сбой** <~~b~~ **i**>"),
    ],
)
def test_a_difference_shows_word_by_word_what_went_and_what_came(before: str, after: str, shown: str) -> None:
    assert written(difference(before, after)) == shown


def test_what_has_not_changed_is_shortened_to_some_words_beside_the_change() -> None:
    long = "слово за словом " * 30
    shown = written(difference(f"{long}было {long}конец", f"{long}стало {long}финал"))
    assert shown.startswith("… ")
    assert "словом ~~было~~ **стало** слово" in shown
    assert shown.endswith("словом ~~конец~~ **финал**")
    assert len(shown) < 400


def test_a_text_written_anew_is_shown_as_two_and_not_as_confetti() -> None:
    before, after = (" ".join(f"общее {kind}{n}" for n in range(200)) for kind in ("старое", "новое"))
    entities = difference(before, after).build()[1]
    assert len(entities) <= 2 * MOST_CHANGES


@pytest.mark.parametrize(
    ("before", "after"), [("да нет " * 500, "нет да да " * 400), ("а " * 2000, "б а " * 1000), ("а" * 4000, "б" * 4000)]
)
def test_no_text_takes_long_to_compare(before: str, after: str) -> None:
    started = time.process_time()
    difference(before, after)
    weigh(before, after)
    assert time.process_time() - started < 0.5


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_two_texts_can_be_compared(before: str, after: str) -> None:
    text, entities = difference(before, after).build()
    length = len(text.encode("utf-16-le", "surrogatepass")) // 2
    assert all(0 <= entity.offset < entity.offset + entity.length <= length for entity in entities)
    assert weigh(before, before) is Weight.NONE
    weigh(before, after)


def test_a_fingerprint_is_that_of_the_words_and_of_a_text_without_words_the_text() -> None:
    assert fingerprint(analyse("Сбой в банке!")) == fingerprint(analyse("СБОЙ\nв банке 🙂"))
    assert fingerprint(analyse("Сбой в банке")) != fingerprint(analyse("Сбой в вузе"))
    assert fingerprint(analyse("🙂")) != fingerprint(analyse("🙃"))
