from datetime import timedelta

import pytest

from bot.commands import search
from bot.search import searcher
from tests.commands.kit import Bot, bold_words, button, labels, text
from tests.kit_archive import NOON, OTHER, ago, gone, post

BRIEF = (NOON - timedelta(days=2)).strftime("%Y-%m-%d")


async def filled(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(title="МИД России")
    await bot.archive.follow(OTHER, title="МИД Италии")
    await bot.archive.live(*(post(n, f"Сбой номер {n}", date=ago(days=n)) for n in range(1, 13)))
    await bot.archive.live(post(1, "Сбой в Риме", channel_id=OTHER, date=ago(hours=30)))


def found(reply: object) -> list[str]:
    return [line for line in text(reply).splitlines() if line.startswith(("Сбой", "Спасибо"))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("сбой in:@News1002", ["Сбой в Риме"]),
        ("in:@News1002,@News1001 сбой since:2d", ["Сбой номер 1", "Сбой в Риме", "Сбой номер 2"]),
        ("сбой в:МИД с:2д", ["Сбой номер 1", "Сбой в Риме", "Сбой номер 2"]),
        ('сбой in:"мид ит"', ["Сбой в Риме"]),
        (f"сбой in:@News1001 since:3d until:{BRIEF}", ["Сбой номер 2", "Сбой номер 3"]),
        ("in:@News1002", ["Сбой в Риме"]),
        ("рим in:@News1001, @News1002", ["Сбой в Риме"]),
        ('рим in:"«МИД» Италии"', ["Сбой в Риме"]),
        ("сбой in:италии", ["Сбой в Риме"]),
        ('сбой in:"италии мид"', ["Сбой в Риме"]),
        ("сбой in:Итал", ["Сбой в Риме"]),
        ("since:31h", ["Сбой номер 1", "Сбой в Риме"]),
        ("Сбой in:@News1002 since:1d", []),
    ],
)
async def test_a_search_is_narrowed_by_what_is_typed(bot: Bot, typed: str, expected: list[str]) -> None:
    await filled(bot)
    assert found(await bot.says(f"/search {typed}")) == expected


async def test_a_day_ends_in_the_zone_of_the_chat(bot: Bot) -> None:
    await filled(bot)
    await bot.archive.live(post(99, "Сбой ночью", date=NOON.replace(hour=22) - timedelta(days=2)))
    assert "Сбой ночью" in text(await bot.says(f"/search ночь until:{BRIEF}"))
    await bot.taps(b"zone:Europe/Moscow")
    assert "Сбой ночью" not in text(await bot.says(f"/search ночь until:{BRIEF}"))


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("сбой in:@nobody", "There is no channel or group «@nobody»"),
        ("сбой in:@МИД", "There is no channel or group «@МИД»"),
        ("сбой in:ссии", "There is no channel or group «ссии»"),
        ("сбой since:soon", "cannot read the date «soon»"),
        ("сбой ( since:7d", "👉("),
        ("since:1d until:2d", "ends before it begins"),
        ("сбой -in:@News1002", "«-in:@News1002»: a filter applies to the whole search"),
        ("сбой|in:@News1002", "«|in:@News1002»: a filter applies to the whole search"),
        ('сбой in:"»"', "There is no channel or group «»»"),
    ],
)
async def test_a_filter_that_cannot_be_used_is_explained(bot: Bot, typed: str, answer: str) -> None:
    await filled(bot)
    assert answer in text(await bot.says(f"/search {typed}"))


async def test_the_posts_of_a_channel_are_paged_without_any_word(bot: Bot) -> None:
    await filled(bot)
    pages = [await bot.says("/search in:@News1001")]
    while labels(pages[-1].messages[0]):
        pages.append(await bot.taps(button(pages[-1].messages[0], "More")))
    assert [line for page in pages for line in found(page)] == [f"Сбой номер {n}" for n in range(1, 13)]


async def test_an_edited_post_is_listed_once_where_it_was_posted(bot: Bot) -> None:
    await filled(bot)
    await bot.archive.live(post(5, "Спасибо", date=ago(days=5), edit_date=ago(days=1)))
    first = await bot.says("/search in:@News1001")
    assert found(first)[-1] == "Спасибо"
    assert found(await bot.taps(button(first.messages[0], "More")))[0] == "Сбой номер 6"


async def test_an_earlier_wording_is_found_on_demand_and_called_so(bot: Bot) -> None:
    await filled(bot)
    await bot.archive.live(post(1, "Спасибо за терпение", date=ago(days=1), edit_date=ago(hours=20)), gone(2))
    assert "Сбой номер 1" not in found(await bot.says("/search номер 1"))
    again = text(await bot.says('/search "номер 1" history:yes'))
    assert "МИД России · 9 Mar, 12:00 UTC · earlier wording, 9 Mar, 12:00 UTC · ✏️ 2 versions\nСбой номер 1" in again
    assert "deletion told by Telegram\nСбой номер 2" in text(await bot.says('/search "номер 2" история:да'))


async def test_the_best_are_shown_on_demand_and_paged_though_new_posts_come(bot: Bot) -> None:
    await filled(bot)
    await bot.archive.live(*(post(20 + n, "Сбой. " * n, date=ago(days=20 + n)) for n in range(2, 9)))
    newest = await bot.says("/search сбой")
    best = await bot.taps(button(newest.messages[0], "Best first"))
    assert best.edit is not None
    assert "🔎 сбой · the best first" in text(best)
    assert [line.count("Сбой") for line in found(best)] == [8, 7, 6, 5, 4]
    await bot.archive.live(post(50, "Сбой. " * 30))
    second = await bot.taps(button(best.edit, "More"))
    assert [line.count("Сбой") for line in found(second)] == [3, 2, 1, 1, 1]
    back = await bot.taps(button(best.edit, "Newest first"))
    assert found(back)[1:] == found(newest)[:4]
    pages = [second]
    while labels(pages[-1].messages[0]):
        pages.append(await bot.taps(button(pages[-1].messages[0], "More")))
    assert sum(len(found(page)) for page in pages) == 15
    assert found(await bot.says("/search сбой порядок:лучшие"))[0].count("Сбой") == 30


async def test_the_best_say_how_far_back_they_go(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searcher, "MOST_RANKED", 7)
    await filled(bot)
    first = await bot.says("/search сбой order:best")
    assert "These are the best of the 7 newest results, back to 4 Mar, 12:00 UTC." in text(first)
    second = await bot.taps(button(first.messages[0], "More"))
    assert len(found(second)) == 2
    assert "the best of the 7 newest" in text(second)


async def test_an_album_is_one_post_of_a_search(bot: Bot) -> None:
    await filled(bot)
    await bot.archive.live(*(post(n, f"Сбой в альбоме {n}", grouped_id=5) for n in (20, 21, 22)))
    assert found(await bot.says("/search альбом")) == ["Сбой в альбоме 22"]


async def test_a_search_that_goes_far_back_says_how_far_it_has_come(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST_ROWS", 5)
    await filled(bot)
    first = await bot.says("/search re:/номер 1[12]/")
    assert found(first) == []
    assert "I searched 5 posts, back to 6 Mar, 12:00 UTC. There may be older ones." in text(first)
    second = await bot.taps(button(first.messages[0], "Search further back"))
    assert "back to 1 Mar, 12:00 UTC" in text(second)
    last = await bot.taps(button(second.messages[0], "Search further back"))
    assert found(last) == ["Сбой номер 11", "Сбой номер 12"]
    assert bold_words(last.messages[0]) == ["номер 11", "номер 12"]
    assert labels(last.messages[0]) == []


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("бегемот", "Nothing found in 13 stored posts."),
        ("бегемот in:@News1001 since:7d", "Leave out in:, since: and until:"),
        ("сбой -номер -рим", "your exclusions rule all of them out"),
        ("сбой -номер -рим history:yes", "your exclusions rule all of them out"),
        ("бегемот -номер", "Nothing found in 13"),
        ("since:1h", "Leave out in:, since: and until:"),
    ],
)
async def test_nothing_found_comes_with_a_hint(bot: Bot, typed: str, answer: str) -> None:
    await filled(bot)
    assert answer in text(await bot.says(f"/search {typed}"))


async def test_who_looks_for_a_channels_name_is_told_of_its_posts(bot: Bot) -> None:
    await filled(bot)
    await bot.archive.live(post(40, "Сбой, пишет @news1002"))
    mentions = await bot.says("/search @news1002")
    assert found(mentions) == ["Сбой, пишет @news1002"]
    assert "For its own newest posts: /latest @News1002" in text(mentions)
    assert "/latest" not in text(await bot.says("/search @somebody_else"))


async def test_without_words_the_filters_are_explained(bot: Bot) -> None:
    await bot.pair()
    assert "in:@channel" in text(await bot.says("/search"))


async def test_orders_of_a_forgotten_search_say_so(bot: Bot) -> None:
    await bot.pair()
    assert "too old" in text(await bot.taps(b"order:m-12345:best"))
    assert "no longer works" in text(await bot.taps(b"order:m-12345:worst"))
