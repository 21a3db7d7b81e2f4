"""/about, and `channelwatch about`, which says the same."""

from pathlib import Path

from bot import __version__
from bot.evidence.signing_key import Signer
from bot.store import heads
from bot.store.heads import HeadStamp, fingerprint, pem
from tests.commands.kit import Bot, text
from tests.kit_archive import post
from tests.kit_clock import NOON
from tests.shell import typed

SAID = [
    f"channelwatch {__version__}",
    "Reads Telegram channels and alerts you as soon as a post is about one of your topics.",
    "Free under the MIT licence; whoever runs it here has its source code.",
    "",
]


async def test_it_shows_the_key_to_copy_and_up_to_when_it_has_signed(bot: Bot, tmp_path: Path) -> None:
    await bot.pair()
    assert text(await bot.says("/about")).splitlines() == [
        *SAID,
        "No key signs the ledger yet: it is made when the service starts.",
    ]
    await bot.archive.follow(title="Вести")
    await bot.archive.live(post(1))
    head = await Signer(bot.db, tmp_path).sign(NOON)
    late, never = (
        HeadStamp(head_id=head.id, authority=url, reply=reply, stamped_at=reply and NOON, tried_at=NOON, reason=reason)
        for url, reply, reason in (("https://a.test/{tsr}", b"1", None), ("https://b.test", None, "timed out"))
    )
    await bot.db.write(lambda tx: heads.put_stamp(tx, late))
    await bot.db.write(lambda tx: heads.put_stamp(tx, never))
    (key,) = await heads.keys(bot.db)
    reply = await bot.says("/about")
    lines = [
        *SAID,
        "The archive is complete since 10 Mar, 12:00 UTC.",
        "",
        "Since 10 Mar, 12:00 UTC this key has signed all that is stored; a tap copies it:",
        *pem(key.public).splitlines(),
        f"Its SHA-256: {fingerprint(key.public)}",
        "",
        f"Last signed 10 Mar, 12:00 UTC: {head.sequence} of {head.sequence} lines of the ledger, {head.hash.hex()}",
        "https://a.test/{tsr}: last stamped 10 Mar, 12:00 UTC",
        "https://b.test: never stamped; the last try failed: timed out",
    ]
    assert text(reply).splitlines() == lines
    (shown,) = reply.messages
    words = shown.text.encode("utf-16-le")
    copied = [words[2 * e.offset : 2 * (e.offset + e.length)].decode("utf-16-le") for e in shown.entities]
    assert copied[1:] == [pem(key.public).strip(), fingerprint(key.public), head.hash.hex()]


async def test_the_command_line_says_the_same(bot: Bot, tmp_path: Path) -> None:
    await Signer(bot.db, tmp_path).sign(NOON)
    (key,) = await heads.keys(bot.db)
    code, out, err = await typed(tmp_path / "data", "about")
    assert (code, err) == (0, "")
    assert out.splitlines()[:4] == SAID
    assert pem(key.public) in out
