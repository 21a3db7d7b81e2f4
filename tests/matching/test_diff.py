import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.matching.similarity.diff import Weight, changed_places, fingerprint, weigh
from bot.matching.words.tokens import analyse
from bot.text.markup import Text


def written(text: Text) -> str:
    """Write a passage with its formatting: `**inserted**`."""
    words, entities = text.build()
    raw = words.encode("utf-16-le")
    marks = {"bold": "**"}
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


def passages(before: str, after: str) -> list[tuple[str, str]]:
    return [(written(place.now), place.before) for place in changed_places(before, after)]


@pytest.mark.parametrize(
    ("before", "after", "now", "was"),
    [
        ("Сбой в банке", "Сбой в вузе", "Сбой в **вузе**", "Сбой в банке"),
        ("Сбой в банке", "Сбой", "Сбой", "Сбой в банке"),
        ("Сбой", "Сбой, но всё работает", "Сбой**, но всё работает**", ""),
        ("Отказ в банке", "Сбой в банке", "**Сбой** в банке", "Отказ в банке"),
        ("Да, так", "Да. так", "Да**.** так", "Да, так"),
        ("🙂 Сбой 🙂", "🙂 Отказ 🙂", "🙂 **Отказ** 🙂", "🙂 Сбой 🙂"),
        ("", "Сбой", "**Сбой**", ""),
        ("Сбой", "", "", "Сбой"),
        ("**Сбой** <b>", "**Сбой** <i>", "**Сбой** <**i**>", "**Сбой** <b>"),
        ("Утро. Погиб один. Вечер.", "Утро. Погибли двое. Вечер.", "**Погибли двое**.", "Погиб один."),
        ("Утро. Погиб один. Вечер.", "Утро. Вечер.", "Вечер.", "Погиб один."),
        ("Утро.\nВечер.", "Утро.\nДень.\nВечер.", "**День.**", ""),
    ],
)
def test_a_passage_is_shown_as_it_is_and_as_it_was(before: str, after: str, now: str, was: str) -> None:
    assert passages(before, after) == [(now, was)]


def test_equal_texts_have_no_changed_passage() -> None:
    assert changed_places("Сбой", "Сбой") == []


def test_of_long_sentences_some_words_beside_the_change_are_shown() -> None:
    long = "слово за словом " * 30
    found = passages(f"{long}было {long}конец", f"{long}стало {long}финал")
    assert [(now.startswith("… "), was.startswith("… ")) for now, was in found] == [(True, True)] * 2
    assert "словом **стало** слово" in found[0][0]
    assert found[0][0].endswith(" …")
    assert found[1][0].endswith("словом **финал**")
    assert found[1][1].endswith("словом конец")
    assert sum(len(now) + len(was) for now, was in found) < 600


@pytest.mark.parametrize(
    ("old", "new"), [("2 человека", "20 человек"), ("в Твери", "в Саратове"), ("до 5 марта", "до мая")]
)
def test_numbers_and_names_that_changed_come_first(old: str, new: str) -> None:
    between = "Подробности сообщим позже, когда закончится проверка. " * 5
    before, after = (f"Авария утром. {between}Пострадали {each}." for each in (old, new))
    after = after.replace("утром", "вечером")
    first, second = passages(before, after)
    assert (first[1], second[1]) == (f"Пострадали {old}.", "Авария утром.")
    assert second[0] == "Авария **вечером**."


def test_each_sentence_stands_beside_what_it_was() -> None:
    before = "Погибли 2 человека, ранены 14. Губернатор прибыл на место. Дорога закрыта до 18:00."
    after = "Погибли 3 человека, ранены 20. Губернатор уехал. Дорога открыта."
    assert passages(before, after) == [
        ("Погибли **3** человека, ранены **20**.", "Погибли 2 человека, ранены 14."),
        ("Дорога **открыта**.", "Дорога закрыта до 18:00."),
        ("Губернатор **уехал**.", "Губернатор прибыл на место."),
    ]


def test_a_text_written_anew_is_shown_as_two_and_not_as_confetti() -> None:
    before, after = (" ".join(f"общее {kind}{n}" for n in range(200)) for kind in ("старое", "новое"))
    assert len(passages(before, after)) == 1


@pytest.mark.parametrize(
    ("before", "after"), [("да нет " * 500, "нет да да " * 400), ("а " * 2000, "б а " * 1000), ("а" * 4000, "б" * 4000)]
)
def test_no_text_takes_long_to_compare(before: str, after: str) -> None:
    started = time.process_time()
    changed_places(before, after)
    weigh(before, after)
    assert time.process_time() - started < 0.5


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_two_texts_can_be_compared(before: str, after: str) -> None:
    for place in changed_places(before, after):
        text, entities = place.now.build()
        length = len(text.encode("utf-16-le", "surrogatepass")) // 2
        assert all(0 <= entity.offset < entity.offset + entity.length <= length for entity in entities)
    assert weigh(before, before) is Weight.NONE
    weigh(before, after)


def test_a_fingerprint_is_that_of_the_words_and_of_a_text_without_words_the_text() -> None:
    assert fingerprint(analyse("Сбой в банке!")) == fingerprint(analyse("СБОЙ\nв банке 🙂"))
    assert fingerprint(analyse("Сбой в банке")) != fingerprint(analyse("Сбой в вузе"))
    assert fingerprint(analyse("🙂")) != fingerprint(analyse("🙃"))
