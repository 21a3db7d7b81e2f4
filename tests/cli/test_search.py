import csv
import json
from collections.abc import Sequence
from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest

from bot.cli import search
from bot.models import Entity, Forward, Media
from bot.parts import Part, PartKind
from bot.store.fulltext import Scope
from tests.kit_archive import NEWS, OTHER, ago, compiled, open_archive, post
from tests.shell import spawned, typed, without_reach


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["сбой", "--limit", "2"], ["Сбой три", "Сбой раз"]),
        (["сбой in:@News1002"], ["Сбой три"]),
        (["сбой", "--channel", "@News1001", "--channel", "Хроника"], ["Сбой три", "Сбой раз", "Сбой, сбой и сбой"]),
        (["сбой", "--until", "2025-03-08"], ["Сбой, сбой и сбой"]),
        (["сбой since:2025-03-09", "--channel", "@News1001"], ["Сбой раз"]),
        (["сбой", "--order", "best"], ["Сбой, сбой и сбой", "Сбой три", "Сбой раз"]),
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
    assert (code, without_reach(err)) == (
        0,
        "2 of 3 posts. --limit 100 shows more, --all shows all.\n" if "2" in words else "",
    )
    assert [line for line in out.splitlines() if line.startswith("Сбой")] == expected
    assert " ".join(out.split()).count("(earlier wording, 2025-03-09 12:00 UTC)") == words.count("--history")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["сбой", "--channel", "@nobody"], "There is no channel or group «@nobody»"),
        (["сбой", "--since", "soon"], "--since: I cannot read the date «soon»"),
        (["сбой", "--since", ""], "--since: I cannot read the date «»"),
        (["сбой", "--until", "2026-11-20 12:00"], "--until: I cannot read the date «2026-11-20 12:00»"),
        (["сбой", "--since", "2d", "--until", "9d"], "«--since 2d --until 9d» ends before it begins"),
        (["сбой", "--channel", ""], "--channel: There is no channel or group «»"),
        (["сбой", "--channel", 'Се"ть in:@x'], '--channel: There is no channel or group «Се"ть in:@x»'),
        (["сбой in:@x"], "There is no channel or group «@x»"),
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
    assert "These are the best of the 500 newest results, back to 2025-03-10 03:40 UTC." in err


async def test_a_long_search_goes_on_to_the_end_and_tells_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_ROWS_AT_ONCE", 10)
    async with open_archive(tmp_path) as archive:
        await archive.follow()
        await archive.live(*(post(n, "сбой сети" if n % 15 == 0 else "день", date=ago(hours=n)) for n in range(1, 46)))
        pages = [page async for page in search.every_page(archive.db, compiled("re:/сбой/"), Scope())]
    assert [hit.post.message_id for page in pages for hit in page.hits] == [15, 30, 45]
    assert [page.reached for page in pages] == [*(ago(hours=n) for n in (10, 20, 30, 40)), None]


@pytest.mark.parametrize(
    ("words", "shown", "said"),
    [
        ([], 20, "20 of 130 posts. --limit 100 shows more, --all shows all.\n"),
        (["--all"], 130, ""),
        (["сбой", "--limit", "20"], 20, "20 of 130 posts. --limit 100 shows more, --all shows all.\n"),
        (["сбой", "--limit", "130"], 130, ""),
        (["сбой", "--all"], 130, ""),
        (["сбой", "--all", "--jsonl"], 130, ""),
        (["сбой", "--limit", "120", "--csv"], 120, "120 of 130 posts. --limit 100 shows more, --all shows all.\n"),
        (
            ["сбой", "--order", "best", "--limit", "7"],
            7,
            "The best 7 of 130 posts. --limit 100 shows more, --all shows all.\n",
        ),
        (["сбой", "--order", "best", "--all"], 130, ""),
    ],
    ids=str,
)
async def test_no_post_is_left_out_in_silence(tmp_path: Path, words: Sequence[str], shown: int, said: str) -> None:
    async with open_archive(tmp_path) as archive:
        await archive.follow()
        await archive.live(*(post(n, "Сбой сети", date=ago(minutes=n)) for n in range(1, 131)))
    code, out, err = await typed(tmp_path / "data", "search", *words)
    assert (code, out.count("Сбой сети")) == (0, shown * (2 if {"--jsonl", "--csv"} & {*words} else 1))
    assert without_reach(err) == said


async def test_a_count_that_takes_long_says_how_far_back_it_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_COUNTING_S", 0.0)
    monkeypatch.setattr(search, "_HITS_AT_ONCE", 10)
    async with open_archive(tmp_path) as archive:
        await archive.follow()
        await archive.live(*(post(n, "Сбой сети", date=ago(hours=n)) for n in range(1, 31)))
    _, out, err = await typed(tmp_path / "data", "search", "сбой", "--limit", "3")
    assert out.count("Сбой сети") == 3
    assert err.startswith("3 of 10 posts, counted back to 2025-03-10 02:00 UTC. ")


async def _archive_of_all_fields(folder: Path) -> None:
    link = Entity(kind="text_url", offset=3, length=4, value="https://example.org/a")
    written = Entity(kind="url", offset=11, length=12)
    origin = Forward(channel_id=OTHER, message_id=9, name="Хроника", date=ago(days=2))
    async with open_archive(folder) as archive:
        await archive.follow(NEWS, title="Вести")
        await archive.live(post(7, "Было", date=ago(hours=3), forward=origin, reply_to=3, author="Пресс-служба"))
        await archive.live(
            post(
                7,
                "😀 сбой: в https://t.me",
                date=ago(hours=3),
                edit_date=ago(hours=1),
                entities=(link, written),
                media=Media(kind="web_page", id=5, title="Сайт"),
                parts=(Part(kind=PartKind.PREVIEW, text="Весь сбой"),),
                forward=origin,
                reply_to=3,
                author="Пресс-служба",
                views=10,
            )
        )


async def test_json_lines_hold_all_that_is_known_of_a_post(tmp_path: Path) -> None:
    await _archive_of_all_fields(tmp_path)
    _, out, err = await typed(tmp_path / "data", "search", "сбой", "--jsonl")
    (row,) = map(json.loads, out.splitlines())
    assert without_reach(err) == ""
    assert (row["link"], row["channel"], row["message_id"]) == ("https://t.me/News1001/7", "Вести", 7)
    assert row["text"][slice(*row["spans"][0])] == "сбой"
    assert row["parts"] == [{"kind": "preview", "text": "Весь сбой", "spans": [[5, 9]]}]
    assert row["links"] == ["https://example.org/a", "https://t.me"]
    assert row["forward"]["name"] == "Хроника"
    assert row["reply_to"] == {"channel_id": NEWS, "message_id": 3, "link": "https://t.me/News1001/3"}
    assert (row["version"], row["is_current"], [one["text"] for one in row["versions"]]) == (
        2,
        True,
        ["Было", "😀 сбой: в https://t.me"],
    )
    dates = [datetime.fromisoformat(row[name]) for name in ("date", "edit_date")]
    assert dates == [ago(hours=3), ago(hours=1)]
    every = [row["date"], row["edit_date"], row["seen_at"], row["forward"]["date"]]
    every += [one[name] for one in row["versions"] for name in ("date", "seen_at")]
    assert {len(moment.split("T")) for moment in every} == {2}  # ISO 8601, as in a table
    assert (row["deletion_told_at"], row["missing_since"], row["views"]) == (None, None, 10)
    assert (row["author"], row["media"]["title"]) == ("Пресс-служба", "Сайт")


async def test_a_table_has_the_same_columns_and_no_cell_that_calculates(tmp_path: Path) -> None:
    async with open_archive(tmp_path) as archive:
        await archive.follow(NEWS, title="@Вести")
        await archive.live(post(1, '=HYPERLINK("http://example.org";"сбой")\nвторая строка'))
    _, lines, _ = await typed(tmp_path / "data", "search", "сбой", "--jsonl")
    _, out, _ = await typed(tmp_path / "data", "search", "сбой", "--csv")
    (row,) = csv.DictReader(StringIO(out.removeprefix("\ufeff"), newline=""))
    assert out[0] == "\ufeff"
    assert list(row) == [*json.loads(lines), "quoting"]
    assert row["text"] == '\'=HYPERLINK("http://example.org";"сбой")\nвторая строка'
    assert (row["channel"], row["message_id"], row["edit_date"]) == ("'@Вести", "1", "")
    assert json.loads(row["versions"])[0]["version"] == 1


async def test_one_format_at_a_time(tmp_path: Path) -> None:
    code, _, err = await typed(tmp_path / "data", "search", "сбой", "--csv", "--jsonl")
    assert (code, err) == (2, "--jsonl and --csv cannot be combined: use one of them\n")


async def test_a_search_says_since_when_the_archive_is_complete_and_where_it_does_not_reach(tmp_path: Path) -> None:
    async with open_archive(tmp_path) as archive:
        await archive.follow()
        await archive.live(post(1, "Сбой сети", date=ago(days=2)))
    _, _, err = await typed(tmp_path / "data", "search", "сбой")
    assert err == "The archive is complete since 2025-03-08 12:00 UTC.\n"
    _, _, err = await typed(tmp_path / "data", "search", "бегемот", "--since", "2025-03-01")
    assert err.splitlines() == [
        "Nothing found in the stored posts.",
        "The archive does not reach back that far: it is complete since 2025-03-08 12:00 UTC.",
    ]
