"""One instance posts its heads in a channel; another reads them there, and counter-signs what follows."""

import base64
import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.evidence.countersignatures import ForeignHead, fault_of, read_head
from bot.evidence.head_loop import HeadLoop
from bot.evidence.signing_key import Signer
from bot.locales import translator
from bot.locales.locale import Locale
from bot.models.notices import NOTICES, HeadFault
from bot.rendering.notices import render_notice
from bot.store import chats, ledger, people
from bot.store.foreign_heads import ChannelHead
from tests.commands.kit import Bot, button, text
from tests.kit_archive import NEWS, Archive, open_archive, post
from tests.kit_clock import NOON


def loop_of(archive: Archive, folder: Path) -> HeadLoop:
    return HeadLoop(archive.db, folder, [], proxy=None, clock=lambda: archive.now)


async def posted(archive: Archive) -> list[str]:
    """Return what the chat sees of heads, as it is rendered."""
    rows = await archive.db.fetch_all("SELECT body FROM messages WHERE notice = 'head' ORDER BY id")
    return [
        render_notice(NOTICES.validate_json(row["body"]), Locale(t=translator("ru"), time_zone="UTC", now=NOON)).text
        for row in rows
    ]


async def refused(archive: Archive) -> list[str]:
    rows = await archive.db.fetch_all("SELECT body FROM messages WHERE notice = 'head_refused' ORDER BY id")
    return [json.loads(row["body"])["fault"] for row in rows]


async def test_a_head_goes_into_the_chat_each_day_and_is_countersigned_where_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    async with open_archive(tmp_path / "a") as ours, open_archive(tmp_path / "b") as theirs:
        for archive in (ours, theirs):
            await archive.follow()
        chat = await ours.pair()
        await ours.db.write(lambda tx: chats.save(tx, replace(chat, heads=True)))
        first, second = loop_of(ours, tmp_path / "a"), loop_of(theirs, tmp_path / "b")
        for hours in (0, 1, 24, 48):
            ours.now = NOON + timedelta(hours=hours)
            await ours.live(post(hours + 1))
            await first.turn()
            if hours == 24:
                for _ in range(2):
                    await Signer(ours.db, tmp_path / "a").rotate(ours.now)
        texts = await posted(ours)
        assert len(texts) == 3
        await second.turn()
        for number, each in enumerate(texts, start=1):
            await theirs.live(post(number, each))
        for _ in range(2):
            await second.turn()
        lines = [json.loads(line.text) for line in await ledger.lines(theirs.db, after=0, most=99)]
        kept = [json.loads(line["detail"]) for line in lines if line["kind"] == "countersigned"]
        assert [head["sequence"] for head in kept] == [2, 4, 7]
        assert await refused(theirs) == []
        await theirs.pair(501)
        await theirs.db.write(lambda tx: people.take_over(tx, [501], now=NOON))
        for number in (4, 5):  # one notice a day for each channel
            await theirs.live(post(number, texts[0]))
            await second.turn()
        assert await refused(theirs) == ["key"]
        theirs.now += timedelta(days=1)
        await theirs.live(post(6, texts[0]))
        await second.turn()
        assert await refused(theirs) == ["key", "key"]
        await an_owner_accepts_what_was_refused(theirs, second, texts[1])


async def kinds(archive: Archive) -> list[str]:
    """Return what the ledger says of heads."""
    lines = [json.loads(line.text) for line in await ledger.lines(archive.db, after=0, most=99)]
    return [line["kind"] for line in lines if line["kind"].startswith(("countersigned", "head_"))]


async def an_owner_accepts_what_was_refused(archive: Archive, loop: HeadLoop, following: str) -> None:
    bot, before = Bot(archive), await kinds(archive)
    row = (await archive.db.fetch_all("SELECT body FROM messages WHERE notice = 'head_refused' ORDER BY id"))[-1]
    notice = NOTICES.validate_json(row["body"])
    shown = render_notice(notice, Locale(t=translator("ru"), time_zone="UTC", now=NOON))
    asked = await bot.taps(button(shown, "Принять"))
    assert re.search(r"Ключ: [0-9a-f]{64} → [0-9a-f]{64}\nСтрока журнала: 7 → 2\n", text(asked)), text(asked)
    sure = button(asked.messages[0], "Принять")
    done = await bot.taps(sure)
    assert await kinds(archive) == [*before, "head_accepted"]
    assert (await bot.taps(sure)).note == "Эта кнопка больше не работает."
    assert "без доказательств принята подпись" in text(await bot.says("/log"))
    await bot.taps(button(done.edit, "Отменить"))
    assert await kinds(archive) == [*before, "head_accepted", "head_withdrawn"]
    again = await bot.taps(sure)
    await archive.live(post(7, following))
    await loop.turn()
    assert (await kinds(archive))[-2:] == ["head_accepted", "countersigned"]
    assert "с тех пор что-то изменилось" in text(await bot.taps(button(again.edit, "Отменить"))).lower()
    assert (await refused(archive))[2:] == []
    forged = replace(notice, fault=HeadFault.SIGNATURE)
    assert render_notice(forged, Locale(t=translator("en"), time_zone="UTC", now=NOON)).buttons == ()


LAST = ChannelHead(channel_id=NEWS, message_id=1, text="{}", key=b"k".hex(), sequence=5, hash="ab")
HEAD = ForeignHead(text="{}", public=b"k", sequence=6, hash="cd", is_signed=True)


@pytest.mark.parametrize(
    ("head", "why"),
    [
        pytest.param(HEAD, None, id="follows"),
        pytest.param(replace(HEAD, sequence=5, hash="ab"), None, id="the same"),
        pytest.param(replace(HEAD, is_signed=False), "signature", id="not signed"),
        pytest.param(replace(HEAD, public=b"x"), "key", id="another key"),
        pytest.param(replace(HEAD, public=b"x", earlier=(b"y", b"k")), None, id="a key that followed"),
        pytest.param(replace(HEAD, public=b"x", earlier=(b"k",), sequence=4), "back", id="such a key, fewer lines"),
        pytest.param(replace(HEAD, sequence=4), "back", id="fewer lines"),
        pytest.param(replace(HEAD, sequence=5), "hash", id="another hash"),
    ],
)
def test_a_head_that_does_not_follow_from_the_last_is_refused_with_a_reason(head: ForeignHead, why: str | None) -> None:
    assert fault_of(head, LAST) == why


MARK = '{"what":"head of a ledger of channelwatch"'
KEY = base64.b64encode(bytes(range(32))).decode()
SIGNATURE = base64.b64encode(bytes(64)).decode()


@pytest.mark.parametrize(
    "written",
    [
        "Тихо",
        MARK,
        f"{MARK}}}\nx\ny",
        f'{MARK},"key":"","hash":"","sequence":1e999}}\n{SIGNATURE}\n{KEY}',
        f'{MARK},"key":{"[" * 4000}\n{SIGNATURE}\n{KEY}',
    ],
    ids=["none", "cut off", "empty", "endless", "deep"],
)
def test_what_is_no_head_is_none(written: str) -> None:
    assert read_head(written) is None
