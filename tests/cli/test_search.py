from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.cli import search
from bot.parts import Part, PartKind
from bot.search.searcher import Scope
from tests.kit_archive import NEWS, OTHER, ago, compiled, open_archive, post
from tests.shell import spawned, typed


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["сбой", "--limit", "2"], ["Сбой три", "Сбой раз"]),
        (["сбой in:@News1002"], ["Сбой три"]),
        (["сбой", "--channel", "@News1001", "--channel", "Хроника"], ["Сбой три", "Сбой раз", "Сбой, сбой и сбой"]),
        (["сбой", "--until", "2025-03-08"], ["Сбой, сбой и сбой"]),
        (["сбой since:2025-03-09", "--channel", "@News1001"], ["Сбой раз"]),
        (["сбой", "--order", "best", "--limit", "1"], ["Сбой, сбой и сбой"]),
        (["было", "--history"], ["Сбой, было"]),
        (["--channel", "@News1002"], ["Сбой три"]),
        (["сбой", "--since", "99 y", "--channel", "хро"], ["Сбой три"]),
        (["сбой", "--channel", '"Хро"ника'], ["Сбой три"]),
    ],
    ids=" ".join,
)
async def test_the_shell_narrows_and_orders_as_the_chat_does(
    tmp_path: Path, words: Sequence[str], expected: list[str]
) -> None:
    async with open_archive(tmp_path) as archive:
        await archive.follow(NEWS, title="Вести")
        await archive.follow(OTHER, title="Хроника")
        await archive.live(post(1, "Сбой, было", date=ago(days=1)), post(2, "Сбой, сбой и сбой", date=ago(days=5)))
        await archive.live(post(1, "Сбой раз", date=ago(days=1), edit_date=ago(hours=1)))
        await archive.live(post(3, "Сбой три", channel_id=OTHER, date=ago(hours=2)))
    code, out, err = await typed(tmp_path / "data", "search", *words)
    assert (code, err) == (0, "")
    assert [line for line in out.splitlines() if line.startswith("Сбой")] == expected
    assert " ".join(out.split()).count("(earlier wording, 2025-03-09 12:00 UTC)") == words.count("--history")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["сбой", "--channel", "@nobody"], "I know no channel «@nobody»"),
        (["сбой", "--since", "soon"], "--since: I cannot read the date «soon»"),
        (["сбой", "--since", ""], "--since: I cannot read the date «»"),
        (["сбой", "--until", "2026-11-20 12:00"], "--until: I cannot read the date «2026-11-20 12:00»"),
        (["сбой", "--since", "2d", "--until", "9d"], "«--since 2d --until 9d» ends before it begins"),
        (["сбой", "--channel", ""], "--channel: I know no channel «»"),
        (["сбой", "--channel", 'Се"ть in:@x'], '--channel: I know no channel «Се"ть in:@x»'),
        (["сбой in:@x"], "I know no channel «@x»"),
        (["сбой ("], "the query cannot be read"),
    ],
)
async def test_what_cannot_be_used_is_one_line(tmp_path: Path, words: Sequence[str], said: str) -> None:
    async with open_archive(tmp_path):
        pass
    code, out, err = await typed(tmp_path / "data", "search", *words)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert said in err


async def test_on_a_terminal_the_heading_is_bold_and_what_was_found_is_marked(tmp_path: Path) -> None:
    async with open_archive(tmp_path) as archive:
        await archive.follow()
        await archive.live(post(1, "Вчера был сбой у всех"))
    _, out, _ = await spawned(tmp_path / "data", "search", "сбой", FORCE_COLOR="1", TERM="xterm")
    heading, body = out.splitlines()[:2]
    assert heading.startswith("\x1b[1m2025-03-10 12:00 UTC  Вести  https://t.me/News1001/1")
    assert body == "Вчера был \x1b[7mсбой\x1b[0m у всех"


async def test_what_was_found_beside_a_text_stands_under_it_by_its_name(tmp_path: Path) -> None:
    async with open_archive(tmp_path) as archive:
        await archive.follow()
        page = tuple(Part(kind=PartKind.PREVIEW, text=text) for text in ("Сайт", "Сбой в банке"))
        await archive.live(post(1, "Читайте", parts=page))
    _, out, _ = await typed(tmp_path / "data", "search", "сбой")
    assert out.splitlines()[1:3] == ["Читайте", "Link preview: Сбой в банке"]


async def test_a_ranking_says_how_far_back_it_goes(tmp_path: Path) -> None:
    async with open_archive(tmp_path) as archive:
        await archive.follow()
        await archive.live(*(post(n, "сбой", date=ago(minutes=n)) for n in range(1, 503)))
    code, out, err = await typed(tmp_path / "data", "search", "сбой", "--order", "best", "--limit", "1")
    assert (code, out.count("сбой")) == (0, 1)
    assert "These are the best of the 500 newest finds, back to 2025-03-10 03:40 UTC." in err


async def test_a_long_search_goes_on_to_the_end_and_tells_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_ROWS_AT_ONCE", 10)
    reached: list[object] = []
    async with open_archive(tmp_path) as archive:
        await archive.follow()
        await archive.live(*(post(n, "сбой сети" if n % 15 == 0 else "день", date=ago(hours=n)) for n in range(1, 46)))
        found = await search.look_back(archive.db, compiled("re:/сбой/"), Scope(), limit=9, progress=reached.append)
        first = await search.look_back(archive.db, compiled("re:/сбой/"), Scope(), limit=1, progress=reached.append)
    assert [hit.post.message_id for hit in found.hits] == [15, 30, 45]
    assert [hit.post.message_id for hit in first.hits] == [15]
    assert reached == [ago(hours=n) for n in (10, 20, 30, 40, 10)]
