import asyncio
import json
import re
import sys
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer

from bot.cli import COMMANDS, cli, console, main, service
from bot.runtime.clock import utc_now
from bot.store import meta
from bot.store.database import Transaction
from tests.kit_archive import OTHER, gone, open_archive, post
from tests.shell import ROOT, WAIT_S, peak_memory, spawned, typed, without_reach

NOWHERE = Path("no-data")  # a query needs none


async def match(given: bytes) -> tuple[int, str, str]:
    """Filter bytes through `match --query сбой`; return exit code, standard output and standard error."""
    return await typed(NOWHERE, "match", "--query", "сбой", given=given)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"nope", "is not JSON (Expecting value)"),
        (b'{"text": "\xff"}', "is not in UTF-8"),
        (b'{"text": "a", "n": ' + b"1" * 5000 + b"}", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"text": 5}', "has no «text» string"),
        (b"5", "has no «text» string"),
        (b'{"text": "a", "n": NaN}', "is not JSON (NaN is not a number)"),
        (b'{"text": "a", "n": -Infinity}', "is not JSON (-Infinity is not a number)"),
    ],
    ids=["words", "bytes", "long number", "deep", "number", "no object", "NaN", "Infinity"],
)
async def test_a_line_that_cannot_be_read_is_named_after_those_that_could(line: bytes, reason: str) -> None:
    code, out, err = await match('{"text": "сбой"}\n'.encode() + line + b"\n")
    assert code == 1
    assert json.loads(out)["matches"] == [{"topic": "query", "spans": [[0, 4]]}]
    assert err.startswith(f"line 2 {reason}")
    assert len(err.splitlines()) == 1


async def test_a_byte_order_mark_and_half_a_character_do_no_harm() -> None:
    code, out, err = await match(b'\xef\xbb\xbf{"text": "\\ud83d \\u0441\\u0431\\u043e\\u0439"}\n')
    assert (code, err) == (0, "")
    assert json.loads(out) == {"text": "\ud83d сбой", "matches": [{"topic": "query", "spans": [[2, 6]]}]}


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ('{"text":"сбой","n":1.10,"m":1e400,"z":-0}', '{"text":"сбой","n":1.10,"m":1e400,"z":-0, "matches": [MATCH]}'),
        ('{"text": "сбой" }', '{"text": "сбой", "matches": [MATCH]}'),
        ('{"text": "сбой", "matches": [1, {"a": 2}], "n": 1.0}', '{"text": "сбой", "n": 1.0, "matches": [MATCH]}'),
        ('{"matches": [], "text": "\\u0441бой"}', '{"text": "\\u0441бой", "matches": [MATCH]}'),
        ('{"id": 5}', '{"id": 5, "matches": []}'),
        ('{"text": null}', '{"text": null, "matches": []}'),
        ("{}", '{"matches": []}'),
        ('{"matches": 1}', '{"matches": []}'),
    ],
)
async def test_match_leaves_what_it_does_not_add_as_it_was_written(line: str, written: str) -> None:
    code, out, err = await match(f'{line}\n{{"text": ""}}\n'.encode())
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == written.replace("MATCH", '{"topic": "query", "spans": [[0, 4]]}')


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--query", "(сбой"), "the query cannot be read"),
        (("--topic", "no-such"), "unknown topic «no-such»"),
        (("--topic", "outages", "--query", "сбой"), "cannot be combined"),
    ],
    ids=["query", "topic", "both"],
)
async def test_what_match_cannot_look_for_is_one_line(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    code, out, err = await typed(tmp_path, "match", *words)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert said in err


async def test_match_without_words_looks_for_all_topics(tmp_path: Path) -> None:
    texts = ("Массовый сбой в работе приложения банка", "В районах отключили мобильный интернет", "Тихий день")
    given = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    code, out, err = await typed(tmp_path, "match", given=given.encode())
    assert (code, err) == (0, "")
    found = [{match["topic"] for match in json.loads(line)["matches"]} for line in out.splitlines()]
    assert "outages" in found[0]
    assert "shutdowns" in found[1]
    assert found[2] == set()


async def test_match_says_so_where_no_line_has_a_text() -> None:
    code, out, err = await match(b'{"message": 1}\n{"message": 2}\n')
    assert (code, out.count("\n"), len(err.splitlines())) == (1, 2, 1)
    assert "no line has a «text»" in err
    assert await match(b"") == (0, "", "")


async def test_match_without_an_output_says_so() -> None:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_shell(
        f"{sys.executable} -m bot match --query сбой >&-", stdin=pipe, stderr=pipe, cwd=ROOT
    )
    _, err = await asyncio.wait_for(process.communicate('{"text": "сбой"}\n'.encode()), WAIT_S)
    assert process.returncode == 1
    assert err.decode().splitlines() == ["standard output is closed: there is nowhere to write to"]


async def test_match_and_backtest_know_topics_of_files_whatever_their_case(tmp_path: Path) -> None:
    async with open_archive(tmp_path) as archive:
        await archive.follow()
    folder = tmp_path / "data"
    (folder / "topics").mkdir()
    (folder / "topics" / "Топливо.toml").write_text('query = "бензин"', encoding="utf-8")
    posts = tmp_path / "posts.jsonl"
    posts.write_text('{"text": "Бензина нет"}', encoding="utf-8")
    for name in ("Топливо", "ТОПЛИВО"):
        code, out, err = await typed(folder, "match", str(posts), "--topic", name)
        assert (code, err) == (0, "")
        assert json.loads(out)["matches"] == [{"topic": "Топливо", "spans": [[0, 7]]}]
    for name in ("топливо", "OUTAGES"):
        assert await typed(folder, "backtest", "--topic", name) == (
            0,
            "",
            "No posts are stored yet, so there is nothing to try it on.\n",
        )
    code, _, err = await typed(folder, "match", str(posts), "--topic", "нефть")
    assert code == 2
    assert "unknown topic «нефть»: there are blocking" in err
    assert "Топливо" in err


async def test_a_search_without_a_hit_says_so(tmp_path: Path) -> None:
    for words, code, said in (
        (("search", "сбой"), 1, "no database"),
        (("invite",), 2, "there is no instance here"),
    ):
        ended, _, err = await typed(tmp_path / "data", *words)
        assert ended == code
        assert said in err
    async with open_archive(tmp_path):
        pass
    ended, _, err = await typed(tmp_path / "data", "search", "сбой")
    assert ended == 0
    assert "Nothing found" in err


async def test_help_names_every_command_in_order_and_waits_for_no_service() -> None:
    script = (
        "import atexit, sys\n"
        "heavy = {'telethon', 'bot.app', 'bot.demo', 'bot.sandbox', 'cryptography', 'matplotlib', 'typst'}\n"
        "atexit.register(lambda: print('imported:', *heavy & set(sys.modules)))\n"
        "from bot.cli import main\n"
        "main()"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script, "--help"), stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    out, _ = await asyncio.wait_for(process.communicate(), WAIT_S)
    *lines, imported = out.decode().splitlines()
    assert imported == "imported:"
    named = [words[1] for words in map(str.split, lines) if len(words) > 1]
    assert [name for name in named if name in COMMANDS] == list(COMMANDS)


def test_a_name_that_looks_like_markup_is_printed_as_it_is() -> None:
    with console.capture() as printed:
        console.print("Logged in as Anna [/b] [red].")
    assert printed.get() == "Logged in as Anna [/b] [red].\n"


@pytest.mark.parametrize("words", [[], ["--debug"]], ids=["plain", "debug"])
def test_what_nobody_foresaw_is_one_line_and_a_traceback_only_on_demand(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def breaks(_settings: object) -> None:
        raise LookupError("something new")

    monkeypatch.setattr(service, "_find_fault", breaks)
    monkeypatch.setattr(sys, "argv", ["channelwatch", "health", *words])
    with pytest.raises(LookupError if words else SystemExit) as ending:
        main()
    if not words:
        assert ending.value.code == 1
        assert capsys.readouterr().err.splitlines() == [
            "LookupError: something new. Run it again with --debug and report what it prints."
        ]


@pytest.mark.parametrize(
    ("ages", "said"),
    [
        ({"run": 10, "healthy": 10}, None),
        ({"run": 10, "healthy": 300}, ": commands hangs"),
        ({"run": 10}, ": commands hangs"),
        ({"run": 300, "healthy": 300}, "no sign of life since "),
        ({}, "no sign of life"),
        ({"run": -3600, "healthy": -3600}, "no sign of life since "),
        ({"run": -1, "healthy": -1}, None),
        ({"run": 10, "healthy": 10, "stopped": 9}, "it was stopped at "),
    ],
    ids=["healthy", "ill", "never_well", "dead", "new", "set_back", "a little ahead", "stopped"],
)
@pytest.mark.parametrize("error", [timedelta(), timedelta(hours=3)], ids=["right clock", "slow clock"])
async def test_health_tells_a_dead_service_from_one_that_is_not_well(
    ages: dict[str, int], said: str | None, error: timedelta, tmp_path: Path
) -> None:
    async def job(tx: Transaction) -> None:
        await meta.put_clock_error(tx, error)
        await meta.put_fault(tx, "commands hangs")
        for sign, age in ages.items():
            await meta.beat(tx, sign, utc_now() + error - timedelta(seconds=age))

    async with open_archive(tmp_path) as archive:
        await archive.db.write(job)
    code, out, err = await typed(tmp_path / "data", "health")
    assert (code, out) == ((1, "") if said else (0, "healthy\n"))
    assert (said or "") in err


async def filled(folder: Path) -> None:
    """Store posts of the last days, and a topic that somebody made."""
    async with open_archive(folder) as archive:
        archive.now = datetime.now(UTC)
        await archive.follow(since=archive.now - timedelta(days=200))
        await archive.follow(OTHER, title="Другое", since=archive.now - timedelta(days=200))
        posts = [post(n, "Сбой в банке", date=archive.now - timedelta(days=3, seconds=n)) for n in range(25)]
        old = post(30, "Сбои банков", date=archive.now - timedelta(days=100))
        near = post(31, "Сбой в городе", date=archive.now - timedelta(days=1))
        await archive.sweep(*posts, old, near, post(1, "Банки: сбой", channel_id=OTHER, date=archive.now))
        await archive.track(None, "Банки", "банк")


async def test_a_query_is_tried_on_the_archive(tmp_path: Path) -> None:
    await filled(tmp_path)
    folder = tmp_path / "data"
    code, out, err = await typed(folder, "backtest", "сбой банк")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert re.fullmatch(r"26 posts from \S+ to \S+, UTC: 1\.[89] a day, 25 on the busiest day\.", lines[0])
    assert lines[1].startswith("More than 20 a day")
    days = [line for line in lines if re.match(r"20\d\d-\d\d-\d\d \w{3}(  |$)", line)]
    assert len(days) == 30
    assert [line[16:] for line in days if line[16:]] == ["█" * 40 + " 25", "█▋ 1"]
    assert "[Банки]: [сбой]" in lines
    assert lines.count("[Сбой] в [банке]") == 4
    assert lines[-2:] == ["  not found: банк", "[Сбой] в городе"]
    assert any(line.startswith("The archive does not reach back that far, in 1 of 2 channels: ") for line in lines)


async def test_a_backtest_may_be_narrowed_and_widened(tmp_path: Path) -> None:
    await filled(tmp_path)
    folder = tmp_path / "data"
    _, whole, _ = await typed(folder, "backtest", "сбой банк", "--all")
    assert whole.startswith("27 posts")
    assert "A bar is a week" in whole
    bars = whole.splitlines()[3:]
    assert re.fullmatch(r"20\d\d-\d\d-\d\d Mon  \S+ 1", bars[0])
    assert re.fullmatch(r"… {15}1[123] weeks without posts", bars[1])
    assert re.fullmatch(r"20\d\d-\d\d-\d\d Mon  \S+ 2[56]", bars[2])
    _, one, _ = await typed(folder, "backtest", "--topic", "банки", "--channel", "@News1002")
    assert one.startswith("1 post from")
    _, day, _ = await typed(folder, "backtest", "банк", "--days", "1")
    assert day.startswith("1 post from")
    _, builtin, _ = await typed(folder, "backtest", "--topic", "outages", "--days", "1")
    assert " post" in builtin.splitlines()[0]


async def test_on_a_terminal_the_words_are_coloured(tmp_path: Path) -> None:
    await filled(tmp_path)
    _, out, _ = await spawned(tmp_path / "data", "backtest", "банк", "--days", "1", FORCE_COLOR="1", TERM="xterm")
    assert "\x1b[7mБанки\x1b[0m: сбой" in out


async def test_a_backtest_reads_filters_and_channels_as_a_search_does(tmp_path: Path) -> None:
    await filled(tmp_path)
    folder = tmp_path / "data"
    _, days, _ = await typed(folder, "backtest", "сбой банк since:5d")
    assert days.startswith("26 posts")
    _, since, _ = await typed(folder, "backtest", "сбой банк since:2d")
    assert since.startswith("1 post from")
    _, until, _ = await typed(folder, "backtest", "сбой банк since:200d until:yesterday")
    assert until.startswith("26 posts")
    _, one, _ = await typed(folder, "backtest", "сбой банк in:@News1002")
    assert one.startswith("1 post from")
    _, begun, _ = await typed(folder, "backtest", "сбой банк", "--channel", "дру")
    assert begun.startswith("1 post from")


async def test_posts_that_are_gone_are_called_so_and_no_post_commands_the_terminal(tmp_path: Path) -> None:
    async with open_archive(tmp_path) as archive:
        archive.now = datetime.now(UTC)
        await archive.follow(title="Ве\x1b[31mсти\u202e", since=archive.now - timedelta(days=2))
        await archive.live(
            post(1, "Сбой\x1b]0;x\x07 \u202eу \x9bбанка\u2066" + " очень" * 30, date=archive.now), gone(1)
        )
    for command in (("search", "банк"), ("backtest", "банк")):
        code, out, err = await typed(tmp_path / "data", *command)
        assert (code, without_reach(err)) == (0, "")
        assert not set("\x1b\x07\x9b\u202e\u2066") & set(out)
        (heading,) = (line for line in out.splitlines() if "https://t.me/News1001/1" in line)
        assert f"(deletion told by Telegram, {archive.now:%Y-%m-%d %H:%M} UTC)" in heading
        (body,) = (line for line in out.splitlines() if line.startswith("Сбой"))
        assert body.endswith("очень")
        assert ("[банка]" in body) == (command[0] == "backtest")


async def test_a_near_miss_of_a_topic_shows_the_beginning_of_a_long_part(tmp_path: Path) -> None:
    async with open_archive(tmp_path) as archive:
        archive.now = datetime.now(UTC)
        await archive.follow(since=archive.now - timedelta(days=2))
        await archive.live(post(1, "Сбой в городе", date=archive.now))
    longs = "|".join(f"слово{letter * 5}" for letter in "абвгдежзиклмн")
    _, out, _ = await typed(tmp_path / "data", "backtest", f"сбой {longs}")
    (line,) = (line for line in out.splitlines() if line.startswith("  not found"))
    assert len(line) == len("  not found: ") + 80
    assert line.endswith("…")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("since:2d",), 2, "nothing to look for"),
        (("сбой order:best",), 2, "leave out history: and order:"),
        (("сбой -in:@x",), 2, "a filter applies to the whole search"),
        (("сбой since:soon",), 2, "cannot read the date «soon»"),
        ((), 2, "give a query or a topic"),
        (("сбой", "--topic", "outages"), 2, "give a query or a topic"),
        (("(сбой",), 2, "the query cannot be read"),
        (("--topic", "nope"), 1, "no topic «nope»"),
        (("сбой", "--channel", "@nope"), 1, "no channel @nope"),
        (("сбой",), 0, "No posts are stored yet"),
    ],
    ids=str,
)
async def test_a_backtest_that_cannot_be_done_is_one_line(
    tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    async with open_archive(tmp_path):
        pass
    ended, out, err = await typed(tmp_path / "data", "backtest", *words)
    assert (ended, out) == (code, "")
    assert said in err
    assert len(err.splitlines()) == 1


async def test_match_takes_no_more_memory_for_many_posts_than_for_few(tmp_path: Path) -> None:
    peaks = []
    for count in (2_000, 10_000):
        file = tmp_path / f"{count}.jsonl"
        texts = (f"сбой банка и погода, министр заявил о сроках {n}{n * 7 % 1000}" for n in range(count))
        rows = ({"text": text, "note": "x" * 800} for text in texts)
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        peaks.append(await peak_memory(tmp_path, "match", "--query", "сбой ~3 банк", file))
    assert peaks[1] < peaks[0] * 1.05


async def test_match_ends_quietly_where_nobody_reads_on() -> None:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_shell(
        f"{sys.executable} -m bot match --query сбой | head -1", stdin=pipe, stdout=pipe, stderr=pipe, cwd=ROOT
    )
    given = ('{"text": "сбой"}\n' * 20_000).encode()
    out, err = await asyncio.wait_for(process.communicate(given), WAIT_S)
    assert (out.count(b"\n"), err) == (1, b"")


async def test_match_answers_a_line_before_the_next_one_comes() -> None:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "match", "--query", "сбой"), stdin=pipe, stdout=pipe, cwd=ROOT
    )
    assert process.stdin is not None
    assert process.stdout is not None
    for _ in range(2):
        process.stdin.write('{"text": "сбой"}\n'.encode())
        assert "matches" in json.loads(await asyncio.wait_for(process.stdout.readline(), WAIT_S))
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), WAIT_S) == 0


def test_the_pages_name_commands_and_options_that_there_are() -> None:
    for name in dict.fromkeys(COMMANDS.values()):
        import_module(f"bot.cli.{name}")
    programs: dict[str, Any] = typer.main.get_command(cli).commands  # type: ignore[attr-defined]
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "bot/topics/README.md"]
    texts = [page.read_text("utf-8") for page in (*pages, *(ROOT / "bot/evidence/texts").iterdir())]
    typed_words = re.findall(r"(?:`|bin/|channelwatch )channelwatch ([a-z][a-z-]+)([^`\n#]*)", "\n".join(texts))
    assert len(typed_words) > 50
    assert {name for name, _ in typed_words} <= set(programs) | {"make", "git", "install"}  # of `sudo -u channelwatch`
    for name, rest in typed_words:
        known = {option for each in getattr(programs.get(name), "params", ()) for option in each.opts}
        said = set(re.findall(r"--[a-z][a-z-]+", rest)) if name in programs else set()
        if name != "targets":  # has commands of its own
            assert said <= known, name
