import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from bot.cli import main, service
from bot.cli.shell import console

ROOT = Path(__file__).parents[1]


async def match(given: bytes) -> tuple[int, bytes, str]:
    """Filter bytes through `match --query сбой`; return exit code, standard output and standard error."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "match", "--query", "сбой"), stdin=pipe, stdout=pipe, stderr=pipe, cwd=ROOT
    )
    out, err = await asyncio.wait_for(process.communicate(given), 30)
    return process.returncode or 0, out, err.decode()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"nope", "is no JSON (Expecting value)"),
        (b'{"text": "\xff"}', "is not in UTF-8"),
        (b'{"text": "a", "n": ' + b"1" * 5000 + b"}", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b'{"text": 5}', "has no «text» string"),
    ],
    ids=["words", "bytes", "long number", "deep", "number"],
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


async def test_a_search_without_a_hit_says_so(tmp_path: Path) -> None:
    env = {**os.environ, "DATA_DIR": str(tmp_path)}
    pipe = asyncio.subprocess.PIPE
    for words, code, said in (
        (("search", "сбой"), 1, "no database"),
        (("invite",), 0, ""),
        (("search", "сбой"), 0, "Nothing found"),
    ):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", *words), stdout=pipe, stderr=pipe, cwd=ROOT, env=env
        )
        _, err = await asyncio.wait_for(process.communicate(), 30)
        assert process.returncode == code
        assert said in err.decode()


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

    monkeypatch.setattr(service, "_last_beats", breaks)
    monkeypatch.setattr(sys, "argv", ["channelwatch", "health", *words])
    with pytest.raises(LookupError if words else SystemExit) as ending:
        main()
    if not words:
        assert ending.value.code == 1
        assert capsys.readouterr().err.splitlines() == [
            "LookupError: something new. Run it again with --debug and report what it prints."
        ]
