"""A bundle is checked by its script, by bagit.py and OpenSSL, and each tampering is found and named."""

import asyncio
import base64
import hashlib
import json
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import bagit
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from warcio.archiveiterator import ArchiveIterator

from bot.errors import FatalError
from bot.evidence import bundle, verify
from bot.evidence.bag import alone_in
from bot.evidence.calendars import Calendars
from bot.evidence.signing_key import FILE, Signer
from bot.models import Media, Withholding
from bot.parts import Part, PartKind
from bot.sandbox import Sandbox
from bot.store import cases, channels, heads, marks, media, posts, unreadable
from bot.store.blobs import Blobs
from bot.store.database import Transaction
from bot.store.heads import pem
from bot.store.media import FileInfo
from tests.evidence.kit import authority, calendar, make_authority
from tests.kit_archive import NEWS, OTHER, Archive, gone, open_archive, post
from tests.kit_clock import NOON
from tests.shell import typed

HIDDEN = (Withholding("ios", "copyright", "Withheld"),)


@dataclass(frozen=True)
class Made:
    """A bundle, and what somebody who checks it has from elsewhere."""

    folder: Path
    ca: Path
    key: str
    block: tuple[int, str]  # of Bitcoin, by height and Merkle root


async def keep_photo(archive: Archive, folder: Path, content: bytes) -> None:
    blob = Blobs(folder / "data" / "media").put(content)
    (row,) = await archive.db.fetch_all("SELECT id FROM media WHERE state = 'wanted'")
    info = FileInfo(mime="image/jpeg", name=None, size=blob.size)
    await archive.db.write(
        lambda tx: media.keep(tx, row["id"], blob, info, reader_id=archive.reader_id, now=archive.now)
    )


async def live(folder: Path) -> None:
    """Tell of posts, edits, losses, a preview and a gap, before and after a key was handed over."""
    async with open_archive(folder) as archive:
        for channel_id in (NEWS, OTHER):
            await archive.follow(channel_id)
        await archive.track(await archive.pair(), "сбои", "сбой")
        await archive.live(post(1, "О другом", channel_id=OTHER))
        first = post(1, "Сбой «в сети» 🌲\u2028\x85\u2029")
        second = post(2, "Сбой с фото", media=Media(kind="photo", id=7))
        await archive.live(first, second, post(3, "Тихо"))
        await keep_photo(archive, folder, b"a photo")
        signer = Signer(archive.db, folder / "data")
        await signer.sign(NOON)
        await signer.rotate(NOON + timedelta(minutes=1))
        archive.now = NOON + timedelta(hours=1)
        edit = replace(first, text="Сбоя нет", raw=b"edited", edit_date=archive.now)
        other = replace(second, media=Media(kind="photo", id=8), raw=b"another photo", edit_date=archive.now)
        await archive.live(edit, other, post(2, "Ещё об одном", channel_id=OTHER))
        await keep_photo(archive, folder, b"another photo")
        await archive.live(gone(2))
        await archive.live(replace(edit, parts=(Part(kind=PartKind.PREVIEW, text="Погода"),), raw=b"preview"))
        await archive.db.write(lambda tx: unreadable.put_hidden(tx, NEWS, [9], now=NOON))
        await archive.db.write(lambda tx: marks.doubt(tx, NEWS, now=NOON))
        await archive.db.write(lambda tx: marks.begin_past(tx, NEWS, low=1, since=NOON - timedelta(days=30)))
        await archive.db.write(lambda tx: marks.set_mark(tx, NEWS, confirmed_id=3, seen_pts=1, now=archive.now))
        for channel_id in (NEWS, OTHER):
            hidden = partial(channels.set_withheld, channel_id=channel_id, found=HIDDEN, reader_id=None, now=NOON)
            await archive.db.write(hidden)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("bundle")

    async def make() -> Made:
        ca = make_authority(folder / "tsa")
        await live(folder)
        async with authority(folder / "tsa") as tsa, calendar() as bitcoin:
            async with open_archive(folder) as archive:
                head = await heads.last(archive.db)
                assert head is not None
                await Calendars(archive.db, [bitcoin.url], proxy=None).submit(head, NOON)
            block = (900_000, bitcoin.mine(900_000))
            place, urls = folder / "bag", f"{tsa.url},http://127.0.0.1:9/out"
            words = ("export", "сбой", "--channel", "@News1001", "--evidence", place)
            code, out, said = await typed(folder / "data", *words, TIMESTAMP_URLS=urls, OPENTIMESTAMPS_URLS=bitcoin.url)
            assert (code, out) == (0, "")
            assert "http://127.0.0.1:9/out did not stamp the ledger: no connection" in said
            assert "4 versions of 2 messages, 2 files, 1 stamps" in said
            assert "2 proofs of OpenTimestamps, 1 pending: these prove nothing yet" in said
        async with open_archive(folder) as archive:
            key = hashlib.sha256((await heads.keys(archive.db))[-1].public).hexdigest()
        return Made(folder=place, ca=ca, key=key, block=block)

    return asyncio.run(make())


def check(bundle: Path, *words: object) -> tuple[int, str]:
    script = bundle / "data" / "verify.py"
    asked = [sys.executable, "-I", str(script), str(bundle), *map(str, words)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603 - as its README says
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_a_bundle_is_found_good_by_its_script_and_by_bagit(made: Made) -> None:
    code, out = check(made.folder, "--key", made.key, "--ca", made.ca)
    assert (code, "GOOD: 4 versions" in out, ".tsr, checked" in out) == (0, True, True), out
    assert f"not checked: does that block have the Merkle root {made.block[1]}?" in out
    assert out.count(".json.ots is pending: it proves nothing yet") == 1
    assert bagit.Bag(str(made.folder)).validate()
    assert made.folder.stat().st_mode & 0o777 == 0o700


def test_nothing_is_called_wrong_where_openssl_is_too_old(made: Made, tmp_path: Path) -> None:
    old = tmp_path / "openssl"
    old.write_text("#!/bin/sh\necho LibreSSL 3.3.6\n", "utf-8")
    old.chmod(0o700)
    asked = [sys.executable, "-I", str(made.folder / "data" / "verify.py"), str(made.folder)]
    done = subprocess.run(asked, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    said = "Nothing was checked: this needs OpenSSL 3 or newer, and here is LibreSSL 3.3.6.\n"
    assert (done.returncode, done.stdout) == (2, said)


def test_a_photo_that_was_replaced_is_there_beside_the_other(made: Made) -> None:
    kept = sorted(path.read_bytes() for path in (made.folder / "data" / "media").iterdir())
    assert kept == [b"a photo", b"another photo"]


def test_the_steps_of_its_readme_find_it_good_and_a_changed_line_bad(made: Made, tmp_path: Path) -> None:
    bundle = tmp_path / "bag"
    shutil.copytree(made.folder, bundle)
    shutil.copyfile(made.ca, bundle / "authority.pem")
    readme = (bundle / "data" / "README.txt").read_text("utf-8").partition("By hand, step")[2].partition("\n7. ")[0]
    steps = "\n".join(line for line in readme.splitlines() if line.startswith(" " * 5))
    code, out = shell(bundle, f"set -e\n{sys.executable} -m bagit --quiet --validate .\n{steps}")
    last = (bundle / "data" / "ledger.tsv").read_text("utf-8").splitlines()[-1].split("\t")[2]
    assert (code, out.count("Verified Successfully"), out.count("Verification: OK")) == (0, 3, 1), out
    assert made.key in out
    assert out.endswith(f"the chain ends with {last}\n")
    edit_lines("ledger.tsv", replaced(1, '"seen_at":1', '"seen_at":2'))(bundle / "data")
    code, out = shell(bundle, steps)
    assert "data/ledger.tsv: FAILED" in out
    assert "line 2: text" in out
    assert "is not in the ledger" not in out
    edit_lines("raw.tsv", bring_bytes)(bundle / "data")  # with a digest that is true of them
    code, out = shell(bundle, steps)
    assert f"{hashlib.sha256(b'other').hexdigest()} is not in the ledger" in out


def test_its_readmes_say_the_same_steps_and_what_it_proves_and_what_not(made: Made) -> None:
    commands = []
    words = {
        "README.txt": ("WHAT IT PROVES", "That Telegram sent it.", "That the newsroom was honest before the first"),
        "README.ru.txt": ("ЧТО ЭТО ДОКАЗЫВАЕТ", "Что это прислал Telegram.", "Что редакция была честна до первого"),
    }
    for name, said in words.items():
        text = (made.folder / "data" / name).read_text("utf-8")
        head, _, by_hand = text.partition("  python3 data/verify.py .\n")
        assert all(each in head for each in said), name
        steps = by_hand.partition("\n7. ")[0]
        commands.append([line for line in steps.splitlines() if line.startswith(" " * 5)])
    assert commands[0] == commands[1]


def bring_bytes(rows: list[str]) -> None:
    *key, _, _ = rows[0].split("\t")
    rows[0] = "\t".join((*key, hashlib.sha256(b"other").hexdigest(), base64.b64encode(b"other").decode())) + "\n"


def shell(folder: Path, script: str) -> tuple[int, str]:
    done = subprocess.run(["/bin/sh", "-c", script], cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    return done.returncode, done.stdout


def test_it_says_nothing_of_other_posts_and_all_of_its_channel(made: Made) -> None:
    every = "".join(
        path.read_text("utf-8")
        for path in made.folder.rglob("*")
        if path.is_file() and path.suffix in {".jsonl", ".json", ".tsv"}
    )
    assert f'"channel":{OTHER}' not in every.replace(" ", "")
    assert "Тихо" not in every
    rows = [row.split("\t") for row in (made.folder / "data" / "ledger.tsv").read_text("utf-8").splitlines()]
    shown = [json.loads(row[3])["kind"] for row in rows if row[3] != "-"]
    assert shown == [
        *("version", "version", "file", "key", "key", "version", "version", "file"),
        *("deletion", "addition", "gap", "gap", "withheld"),
    ]
    (channel,) = json.loads((made.folder / "data" / "coverage.json").read_text("utf-8"))["channels"]
    assert (channel["complete_from"], channel["complete_from_message"]) == ("2025-02-08T12:00:00Z", 1)
    assert (channel["complete_until"], channel["complete_until_message"]) == ("2025-03-10T13:00:00Z", 3)
    assert channel["withheld"] == [{"platform": "ios", "reason": "copyright", "text": "Withheld"}]
    assert channel["gaps"][-1].startswith("message 9 could not be read since 2025-03-10T12:00:00Z: its web page")


async def test_a_case_is_bundled_and_one_that_is_not_there_is_named(made: Made, tmp_path: Path) -> None:
    folder = made.folder.parent
    async with open_archive(folder) as archive:
        (quiet,) = await posts.current(archive.db, NEWS, [3])

        async def job(tx: Transaction) -> None:
            case_id = await cases.make(tx, "Обрыв", author_id=None, author="", now=NOON)
            await cases.add(tx, case_id, quiet, chat_id=1, name="Анна", now=NOON)

        await archive.db.write(job)
    words = ("export", "--evidence", tmp_path / "bag", "--case")
    code, _, said = await typed(folder / "data", *words, "обрыв", TIMESTAMP_URLS="off")
    assert (code, "1 versions of 1 messages, 0 files, 1 stamps" in said) == (0, True), said
    assert check(tmp_path / "bag", "--ca", made.ca)[0] == 0
    code, _, said = await typed(folder / "data", *words, "нет", TIMESTAMP_URLS="off")
    assert (code, said.count("\n")) == (2, 1)


async def test_a_key_that_was_lost_is_named_and_the_new_one_has_to_be_known(made: Made, tmp_path: Path) -> None:
    shutil.copytree(made.folder.parent / "data", tmp_path / "data")
    (tmp_path / "data" / FILE).unlink()
    shutil.rmtree(tmp_path / "data" / "media")  # as on another machine after a backup was restored
    bag = tmp_path / "bag"
    code, _, said = await typed(tmp_path / "data", "export", "сбой", "--evidence", bag, TIMESTAMP_URLS="off")
    assert code == 0, said
    new = hashlib.sha256(verify.public_of(max((bag / "data" / "keys").glob("*.pem")))).hexdigest()
    for words, is_good in (((), False), (("--key", made.key), False), (("--key", new), True)):
        code, out = check(bag, "--ca", made.ca, *words)
        assert out.count(" is not here: it is not on the disk") == 2
        assert (code == 0, "0003.pem: no key before it has signed" in out) == (is_good, True), out


def test_a_block_that_somebody_looked_up_is_compared(made: Made) -> None:
    height, root = made.block
    code, out = check(made.folder, "--block", f"{height}={root.upper()}")
    assert (code, f"was there when block {height} of Bitcoin was made" in out, ".json.ots, checked" in out) == (0, 1, 1)


def seal(bundle: Path) -> None:
    """Make the manifests true again, as whoever tampers would."""
    for manifest in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        names = [line.partition("  ")[2] for line in (bundle / manifest).read_text("utf-8").splitlines()]
        lines = [f"{verify.sha256_of(bundle / name)}  {name}\n" for name in names if (bundle / name).exists()]
        (bundle / manifest).write_text("".join(lines), encoding="utf-8")


def edit_lines(name: str, change: Callable[[list[str]], None]) -> Callable[[Path], None]:
    def tamper(data: Path) -> None:
        lines = [f"{line}\n" for line in verify.lines_of(data / name)]
        change(lines)
        (data / name).write_text("".join(lines), encoding="utf-8")

    return tamper


def edit_proof(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """Change the complete proof, which is of the first head here."""

    def tamper(data: Path) -> None:
        path = min(data.glob("heads/*.ots"))
        path.write_bytes(change(path.read_bytes()))

    return tamper


def swap_proofs(data: Path) -> None:
    first, second = sorted(data.glob("heads/*.ots"))
    first.write_bytes(second.read_bytes())


def chain_anew(data: Path) -> None:
    """Change a line and mend the chain, as whoever has the ledger could; the signed head has another end."""
    rows = [row.split("\t") for row in (data / "ledger.tsv").read_text("utf-8").splitlines()]
    previous = rows[0][2]
    for number, row in enumerate(rows[1:]):
        row[3] = row[3].replace('"seen_at":1', '"seen_at":2') if number == 0 else row[3]
        row[1] = row[1] if row[3] == "-" else hashlib.sha256(row[3].encode()).hexdigest()
        previous = row[2] = hashlib.sha256((previous + row[1]).encode()).hexdigest()
    (data / "ledger.tsv").write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")


def replaced(number: int, old: str, new: str) -> Callable[[list[str]], None]:
    def change(lines: list[str]) -> None:
        lines[number] = lines[number].replace(old, new)

    return change


def other_bytes(line: str) -> str:
    return line.rpartition("\t")[0] + "\tAAAA\n"


def swap(lines: list[str]) -> None:
    lines[2], lines[3] = lines[3], lines[2]


def other_key(data: Path) -> None:
    pems = sorted((data / "keys").glob("*.pem"))
    shutil.copyfile(pems[0], pems[1])


def drop(pattern: str) -> Callable[[Path], None]:
    return lambda data: next(iter(sorted(data.glob(pattern)))).unlink()


def spoil(pattern: str) -> Callable[[Path], None]:
    def tamper(data: Path) -> None:
        path = next(iter(sorted(data.glob(pattern))))
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)

    return tamper


def hide(data: Path) -> None:
    """Leave out the first version of an edited message, and hide its line."""
    edit_lines("versions.jsonl", lambda lines: lines.pop(0))(data)
    edit_lines("ledger.tsv", lambda lines: lines.__setitem__(1, lines[1].rpartition("\t")[0] + "\t-\n"))(data)


def name_two_keys(data: Path) -> None:
    """Put a stranger's key where OpenSSL reads it, below the words of the newsroom's."""
    path = max((data / "keys").glob("*.pem"))
    stranger = pem(Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    path.write_text(path.read_text().splitlines()[1] + "\n" + stranger)


def list_beside(data: Path) -> None:
    """Name a new file in the list that no key has signed."""
    (data / "new.txt").touch()
    with (data.parent / "tagmanifest-sha256.txt").open("a") as file:
        file.write(f"{verify.sha256_of(data / 'new.txt')}  data/new.txt\n")


SEALED: dict[str, tuple[Callable[[Path], None], str]] = {
    "a byte of a message": (
        edit_lines("raw.tsv", lambda all_: all_.insert(0, other_bytes(all_.pop(0)))),
        "were changed",
    ),
    "other bytes": (
        edit_lines("raw.tsv", lambda all_: all_.append(all_[-1].replace("\t2\t", "\t1\t"))),
        "name its bytes",
    ),
    "a byte of a photo": (spoil("media/*"), "its file media/"),
    "a byte of a signature": (spoil("heads/*.sig"), "the signature is not of the key"),
    "a byte of a stamp": (spoil("heads/*.tsr"), ".tsr: "),
    "a message missing": (edit_lines("raw.tsv", lambda all_: all_.pop()), "are missing in raw.tsv"),
    "a photo missing": (drop("media/*"), "is missing"),
    "a head missing": (lambda data: max(data.glob("heads/*.json")).unlink(), "none is signed for the last line"),
    "a message that is too deep to be read": (
        edit_lines("versions.jsonl", lambda all_: all_.append("[" * 100_000)),
        "messages: cannot be read (RecursionError",
    ),
    "a header of a proof": (edit_proof(lambda file: b"x" + file), ".json.ots: it is no file of OpenTimestamps"),
    "a proof of no head": (
        lambda data: max(data.glob("heads/*.ots")).rename(data / "heads" / "9-9.json.ots"),
        "it is the proof of a head that is not here",
    ),
    "a proof of another head": (swap_proofs, ".json.ots: it is the proof of something else"),
    "a proof cut off": (edit_proof(lambda file: file[:-1]), ".json.ots: its end is missing"),
    "a proof with more": (edit_proof(lambda file: file + b"x"), ".json.ots: something stands after its end"),
    "an operation of a proof": (
        edit_proof(lambda file: file.replace(b"\xf1\x04time", b"\xf2\x04time", 1)),  # 0xf1 may be in a hash, too
        ".json.ots: it has an operation that is not known here, 0xf2",
    ),
    "a byte on the way to a block": (
        edit_proof(lambda file: file.replace(b"time", b"tame", 1)),
        "which is not the one of block 900000",
    ),
    "another block": (
        edit_proof(lambda file: file.replace(b"\xa0\xf7\x36", b"\xa1\xf7\x36")),
        "no proof leads to the block 900000 of Bitcoin that you named",
    ),
    "a word of a post": (
        edit_lines("versions.jsonl", replaced(0, "Сбой", "Бой")),
        "its text, formatting or media",
    ),
    "a version taken away": (edit_lines("versions.jsonl", lambda all_: all_.pop()), "versions.jsonl has not"),
    "a version and its line hidden": (hide, "version 1: it is left out"),
    "a version twice": (edit_lines("versions.jsonl", lambda all_: all_.append(all_[0])), "it stands twice"),
    "a line changed": (
        edit_lines("ledger.tsv", replaced(1, '"seen_at":1', '"seen_at":2')),
        "line 2 was changed",
    ),
    "lines moved": (edit_lines("ledger.tsv", swap), "line 3 is missing, moved, or line 4 was added"),
    "a line taken away": (edit_lines("ledger.tsv", lambda all_: all_.pop(2)), "line 3 is missing"),
    "the last line taken away": (edit_lines("ledger.tsv", lambda all_: all_.pop()), "is not the head of this ledger"),
    "a line added": (edit_lines("ledger.tsv", lambda all_: all_.insert(3, all_[2])), "line 3 was added"),
    "a line with its chain": (chain_anew, "is not the head of this ledger"),
    "a photo of another message": (
        edit_lines("files.jsonl", replaced(0, '"number": 1', '"number": 2')),
        "the ledger has no line of its file",
    ),
    "a time in words": (
        edit_lines("versions.jsonl", replaced(0, '"date_utc": "20', '"date_utc": "19')),
        "date_utc says another time",
    ),
    "a way": (edit_lines("versions.jsonl", replaced(0, '"source": "live"', '"source": "sweep"')), "how it was seen"),
    "a key around another": (name_two_keys, "is no public key alone"),
    "another key": (other_key, "its key is not in the bundle"),
}


@pytest.mark.parametrize(("tamper", "said"), SEALED.values(), ids=SEALED.keys())
def test_each_tampering_is_found_and_named_though_the_manifests_were_made_true_again(
    made: Made, tmp_path: Path, tamper: Callable[[Path], None], said: str
) -> None:
    bundle = tmp_path / "bag"
    shutil.copytree(made.folder, bundle)
    tamper(bundle / "data")
    seal(bundle)
    found = verify.BundleCheck(bundle, None, [str(made.ca)], dict([made.block]))
    assert not found.run()
    assert any(said in fault for fault in found.faults), found.faults
    assert any("has not signed this list of files" in fault for fault in found.faults)


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        pytest.param(spoil("README.txt"), "data/README.txt: the file was changed", id="a byte"),
        pytest.param(drop("coverage.json"), "data/coverage.json: the file is missing", id="a missing file"),
        pytest.param(lambda data: (data / "x").touch(), "data/x: the file was added", id="an added file"),
        pytest.param(list_beside, "data/new.txt: the file was added", id="a file in the list that nobody signs"),
    ],
)
def test_what_was_done_to_any_file_is_found_and_named(
    made: Made, tmp_path: Path, tamper: Callable[[Path], None], said: str
) -> None:
    bundle = tmp_path / "bag"
    shutil.copytree(made.folder, bundle)
    tamper(bundle / "data")
    code, out = check(bundle)
    assert code == 1
    assert f"WRONG  {said}" in out
    with pytest.raises(bagit.BagError):
        bagit.Bag(str(bundle)).validate()


def test_the_time_of_a_stamp_is_the_one_that_was_signed(made: Made, tmp_path: Path) -> None:
    bundle = tmp_path / "bag"
    shutil.copytree(made.folder, bundle)
    (path,) = (bundle / "data" / "heads").glob("*.tsr")
    reply = path.read_bytes()
    assert reply[4:9] == bytes.fromhex("3003020100")  # granted, without a word
    words = b"\nTime stamp: Jan  1 00:00:00 1999 GMT"
    text = bytes([0x0C, len(words)]) + words
    status = b"\x02\x01\x00" + bytes([0x30, len(text)]) + text
    content = bytes([0x30, len(status)]) + status + reply[9:]
    path.write_bytes(b"\x30\x82" + len(content).to_bytes(2, "big") + content)
    found = verify.BundleCheck(bundle, None, [str(made.ca)])
    found.run()
    (note,) = [note for note in found.notes if ".tsr, checked" in note]
    assert "1999" not in note


def test_the_key_of_somebody_else_and_an_unknown_authority_are_named(made: Made, tmp_path: Path) -> None:
    ca = make_authority(tmp_path / "other")
    code, out = check(made.folder, "--key", "0" * 64, "--ca", ca)
    assert code == 1
    assert "none of them is the one you named" in out
    assert "none of the authorities that you trust has made it" in out


def sha256_of_page(bag: Path) -> str:
    return min((bag / "data" / "captures").glob("*.html")).stem


async def test_public_pages_are_captured_and_a_post_without_one_says_why(tmp_path: Path) -> None:
    async with Sandbox() as sandbox, open_archive(tmp_path) as archive:
        server = await sandbox.serve_pages()
        news = sandbox.world.add_channel("The News", username="News")
        sandbox.world.add_channel("Canary", username="canary").post("tweet")
        shown = news.post("Сбой у нас")
        await archive.follow(news.id)
        await archive.db.write(lambda tx: channels.rename(tx, news.id, title="The News", username="News"))
        posted = [post(number, "Сбой", channel_id=news.id) for number in (shown.id, 999)]
        await archive.live(*posted, post(-1, "Сбой", channel_id=news.id))
        env = {"PAGES_URL": server.url, "PAGES_PAUSE": "0", "PAGES_CANARY": "canary", "TIMESTAMP_URLS": "off"}
        bag = tmp_path / "bag"
        code, _, said = await typed(tmp_path / "data", "export", "сбой", "--evidence", bag, "--capture", **env)
        assert code == 0, said
        assert "It has no public page: it is a story." in said
    later = tmp_path / "later"
    code, _, said = await typed(tmp_path / "data", "export", "сбой", "--evidence", later, TIMESTAMP_URLS="off")
    assert code == 0, said
    for name in ("pages.jsonl", f"{sha256_of_page(bag)}.html"):
        kept, taken = (folder / "data" / "captures" / name for folder in (later, bag))
        assert kept.read_bytes() == taken.read_bytes()
    (later / "data" / "captures" / f"{sha256_of_page(bag)}.html").unlink()
    assert "is not here" in check(later)[1]
    outcomes = [json.loads(line) for line in (bag / "data" / "captures" / "pages.jsonl").read_text().splitlines()]
    assert {page["message"]: (page["outcome"], page["detail"]) for page in outcomes} == {
        shown.id: ("shown", None),
        999: ("refused", "no post"),
        -1: ("story", None),
    }
    with (bag / "data" / "captures" / "pages.warc").open("rb") as file:
        records = [
            (record.rec_headers["WARC-Target-URI"], record.content_stream().read())
            for record in ArchiveIterator(file)
            if record.rec_type == "response"
        ]
    assert sorted(hashlib.sha256(body).hexdigest() for _, body in records) == sorted(
        page["sha256"] for page in outcomes if page["sha256"]
    )
    assert {url for url, _ in records} == {f"{server.url}/News/{number}?embed=1" for number in (shown.id, 999)}
    assert sorted(path.name for path in (bag / "data" / "renderings").iterdir()) == sorted(
        f"{news.id}-{number}-v1.png" for number in (shown.id, 999, -1)
    )
    assert check(bag)[0] == 0
    page = next((bag / "data" / "captures").glob("*.html"))
    content = page.read_bytes()
    page.write_bytes(content + b" ")
    assert "the page was changed" in check(bag)[1]
    page.write_bytes(content)
    each_change_of_a_capture_is_named(bag)


async def test_a_key_that_changes_meanwhile_leaves_a_bundle_good_and_nobody_writes_it_beside_another(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(made.folder.parent / "data", tmp_path / "data")
    words = ("export", "сбой", "--evidence", tmp_path / "bag")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limit[1]))
    try:
        with pytest.raises(FatalError, match=r"full: .*bag\.part cannot be written"), alone_in(tmp_path / "bag.part"):
            (tmp_path / "bag.part" / "x").write_bytes(bytes(101))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    part = tmp_path / "bag.part"
    assert not part.exists()
    part.mkdir()
    (part / "mine.txt").write_text("of the operator")
    code, _, said = await typed(tmp_path / "data", *words, TIMESTAMP_URLS="off")
    assert (code, "bag.part is there, and is no unfinished bundle of ours" in said) == (2, True), said
    assert (part / "mine.txt").exists()
    (part / "mine.txt").unlink()
    with alone_in(part):
        shutil.copytree(part, tmp_path / "cut off")
    (tmp_path / "cut off").rename(part)
    (part / "data").mkdir()
    write = bundle.Bundle._put_coverage  # noqa: SLF001 - in the midst of it

    async def meanwhile(self: bundle.Bundle, request: bundle.BundleRequest, now: datetime) -> None:
        monkeypatch.setattr(bundle.Bundle, "_put_coverage", write)
        code, _, said = await typed(tmp_path / "data", *words, TIMESTAMP_URLS="off")
        assert (code, "is being written by another export" in said) == (2, True), said
        assert (await typed(tmp_path / "data", "rotate-key"))[0] == 0
        await write(self, request, now)

    monkeypatch.setattr(bundle.Bundle, "_put_coverage", meanwhile)
    code, _, said = await typed(tmp_path / "data", *words, TIMESTAMP_URLS="off")
    assert code == 0, said
    assert check(tmp_path / "bag", "--key", made.key)[0] == 0


def each_change_of_a_capture_is_named(bag: Path) -> None:
    warc, listed = (bag / "data" / "captures" / name for name in ("pages.warc", "pages.jsonl"))
    records, pages = warc.read_bytes(), listed.read_bytes()
    info, first, second = re.split(rb"(?=WARC/1\.1\r\n)", records)[1:]
    changes = (
        (warc, records.replace("Сбой".encode(), "Тихо".encode()), "or the ledger has no line of that"),
        (warc, records.replace(b"WARC-Date: 2", b"WARC-Date: 1"), "or the ledger has no line of that"),
        (warc, records.replace(b"WARC-Target-URI: http", b"WARC-Target-URI: HTTP"), "or the ledger has no line of"),
        (warc, records.replace(b"WARC-Type: response", b"WARC-Type: response\r\nWARC-Type: x"), "WARC-Type twice"),
        (warc, info + second, "is not in it"),
        (warc, records + first, "twice, or the ledger has no line"),
        (warc, records + b"more", "something else stands between its records"),
        (warc, records[:-9], "its end is missing"),
        (warc, records.replace(b"Content-Length: 2", b"Content-Length: 9" + b"0" * 17), "pages.warc: "),
        (listed, pages.replace(b'"at": "2', b'"at": "1'), "it does not name the page"),
        (listed, pages.replace(b'"message": 999', b'"message": 998'), "has no such line of the page"),
    )
    for path, changed, said in changes:
        before = path.read_bytes()
        path.write_bytes(changed)
        found = verify.BundleCheck(bag, None, [])
        found.chain()
        found.captures()
        assert any(fault.startswith(f"{path.name}: ") and said in fault for fault in found.faults), (said, found.faults)
        path.write_bytes(before)
