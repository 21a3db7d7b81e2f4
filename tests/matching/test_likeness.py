from datetime import UTC, datetime, timedelta

import pytest

from bot.matching.likeness import Wording, say_the_same
from bot.matching.memory import Memory
from bot.models import Said
from tests.matching import likeness
from tests.matching.detection import SHARED

NOON = datetime(2025, 3, 10, 12, tzinfo=UTC)
HOURS_48 = timedelta(hours=48)
DOWN = "В работе приложения «Заречье Банка» произошёл массовый сбой: клиенты не могут войти и перевести деньги."


@pytest.mark.skipif(not SHARED.exists(), reason=f"the real posts are not here: {SHARED}")
def test_of_the_labelled_pairs_that_join_97_in_100_do_so_rightly() -> None:
    for part in (*likeness.HALVES, None):
        counts = likeness.measured(part)
        assert counts.precision >= 0.97
        assert counts.recall >= 0.6


@pytest.mark.parametrize(
    "other",
    [
        DOWN.upper(),
        f"⚡️ СРОЧНО\n\n{DOWN}\n\nПодписаться на «Город»",
        f"Bank app is down in Zarechye, clients say\n\n{DOWN}",
        DOWN.replace("произошёл массовый сбой", "случился сбой"),
        DOWN.removesuffix("и перевести деньги.") + "в личный кабинет",
        f"{DOWN}\n\nО проблемах пишут 1 200 человек.",
    ],
    ids=["capitals", "header and footer", "translated prefix", "reworded", "shortened", "one line more"],
)
def test_the_same_news_in_another_dress_is_the_same(other: str) -> None:
    assert say_the_same(Wording(DOWN), Wording(other))
    assert say_the_same(Wording(other), Wording(DOWN))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (DOWN, "Минцифры перенесло запуск реестра отечественных программ на следующий год, сообщили в ведомстве."),
        (DOWN, DOWN.replace("«Заречье Банка»", "«Банка Прибой»")),
        ("Telegram не работает у пользователей по всей стране", "WhatsApp не работает у пользователей по всей стране"),
        ("В Саратове отключили мобильный интернет на два дня", "В Тамбове отключили мобильный интернет на два дня"),
        ("Без света остались 1200 домов в посёлке у реки", "Без света остались 3400 домов в посёлке у реки"),
        ("Сбиты восемь дронов, летевших на город ночью", "Сбиты три дрона, летевших на город ночью"),
        ("Связи не будет до вечера вторника, сообщил оператор", "Связи не будет до вечера четверга, сообщил оператор"),
        ("Сайт банка не работает у клиентов в пяти городах", "Сайт банка работает у клиентов в пяти городах"),
        (
            "Портал ведомства недоступен с самого утра, пишут люди",
            "Портал ведомства доступен с самого утра, пишут люди",
        ),
        ("В Орле введён режим тишины в эфире, сказал мэр", "В Орле отменён режим тишины в эфире, сказал мэр"),
        (DOWN, f"{DOWN} Сбой устранён."),
        ("Сбой устранён", "Сбой устранён"),
    ],
    ids=[
        "other news",
        "other bank",
        "other service",
        "other town",
        "figure",
        "count",
        "day",
        "denied",
        "unavailable",
        "lifted",
        "over",
        "too short",
    ],
)
def test_other_news_in_the_same_words_is_not(one: str, other: str) -> None:
    assert not say_the_same(Wording(one), Wording(other))
    assert not say_the_same(Wording(other), Wording(one))


def said(number: int, text: str = DOWN, *, channel: int = 1, hours: float = 0, origin: int | None = None) -> Said:
    return Said(
        channel_id=channel,
        post_key=f"m{number}",
        text=text,
        date=NOON + timedelta(hours=hours),
        origin=(channel, number) if origin is None else (1, origin),
    )


def memory(*posts: Said, most: int = 100) -> Memory:
    made = Memory(within=HOURS_48, most=most)
    for post in posts:
        made.remember(post)
    return made


class TestMemory:
    def test_the_likest_of_other_channels_comes_first(self) -> None:
        longer = f"{DOWN} Пострадали и клиенты других банков, которые переводили деньги туда."
        known = memory(said(1, longer), said(2, channel=2), said(3, channel=3), said(4, "Тихий день", channel=4))
        assert known.alike(said(9, channel=3)) == [(2, "m2"), (1, "m1")]

    @pytest.mark.parametrize(("hours", "found"), [(48, 1), (48.1, 0), (-48, 1), (-48.1, 0)])
    def test_what_was_posted_more_than_48_hours_apart_is_not_compared(self, hours: float, found: int) -> None:
        for post in (said(9, channel=2, hours=hours), said(9, channel=2, hours=hours, origin=1)):
            assert len(memory(said(1)).alike(post)) == found

    def test_forwards_are_known_by_their_origin_whatever_they_say(self) -> None:
        known = memory(said(1, "Сбой"), said(2, "…", channel=2, origin=1))
        assert known.alike(said(3, "", channel=3, origin=1)) == [(1, "m1"), (2, "m2")]
        assert memory(said(3, "", channel=3, origin=1)).alike(said(1, "Сбой")) == [(3, "m3")]

    def test_old_posts_are_dropped_and_so_are_the_oldest_of_too_many(self) -> None:
        known = memory(*(said(n, channel=n, hours=n) for n in range(1, 5)), most=3)
        assert (len(known), known.alike(said(9, channel=9))) == (3, [(2, "m2"), (3, "m3"), (4, "m4")])
        known.forget(NOON + timedelta(hours=4))
        assert (len(known), known.alike(said(9, channel=9))) == (1, [(4, "m4")])

    def test_to_be_told_of_a_post_again_changes_nothing(self) -> None:
        known = memory(said(1), said(1), said(1))
        assert (len(known), known.alike(said(9, channel=9))) == (1, [(1, "m1")])

    def test_a_post_is_known_by_what_it_says_now(self) -> None:
        known = memory(said(1))
        known.reword((1, "m1"), "Банк сообщил, что приложение снова работает у всех клиентов")
        known.reword((1, "m7"), DOWN)
        assert known.alike(said(9, channel=9)) == []
        known.reword((1, "m1"), DOWN)
        known.forget(NOON)
        assert known.alike(said(9, channel=9)) == [(1, "m1")]
