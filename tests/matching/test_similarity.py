from datetime import UTC, datetime, timedelta
from time import process_time

import pytest

from bot.matching.similarity.compare import SHARE, SHARE_SOON, SOON, jaccard, say_the_same
from bot.matching.similarity.features import Features
from bot.matching.similarity.index import SimilarityIndex
from bot.models import ComparedPost
from tests.matching import likeness
from tests.matching.detection import SHARED

NOON = datetime(2025, 3, 10, 12, tzinfo=UTC)
HOURS_48 = timedelta(hours=48)
DOWN = "В работе приложения «Заречье Банка» произошёл массовый сбой: клиенты не могут войти и перевести деньги."

STREETS = "Отключение электроэнергии по адресам:\n{}\nПриносим извинения за неудобства. Следите за нашими новостями."
CLOSED = "Введены временные ограничения на приём и выпуск самолётов. Это нужно для безопасности полётов."
ENTER = "Клиенты по всей стране не могут войти в приложение и перевести деньги."


@pytest.mark.skipif(not SHARED.exists(), reason=f"the real posts are not here: {SHARED}")
def test_of_the_labelled_pairs_that_join_97_in_100_do_so_rightly() -> None:
    for part in (*likeness.HALVES, None):
        counts = likeness.measured(part)
        assert counts.precision >= 0.97
        assert counts.recall >= 0.68


@pytest.mark.parametrize(
    "other",
    [
        DOWN.upper(),
        f"⚡️ СРОЧНО\n\n{DOWN}\n\nПодписаться на «Город»",
        f"Bank app is down in Zarechye, clients say\n\n{DOWN}",
        DOWN.replace("произошёл массовый сбой", "случился сбой"),
        DOWN.removesuffix("и перевести деньги.") + "в личный кабинет",
        f"{DOWN}\n\nО проблемах пишут 1 200 человек.",
        f"{DOWN}\n\nСпециалисты ведут ремонт, восстановить работу обещают к вечеру.",
        f"{DOWN} @herald",
        f"Заречье. {DOWN}\nПрислать новость | Наш канал в MAX",
    ],
    ids=[
        "capitals",
        "header and footer",
        "translated prefix",
        "reworded",
        "shortened",
        "one line more",
        "an end to come",
        "signed by a mention",
        "town before, signs after",
    ],
)
def test_the_same_news_in_another_dress_is_the_same(other: str) -> None:
    assert say_the_same(Features(DOWN), Features(other))
    assert say_the_same(Features(other), Features(DOWN))


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
        (STREETS.format("ул. Ленина, 5, 7\nул. Мира, 12"), STREETS.format("ул. Гагарина, 3\nул. Садовая, 8")),
        (STREETS.format("ул. Ленина, 5, 7"), STREETS.format("ул. Ленина, 5, 7\nул. Садовая, 8\nул. Победы, 1")),
        (f"Калуга (Грабцево)\n\n{CLOSED}", f"Саратов (Гагарин)\n\n{CLOSED}"),
        ("Полёты ограничены в аэропорту Калуги до утра", "Полёты ограничены в аэропорту Калуги и Пскова до утра"),
        ("Аэропорт Внуково закрыт для всех рейсов, сказал мэр", "Аэропорт Внуково открыт для всех рейсов, сказал мэр"),
        ("в саратове отключили интернет, пишут жители в сети", "в тамбове отключили интернет, пишут жители в сети"),
        ("Связи нет в Краснодаре, сообщают жители города", "Связи нет в Красноярске, сообщают жители города"),
        (
            "Завтра не будет горячей воды в доме у реки весь день",
            "Завтра не будет холодной воды в доме у реки весь день",
        ),
        ("Работы у оператора идут до конца июня, сказал мэр", "Работы у оператора идут до конца августа, сказал мэр"),
        ("Началась вторая волна отключений в крае, сказал мэр", "Началась третья волна отключений в крае, сказал мэр"),
        ("Графік відключень на завтра: черга 1.1 з 8 до 12", "Графік відключень на завтра: черга 2.1 з 8 до 12"),
        ("Сайт prichal.ru недоступен с утра, пишут люди", "Сайт zarechye.ru недоступен с утра, пишут люди"),
        (f"Сбой у Заречья, пишет @herald\n{ENTER}", f"Сбой у Прибоя, пишет @herald\n{ENTER}"),
        ("The bank's app is down for thousands of users", "The bank's app is back up for thousands of users"),
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
        "streets on lines of their own",
        "a list that goes on",
        "a town for a heading",
        "one more town",
        "open again",
        "town in small letters",
        "towns that begin alike",
        "hot and cold",
        "month",
        "ordinal",
        "queue",
        "site",
        "a mention in the news",
        "back",
    ],
)
def test_other_news_in_the_same_words_is_not(one: str, other: str) -> None:
    assert not say_the_same(Features(one), Features(other))
    assert not say_the_same(Features(other), Features(one))


def test_a_number_in_words_is_the_number_in_figures() -> None:
    text = "Без света остались {} домов и {} жителей посёлка у реки, сообщили в районе."
    words = Features(text.format("сорок", "три тысячи"))
    assert say_the_same(words, Features(text.format(40, "3 тыс.")))
    assert not say_the_same(words, Features(text.format(30, "3 тыс.")))


def test_however_long_and_monotonous_posts_are_they_are_compared_soon() -> None:
    one, other = Features("сбой " * 1_300 + "днём"), Features("сбой " * 1_300 + "ночью")
    began = process_time()
    say_the_same(one, other)
    assert process_time() - began < 1.0  # s; it took minutes


def test_soon_after_each_other_less_likeness_is_enough_unless_the_later_post_adds_as_much_again() -> None:
    more = f"""{DOWN} Банкоматы наличные выдают, карты в магазинах проходят, на вокзалах очереди к кассам. Поддержка
        просит подождать до вечера и не переустанавливать приложение, деньги на счетах в сохранности."""
    longer, longest = Features(more), Features(f"{more} Банк открылся в прошлом году, клиентов мало.")
    short = Features(DOWN)
    assert SHARE_SOON < jaccard(short.shingles, longest.shingles) < jaccard(short.shingles, longer.shingles) < SHARE
    late = SOON + timedelta(seconds=1)
    assert say_the_same(short, longer, apart=SOON)
    assert not say_the_same(short, longer, apart=late)
    assert say_the_same(longest, short, apart=SOON)
    assert not say_the_same(short, longest, apart=SOON)


def post(
    number: int, text: str = DOWN, *, channel: int = 1, hours: float = 0, origin: int | None = None
) -> ComparedPost:
    return ComparedPost(
        channel_id=channel,
        post_key=f"m{number}",
        text=text,
        date=NOON + timedelta(hours=hours),
        origin=(channel, number) if origin is None else (1, origin),
    )


def index_of(*posts: ComparedPost, most: int = 100) -> SimilarityIndex:
    made = SimilarityIndex(within=HOURS_48, most=most)
    for post in posts:
        made.add(post)
    return made


class TestMemory:
    def test_the_likest_of_other_channels_comes_first(self) -> None:
        longer = f"{DOWN} Пострадали и клиенты других банков, которые переводили деньги туда."
        known = index_of(post(1, longer), post(2, channel=2), post(3, channel=3), post(4, "Тихий день", channel=4))
        assert known.similar(post(9, channel=3)) == [(2, "m2"), (1, "m1")]

    @pytest.mark.parametrize(("hours", "found"), [(48, 1), (48.1, 0), (-48, 1), (-48.1, 0)])
    def test_what_was_posted_more_than_48_hours_apart_is_not_compared(self, hours: float, found: int) -> None:
        for other in (post(9, channel=2, hours=hours), post(9, channel=2, hours=hours, origin=1)):
            assert len(index_of(post(1)).similar(other)) == found

    def test_forwards_are_known_by_their_origin_whatever_they_say(self) -> None:
        known = index_of(post(1, "Сбой"), post(2, "…", channel=2, origin=1))
        assert known.similar(post(3, "", channel=3, origin=1)) == [(1, "m1"), (2, "m2")]
        assert index_of(post(3, "", channel=3, origin=1)).similar(post(1, "Сбой")) == [(3, "m3")]

    def test_old_posts_are_dropped_and_so_are_the_oldest_of_too_many(self) -> None:
        known = index_of(*(post(n, channel=n, hours=n) for n in range(1, 5)), most=3)
        assert (len(known), known.similar(post(9, channel=9))) == (3, [(2, "m2"), (3, "m3"), (4, "m4")])
        known.drop_before(NOON + timedelta(hours=4))
        assert (len(known), known.similar(post(9, channel=9))) == (1, [(4, "m4")])

    def test_what_begins_again_after_it_was_over_is_news(self) -> None:
        alarm = "Объявлена ракетная опасность на всей территории области. Просим укрыться в помещениях."
        over = "Отбой: ракетная опасность на всей территории области. Просим сохранять спокойствие."
        known = index_of(post(1, alarm), post(2, over, channel=2, hours=1), post(3, alarm, channel=3, hours=2))
        assert known.similar(post(9, alarm, channel=9, hours=0.5)) == [(1, "m1"), (3, "m3")]
        assert known.similar(post(9, alarm, channel=9, hours=3)) == [(3, "m3")]
        assert known.similar(post(9, over, channel=9, hours=3)) == [(2, "m2")]

    def test_however_often_it_began_before_it_was_over_it_is_news_when_it_begins_again(self) -> None:
        alarm = "Объявлена ракетная опасность на всей территории области. Просим укрыться в помещениях."
        over = "Отбой: ракетная опасность на всей территории области. Просим сохранять спокойствие."
        known = index_of(
            *(post(n, alarm, channel=n, hours=n / 10) for n in range(1, 9)), post(9, over, channel=9, hours=1)
        )
        assert known.similar(post(10, alarm, channel=10, hours=2)) == []

    def test_to_be_told_of_a_post_again_changes_nothing(self) -> None:
        known = index_of(post(1), post(1), post(1))
        assert (len(known), known.similar(post(9, channel=9))) == (1, [(1, "m1")])

    def test_a_post_is_known_by_what_it_says_now(self) -> None:
        known = index_of(post(1))
        known.replace_text((1, "m1"), "Банк сообщил, что приложение снова работает у всех клиентов")
        known.replace_text((1, "m7"), DOWN)
        assert known.similar(post(9, channel=9)) == []
        known.replace_text((1, "m1"), DOWN)
        known.drop_before(NOON)
        assert known.similar(post(9, channel=9)) == [(1, "m1")]
