"""`stats`: a chart as lines and as a file."""

from pathlib import Path

from bot.runtime.clock import utc_now
from tests.kit_archive import open_archive, post
from tests.shell import typed


async def test_a_chart_is_lines_and_a_file(tmp_path: Path) -> None:
    async with open_archive(tmp_path) as archive:
        archive.now = utc_now()
        await archive.follow(title="Вести \x1b[31m")
        await archive.live(post(1, date=archive.now))
    png = tmp_path / "channels.png"
    code, out, err = await typed(
        tmp_path / "data", "stats", "channels", "--png", str(png), "--dark", "--language", "ru"
    )
    assert (code, err) == (0, "")
    assert out.splitlines() == ["Каналы · 7 дней", "Вести  [31m: постов 1, оповещений 0"]
    assert png.read_bytes().startswith(b"\x89PNG")
    assert png.stat().st_mode & 0o077 == 0
    code, _, err = await typed(tmp_path / "data", "stats", "--of", "Нет")
    assert (code, err) == (2, "There is no group, topic or channel «Нет».\n")
