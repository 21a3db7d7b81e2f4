import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from .store.kit import NEWS, OTHER, ago, newsroom, post

ROOT = Path(__file__).parents[1]


async def shell(folder: Path, *words: str) -> tuple[int, str, str]:
    """Search from a shell; return exit code, standard output and standard error."""
    pipe = asyncio.subprocess.PIPE
    environment = {**os.environ, "DATA_DIR": str(folder / "data")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "search", *words), stdout=pipe, stderr=pipe, cwd=ROOT, env=environment
    )
    out, err = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode or 0, out.decode(), err.decode()


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
    ],
    ids=" ".join,
)
async def test_the_shell_narrows_and_orders_as_the_chat_does(
    tmp_path: Path, words: Sequence[str], expected: list[str]
) -> None:
    async with newsroom(tmp_path) as room:
        await room.follow(NEWS, title="Вести")
        await room.follow(OTHER, title="Хроника")
        await room.live(post(1, "Сбой, было", date=ago(days=1)), post(2, "Сбой, сбой и сбой", date=ago(days=5)))
        await room.live(post(1, "Сбой раз", date=ago(days=1), edit_date=ago(hours=1)))
        await room.live(post(3, "Сбой три", channel_id=OTHER, date=ago(hours=2)))
    code, out, err = await shell(tmp_path, *words)
    assert (code, err) == (0, "")
    assert [line for line in out.splitlines() if line.startswith("Сбой")] == expected
    assert " ".join(out.split()).count("(earlier wording, 2025-03-09 12:00 UTC)") == words.count("--history")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["сбой", "--channel", "@nobody"], "I know no channel «@nobody»"),
        (["сбой", "--since", "soon"], "cannot read the date «soon»"),
        (["сбой ("], "the query cannot be read"),
    ],
)
async def test_what_cannot_be_used_is_one_line(tmp_path: Path, words: Sequence[str], said: str) -> None:
    async with newsroom(tmp_path):
        pass
    code, out, err = await shell(tmp_path, *words)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert said in err
