import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bot.store import channels, marks, posts
from bot.store.database import open_read_only
from tests.commands.kit import Bot, text
from tests.kit_archive import NEWS, NOON, Archive, open_archive
from tests.shell import peak_memory, typed
from tests.sources.test_desktop_export import account, chat, message

MIB = 1 << 20
LATER = NOON + timedelta(days=1)  # than the posts of an export


def export(folder: Path, content: object) -> Path:
    path = folder / "result.json"
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1))
    return path


async def test_an_account_is_imported_with_a_report_and_again_without_harm(tmp_path: Path) -> None:
    service = message(3, "", type="service", action="pin_message")
    path = export(
        tmp_path,
        account(
            chat(message(1, "Сбой в банке"), message(2, "Тихий день"), service),
            chat(message(1, "личное"), message(2, "личное"), id=8, type="personal_chat"),
            chat(message(7, "Сбой у всех"), id=1002, name="[b]Хроника\x1b[31m", type="private_channel"),
        ),
    )
    left_out = [
        "Left out: 3",
        "        2 messages of private chats, bots and saved messages",
        "        1 service messages, such as joins, pins and changes of the title",
    ]
    code, out, err = await typed(tmp_path / "data", "import", path, "--username", "Вести=@vesti")
    assert (code, err) == (0, "")
    assert out.splitlines() == ["Вести: 2 new", "[b]Хроника\N{REPLACEMENT CHARACTER}[31m: 1 new", *left_out]
    _, out, _ = await typed(tmp_path / "data", "import", tmp_path)  # the folder stands for the file in it
    assert out.splitlines()[0] == "Вести: 2 already stored"
    assert out.splitlines()[2:] == left_out
    async with open_read_only(tmp_path / "data" / "bot.db") as database:
        assert len(await posts.latest(database, limit=9)) == 3


async def test_imported_posts_are_found_and_their_channels_are_not_listed_as_followed(tmp_path: Path) -> None:
    await typed(tmp_path / "data", "import", export(tmp_path, chat(message(5, "Сбои банка"))))
    _, out, _ = await typed(tmp_path / "data", "search", "сбой in:Вести")
    assert "https://t.me/c/1001/5" in out
    assert "Сбои банка" in out
    async with open_archive(tmp_path) as archive:
        desk = Bot(archive)
        await desk.pair()
        assert text(await desk.says("/channels")).startswith("Add the channels after the command")
        assert "I do not follow a channel" in text(await desk.says("/unfollow Вести"))
        assert "Сбои банка" in text(await desk.says("/search сбой"))
        await archive.follow(NEWS, title="Вести")
        assert "I follow 1 channel." in text(await desk.says("/channels"))


async def test_what_a_running_service_is_about_to_read_is_left_to_it(archive: Archive, tmp_path: Path) -> None:
    await archive.follow()
    code, out, _ = await typed(tmp_path / "data", "import", export(tmp_path, chat(message(11), message(12))))
    assert code == 0
    assert out.splitlines() == [
        "Вести: nothing",
        "Left out: 2",
        "        2 posts that a reader account is about to see on Telegram, where they may raise an alert",
    ]
    assert await posts.latest(archive.db, limit=9) == []


@pytest.mark.parametrize(
    ("spoil", "out", "said"),
    [
        (lambda whole: whole[: len(whole) * 3 // 4], "Вести: 7", "breaks off or is damaged near byte"),
        (lambda whole: whole.replace(b'"id": 700,', b'"id": 700'), "Вести: 699 new", "breaks off or is damaged"),
        (lambda _: b"<html>", "", "this is an export in HTML"),
        (lambda _: b"", "", "the file is empty"),
        (lambda _: b'{"contacts": {}}', "", "there are no chats in this file"),
    ],
    ids=["truncated", "damaged", "html", "empty", "no chats"],
)
async def test_a_broken_file_is_stored_as_far_as_it_goes_and_said_in_one_line(
    tmp_path: Path, spoil: Callable[[bytes], bytes], out: str, said: str
) -> None:
    path = export(tmp_path, chat(*(message(n, f"Раз {n}") for n in range(1, 1001))))
    path.write_bytes(spoil(path.read_bytes()))
    code, printed, err = await typed(tmp_path / "data", "import", path)
    assert (code, len(err.splitlines())) == (1, 1)
    assert said in err
    assert printed.startswith(out)
    assert bool(printed) == bool(out)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere.json",), "there is no file nowhere.json"),
        ((".",), "there is no file result.json"),
        (("result.json", "--time-zone", "Europe"), "there is no time zone «Europe»"),
        (("result.json", "--username", "Вести=+x"), "--username: «+x» is not a public name"),
    ],
    ids=["no file", "a folder without one", "no zone", "no name"],
)
async def test_wrong_use_is_one_line(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    code, out, err = await typed(tmp_path / "data", "import", *words)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert said in err
    assert not (tmp_path / "data").exists()


async def test_an_old_export_is_dated_where_it_was_made(tmp_path: Path) -> None:
    old = message(1, "Давно", date="2020-06-01T12:00:00")
    del old["date_unixtime"]
    path = export(tmp_path, chat(old))
    code, out, err = await typed(tmp_path / "data", "import", path)
    assert (code, len(err.splitlines())) == (1, 1)
    assert "1 message is dated without a time zone, as in old exports" in err
    assert "import it again with --time-zone" in err
    _, out, _ = await typed(tmp_path / "data", "import", path, "--time-zone", "Europe/Moscow")
    assert out.splitlines()[0] == "Вести: 1 new"
    _, out, _ = await typed(tmp_path / "data", "search")
    assert out.startswith("2020-06-01 09:00 UTC")


@pytest.mark.parametrize("names", [("@vesti",), ("вести=@vesti", "1002=https://t.me/hronika")], ids=["one", "several"])
async def test_a_public_channel_that_is_named_has_public_links(tmp_path: Path, names: tuple[str, ...]) -> None:
    public, secret = chat(message(5, "Сбой")), chat(message(9, "Сбой"), id=1003, name="Своё", type="private_channel")
    several = account(public, chat(message(7, "Сбой"), id=1002, name="Хроника"), secret)
    path = export(tmp_path, public if len(names) == 1 else several)
    _, out, _ = await typed(tmp_path / "data", "import", path)
    assert "An export leaves out the public name of «Вести»" in out
    assert "«Своё»" not in out
    if len(names) > 1:
        code, out, err = await typed(tmp_path / "data", "import", path, "--username", "@vesti")
        assert (code, out) == (2, "")
        assert "several chats" in err
    options = [word for name in names for word in ("--username", name)]
    code, out, err = await typed(tmp_path / "data", "import", path, *options)
    assert (code, err, "--username" in out) == (0, "", False)
    _, out, _ = await typed(tmp_path / "data", "search", "сбой")
    assert "https://t.me/vesti/5" in out
    assert ("https://t.me/hronika/7" in out) == (len(names) == 2)
    assert ("https://t.me/c/1003/9" in out) == (len(names) == 2)


async def test_a_bar_is_drawn_on_a_terminal_only(tmp_path: Path) -> None:
    path = export(tmp_path, chat(message()))
    _, _, err = await typed(tmp_path / "data", "import", path, FORCE_COLOR="1", TERM="xterm")
    assert "Importing" in err
    _, _, err = await typed(tmp_path / "data", "import", path)
    assert err == ""


async def test_a_large_export_takes_no_more_memory_than_a_small_one(tmp_path: Path) -> None:
    peaks = []
    for size in (1, 6):  # MiB, on one line
        path = tmp_path / f"{size}.json"
        count = size * MIB // 2200
        path.write_text(
            json.dumps(chat(*(message(n, f"Раз {n} {'слово ' * 300}") for n in range(1, count))), ensure_ascii=False)
        )
        peaks.append(await peak_memory(tmp_path / f"data{size}", "import", path))
    assert peaks[1] < peaks[0] * 1.05


@pytest.mark.parametrize(("last", "complete_id"), [(60, 10), (49, 10), (48, 50)])
async def test_an_export_that_joins_what_was_read_makes_its_channel_complete_from_its_first_post_on(
    tmp_path: Path, last: int, complete_id: int
) -> None:
    async with open_archive(tmp_path) as archive:
        await archive.follow()
        await archive.db.write(lambda tx: marks.begin_past(tx, NEWS, low=50, since=LATER))
    exported = chat(*(message(number, "Тихий день") for number in range(10, last + 1)), id=NEWS)
    await typed(tmp_path / "data", "import", export(tmp_path, exported))
    async with open_read_only(tmp_path / "data" / "bot.db") as database:
        channel = await channels.get(database, NEWS)
        assert channel is not None
        assert channel.complete_id == complete_id
        assert (channel.complete_from == LATER) == (complete_id == 50)
