"""Posts that were seen on the web page of their channel: the same posts, one alert each, whoever saw them first."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.models import Entity, Media, ObservedBy, Post, page_album
from bot.store import page_versions, posts
from tests import kit
from tests.kit_archive import NEWS, NOON, OTHER, Archive, gone, open_archive, post

PHOTO = Media(kind="photo", id=77)
EDITED = {"edit_date": NOON + timedelta(minutes=1)}


@pytest.fixture
async def archive(archive: Archive) -> Archive:
    await archive.follow()
    await archive.track(await archive.pair(), "сбои", "сбой")
    return archive


def shown(message_id: int, text: str = "Тихий день", **fields: Any) -> Post:  # noqa: ANN401 - the fields of a Post
    """Return a post as a page shows it."""
    return post(message_id, text, raw=f"<div>{text}</div>".encode(), **fields)


def album(text: str, *ids: int, **fields: Any) -> list[Post]:  # noqa: ANN401 - likewise
    """Return an album as a page shows it: the text at the lowest id."""
    group = page_album(ids[0])
    return [shown(each, "" if at else text, grouped_id=group, **fields) for at, each in enumerate(ids)]


async def page(archive: Archive, *events: Post) -> None:
    await archive.see(ObservedBy.PAGE, *events)


async def texts(archive: Archive, message_id: int) -> list[str]:
    return [each.text for each in await posts.versions(archive.db, NEWS, message_id)]


@pytest.mark.parametrize("order", ["page first", "telegram first"])
async def test_a_post_is_one_however_it_was_seen(archive: Archive, order: str) -> None:
    bold = (Entity(kind="bold", offset=0, length=4),)
    told = post(5, "Сбой\u00a0в сети", entities=bold, media=PHOTO, author="А.", views=900)
    if order == "page first":
        await page(archive, shown(5, "Сбой в сети", views=880))
        await page(archive, shown(5, "Сбой в сети", views=890))
        await archive.send_all()
    await archive.live(told)
    await page(archive, shown(5, "Сбой в сети", views=880))
    await archive.sweep(told)
    stored = await archive.stored(5)
    assert (stored.text, stored.entities, stored.media, stored.author) == (told.text, bold, PHOTO, "А.")
    assert await texts(archive, 5) == [told.text]
    assert await archive.labels() == ([] if order == "page first" else ["alert"])
    assert stored.views == 900
    assert stored.observed_by == ("page" if order == "page first" else "live")


async def test_what_a_page_showed_keeps_its_evidence_and_gets_that_of_telegram(archive: Archive) -> None:
    await page(archive, shown(5, "Сбой"))
    await archive.sweep(post(5, "Сбой", raw=b"telegram's"))
    assert [row["raw"] for row in await archive.db.fetch_all("SELECT raw FROM versions")] == [
        "<div>Сбой</div>".encode()
    ]
    rows = await archive.db.fetch_all("SELECT raw, observed_by FROM part_messages")
    assert [tuple(row) for row in rows] == [(b"telegram's", "sweep")]


ALBUM = [
    post(5, "Сбой", grouped_id=10**13, media=PHOTO),
    *(post(n, "", grouped_id=10**13, media=PHOTO) for n in (6, 7)),
]


@pytest.mark.parametrize("caption", [0, 1])
@pytest.mark.parametrize("first", ["page", "telegram", "one item"])
async def test_an_album_is_one_post_with_one_alert(archive: Archive, first: str, caption: int) -> None:
    told = [replace(item, text="Сбой" if at == caption else "") for at, item in enumerate(ALBUM)]
    if first == "page":
        await page(archive, *album("Сбой", 5, 6, 7))
        await archive.send_all()
    if first == "page":
        await archive.live(*told)
        assert [(await archive.stored(n)).text for n in (5, 6, 7)] == [item.text for item in told]
    for item in told[:1] if first == "one item" else told:
        await archive.live(item)
        await page(archive, *album("Сбой", 5, 6, 7))
    for item in told:
        await archive.sweep(item)
    assert {each.grouped_id for each in await posts.current(archive.db, NEWS, [5, 6, 7])} == {10**13}
    alerts = await kit.alerts_of(archive.db)
    assert [(each.post_key, each.duplicate_of) for each in alerts] == [(f"g{10**13}", None)]
    assert [label for label in await archive.labels() if label != "edit"] == ([] if first == "page" else ["alert"])
    assert {text for n in (5, 6, 7) for text in await texts(archive, n)} == {"Сбой", ""}


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (["", "Сбой", ""], ["", "Сбой", ""]),
        (["", "", "Сбой устранён"], ["", "", "Сбой устранён"]),
        (["", "", ""], ["", "", ""]),
    ],
    ids=["of another item", "edited meanwhile", "taken away meanwhile"],
)
async def test_a_caption_is_where_telegram_says_once_all_of_its_album_was_told(
    archive: Archive, told: list[str], found: list[str]
) -> None:
    await page(archive, *album("Сбой", 5, 6, 7))
    items = [replace(item, text=text, **EDITED) for item, text in zip(ALBUM, told, strict=True)]
    for item in items:
        await archive.live(item)
    assert (await archive.stored(5)).text == "Сбой"  # nobody knows yet whose it is
    await archive.sweep(*items)
    assert [(await archive.stored(n)).text for n in (5, 6, 7)] == found
    assert len(await kit.alerts_of(archive.db)) == 1


async def test_a_caption_that_moves_may_be_edited_in_the_same_moment(archive: Archive) -> None:
    told = [replace(item, text="Сбой" if at == 2 else "") for at, item in enumerate(ALBUM)]
    await page(archive, *album("Сбой", 5, 6, 7))
    for item in told:
        await archive.live(item)
    await page(archive, *album("Сбой устранён", 5, 6, 7, is_edited=True))
    await archive.sweep(*told[:2], replace(told[2], text="Сбой устранён", **EDITED))
    assert [(await archive.stored(n)).text for n in (5, 6, 7)] == ["", "", "Сбой устранён"]
    assert len(await kit.alerts_of(archive.db)) == 1


async def test_other_channels_join_the_alert_of_an_album_that_has_its_group_now(archive: Archive) -> None:
    await archive.follow(OTHER, title="Другие")
    words = "Сбой в работе банка: не проходят переводы, карты и приложение недоступны по всей стране с утра"
    await page(archive, *album(words, 5, 6))
    await archive.live(*(replace(item, text=words if item.message_id == 5 else "") for item in ALBUM[:2]))
    await archive.live(post(9, f"{words}!", channel_id=OTHER))
    first, second = await kit.alerts_of(archive.db)
    assert second.duplicate_of == first.id


@dataclass(frozen=True)
class Look:
    """What is seen of post 5, by whom, and whether it is another version then."""

    seen: Post
    on_page: bool = True
    versions: int = 1


@pytest.mark.parametrize(
    ("looks", "current"),
    [
        pytest.param(
            [Look(shown(5, "Сбой")), Look(shown(5, "Сбой устранён"), versions=2)],
            "Сбой устранён",
            id="another text on the page is an edit",
        ),
        pytest.param(
            [Look(post(5, "Сбой"), on_page=False), Look(shown(5, "Сбой… обрезан")), Look(shown(5, "Сбой… обрезан"))],
            "Сбой",
            id="the first look at what Telegram told is only noted",
        ),
        pytest.param(
            [
                Look(post(5, "Сбой"), on_page=False),
                Look(shown(5, "Сбой")),
                Look(shown(5, "Сбой устранён"), versions=2),
                Look(post(5, "Сбой устранён", **EDITED), on_page=False, versions=2),
                Look(shown(5, "Сбой устранён"), versions=2),
            ],
            "Сбой устранён",
            id="after a first look an edit counts, and Telegram confirms it",
        ),
        pytest.param(
            [
                Look(post(5, "Сбой в сети"), on_page=False),
                Look(shown(5, "Сбой…")),
                Look(post(5, "Авария в сети", **EDITED), on_page=False, versions=2),
                Look(shown(5, "Авария…", is_edited=True), versions=2),
            ],
            "Авария в сети",
            id="what the page cuts is no edit, and still none after Telegram told one",
        ),
        pytest.param(
            [Look(post(5, "Сбой"), on_page=False), Look(shown(5, "Авария", is_edited=True), versions=2)],
            "Авария",
            id="the page says edited, with other words",
        ),
        pytest.param(
            [Look(post(5, "Сбой"), on_page=False), Look(shown(5, "Сбой!", is_edited=True))],
            "Сбой",
            id="the page says edited, with the same words",
        ),
        pytest.param(
            [Look(post(5, "Авария", **EDITED), on_page=False), Look(shown(5, "Сбой", is_edited=True))],
            "Авария",
            id="Telegram told an edit, the page may be behind",
        ),
        pytest.param(
            [Look(shown(5, "Сбой")), Look(post(5, "Авария", **EDITED), on_page=False, versions=2)],
            "Авария",
            id="Telegram tells an edit of what the page showed",
        ),
        pytest.param(
            [Look(shown(5, "Сбой")), Look(post(5, "Сбой в сети"), on_page=False)],
            "Сбой в сети",
            id="Telegram says it was never edited: the page showed less",
        ),
        pytest.param(
            [
                Look(shown(5, "Сбой")),
                Look(shown(5, "Авария", is_edited=True), versions=2),
                Look(post(5, "Сбой"), on_page=False, versions=2),
            ],
            "Авария",
            id="a late push of what was edited since",
        ),
        pytest.param(
            [
                Look(shown(5, "Сбой")),
                Look(shown(5, "Авария"), versions=2),
                Look(shown(5, "Сбой"), versions=2),
            ],
            "Авария",
            id="a page of a server that is behind",
        ),
    ],
)
async def test_what_is_another_version(archive: Archive, looks: list[Look], current: str) -> None:
    for look in looks:
        archive.now += timedelta(minutes=2)
        await (page if look.on_page else Archive.live)(archive, look.seen)
        assert len(await texts(archive, 5)) == look.versions, look
    assert (await archive.stored(5)).text == current


async def test_an_edit_on_the_page_is_told_without_a_time(archive: Archive) -> None:
    await page(archive, shown(5, "Сбой в сети"))
    await archive.send_all()
    archive.now += timedelta(minutes=6)
    await page(archive, shown(5, "Сбой в сети устранён"))
    assert sorted(await archive.labels()) == ["edit", "reply"]
    assert (await archive.stored(5)).edit_date is None


async def test_a_post_that_is_missing_is_gone_once_its_own_page_has_said_so_twice(archive: Archive) -> None:
    await page(archive, shown(5), shown(6), shown(7))

    async def missing() -> list[bool]:
        return [each.is_due(archive.now) for each in await page_versions.missing(archive.db, NEWS)]

    await archive.db.write(lambda tx: page_versions.set_missing(tx, NEWS, [6], shown=[5, 7], now=archive.now))
    assert await missing() == [True]
    await archive.db.write(lambda tx: page_versions.set_not_found(tx, NEWS, 6, now=archive.now))
    assert await missing() == [False]
    archive.now += timedelta(hours=4)
    assert await missing() == [True]
    await archive.see(ObservedBy.PAGE, gone(6))
    assert await missing() == []
    archive.now += timedelta(minutes=1)
    await page(archive, shown(6))  # a page may be behind
    assert (await archive.stored(6)).gone_at is not None
    archive.now += timedelta(hours=1)
    await page(archive, shown(6))
    assert (await archive.stored(6)).gone_at is None


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("edit"), st.integers(1, 3), st.sampled_from(["Сбой", "Сбой снова", "Покой", "Авария"])),
        st.tuples(st.just("delete"), st.integers(1, 3), st.just("")),
        st.tuples(st.sampled_from(["live", "sweep", "page"]), st.integers(1, 3), st.just("")),
    ),
    max_size=14,
)


@given(steps=_STEPS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12, deadline=None)
async def test_in_whatever_order_a_world_is_seen(tmp_path_factory: pytest.TempPathFactory, steps: list[Any]) -> None:
    """Posts 1 and 2, and the album 3: in the end the archive has their texts, and no post has two alerts."""
    async with open_archive(tmp_path_factory.mktemp("archive")) as archive:
        await archive.follow()
        await archive.track(await archive.pair(), "сбои", "сбой")
        world: dict[int, tuple[str, Any]] = dict.fromkeys((1, 2, 3), ("Сбой", None))
        ever = {number: {"Сбой"} for number in world}

        async def see(source: str, number: int) -> None:
            text, edited = world[number]
            group = {"grouped_id": 10**13} if number == 3 else {}
            if source == "page":
                seen = {"is_edited": edited is not None}
                await page(archive, *(album(text, 3, 4, **seen) if group else [shown(number, text, **seen)]))
            else:
                items = [post(number, text, edit_date=edited, **group), *([post(4, "", **group)] if group else [])]
                await archive.see(ObservedBy(source), *items)

        for what, number, text in [*steps, *(("sweep", each, "") for each in world)]:
            archive.now += timedelta(minutes=1)
            if what == "delete":
                world.pop(number, None)
                await archive.live(gone(number, *([4] if number == 3 else [])))
            elif number in world and what == "edit":
                if world[number][0] != text:
                    world[number] = (text, archive.now)
                    ever[number].add(text)
            elif number in world:
                await see(what, number)
        for number in world:
            assert (await archive.stored(number)).text == world[number][0]
            assert set(await texts(archive, number)) <= ever[number]
        keys = [each.post_key for each in await kit.alerts_of(archive.db)]
        assert len(keys) == len(set(keys))
        assert set(keys) <= {"m1", "m2", f"g{10**13}", f"g{page_album(3)}"}
