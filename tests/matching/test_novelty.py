"""Posts of a storm: of the event that it is about, or of another one."""

import pytest

from bot.matching.similarity.novelty import is_new_event

BANK = (
    "Заречье Банк не работает: клиенты жалуются на сбой приложения и терминалов",
    "Сбой у Заречье Банка: приложение не открывается, терминалы не проводят платежи",
)


@pytest.mark.parametrize(
    ("text", "is_new"),
    [
        ("В приложении Заречье Банка сбой продолжается второй час, терминалы молчат", False),
        ("Клиенты банка не могут оплатить покупки: сбой терминалов", False),
        ("Аэропорт закрыт для прилётов: сбой диспетчерской системы, рейсы задерживаются", True),
        ("Zarechye airport is closed: a radar outage delays all flights", True),
        ("Сбой!", False),
    ],
)
def test_another_event_shares_few_words(text: str, *, is_new: bool) -> None:
    start = text.casefold().find("сбой")
    spans = ((start, start + 4),) if start >= 0 else ()
    assert is_new_event(text, spans, BANK) is is_new


@pytest.mark.parametrize(
    ("text", "is_new"),
    [
        ("Портал госуслуг не работает: сбой авторизации", True),
        ("Сбой приложения банка: терминалы не работают", False),
        ("Сбой, не работает", False),
    ],
)
def test_a_headline_that_is_all_on_its_topic_is_compared_by_these_words(text: str, *, is_new: bool) -> None:
    assert is_new_event(text, ((0, len(text)),), BANK) is is_new
