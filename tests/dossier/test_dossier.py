"""A dossier in each format: the same case, as a browser, a printer, a spreadsheet and other tools get it."""

import hashlib
import json
import re
import zipfile
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import duckdb
import pytest
import typst
from PIL import Image
from selectolax.lexbor import LexborHTMLParser

from bot.dossier import assembly
from bot.dossier.assembly import DossierError, make, make_rendering
from bot.dossier.contents import ShownPictures, messages_of
from bot.dossier.formats import DossierFormat
from bot.dossier.paper import printable
from bot.dossier.pictures import put_pictures
from bot.dossier.rendering import renderings_of
from bot.dossier.table import safe_cell
from bot.dossier.view import ShownFile
from bot.locales import translator
from bot.matching.similarity.diff import word_runs
from bot.models import Entity, Media, Withholding
from bot.models.people import EVERYTHING, Viewer
from bot.store import access, cases, channels, marks, media, posts
from bot.store.access import Restrictable
from bot.store.blobs import Blobs
from bot.store.media import FileInfo
from tests.kit_archive import NEWS, NOON, OTHER, Archive, gone, post
from tests.shell import typed

EVIL = '=HYPERLINK("http://evil")</p><script src="http://evil/x.js"></script>#set page(width: 1cm) «сбой» 🔥🇷🇺'
GONE = ("Telegram сообщил об удалении", "нет при повторном чтении")
BROKEN = bytes.fromhex(  # a checksum is wrong, as whoever reads it to its end sees
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c63f8cf"
    "c0f01f000501020079d0a8a90000000049454e44ae426082"
)


def pixel() -> bytes:
    content = BytesIO()
    Image.new("RGB", (1, 1)).save(content, format="PNG")
    return content.getvalue()


async def fill(archive: Archive, folder: Path) -> int:
    """Fill a case with an edited post that is missing, a deleted one with two files, and a restricted one."""
    await archive.follow()
    await archive.follow(OTHER, title="<b>Хроника</b>")
    await archive.follow(1003, title="Закрытый")
    await archive.live(post(7, f"Без света 40 000 домов. {EVIL}"), post(9, "Тайна", channel_id=1003))
    shown = Media(kind="photo", id=80, files=(("photo", 80), ("photo", 81)))
    await archive.live(post(8, "Сбой", channel_id=OTHER, media=shown, date=NOON - timedelta(hours=1)))
    chat = await archive.pair()
    where = (Withholding("ios", "copyright", ""),)
    await archive.db.write(partial(channels.set_withheld, channel_id=NEWS, found=where, reader_id=None, now=NOON))

    async def job(tx):  # noqa: ANN001, ANN202 - of the store
        await marks.begin_past(tx, NEWS, low=1, since=NOON - timedelta(days=1))
        case_id = await cases.make(tx, "Свет / март", author_id=1, author="Анна", now=NOON)
        for channel_id, message_id in ((NEWS, 7), (OTHER, 8), (1003, 9)):
            (one,) = await posts.current(tx, channel_id, [message_id])
            await cases.add(tx, case_id, one, chat_id=chat.id, name="Анна", now=NOON)
        await cases.set_tags(tx, case_id, ["свет", "ЦБ"])
        await cases.set_note(tx, case_id, "Для юриста")
        await cases.annotate(tx, case_id, NEWS, 7, "Проверить <число>")
        await access.restrict(tx, Restrictable.CHANNEL, 1003, [chat.id])
        return case_id

    case_id = await archive.db.write(job)
    blobs = Blobs(folder)
    for number, row in enumerate(await archive.db.fetch_all("SELECT id FROM media ORDER BY id")):
        blob = blobs.put(pixel() if number else BROKEN)
        info = FileInfo(mime="image/png", name=None, size=9)
        await archive.db.write(
            lambda tx, id_=row["id"], blob=blob, info=info: media.keep(
                tx, id_, blob, info, reader_id=archive.reader_id, now=NOON
            )
        )
    archive.now = NOON + timedelta(minutes=40)
    await archive.live(post(7, f"Без света 4 000 домов. {EVIL}", edit_date=NOON + timedelta(minutes=39)))
    archive.now = NOON + timedelta(minutes=50)
    await archive.sweep(gone(8, channel_id=OTHER))
    archive.now = NOON + timedelta(minutes=55)
    await archive.sweep(post(8, "Сбой", channel_id=OTHER, media=shown, date=NOON - timedelta(hours=1)))
    archive.now = NOON + timedelta(hours=2)
    await archive.live(gone(8, channel_id=OTHER))
    await archive.sweep(gone(7))
    return case_id


@pytest.mark.parametrize(("most", "side"), [(20_000, 100), (5_000, 50)])
def test_pictures_are_made_smaller_where_they_are_many(tmp_path: Path, most: int, side: int) -> None:
    def shown(name: str) -> ShownFile:
        return ShownFile(name=name, about="", sha256=name, picture=tmp_path / name, ending="bin")

    for name, kind in (("one", "PNG"), ("two", "JPEG")):
        Image.new("RGB", (100, 100)).save(tmp_path / name, format=kind)
    Image.new("1", (10_000, 6_000)).save(tmp_path / "bomb", format="PNG")
    (tmp_path / "torn").write_bytes(b"\x89PNG torn")
    (tmp_path / "root").mkdir()
    files = [shown(name) for name in ("one", "two", "two", "bomb", "torn")]
    put = put_pictures(files, tmp_path / "root", most_pixels=most)
    assert put == {str(tmp_path / name): f"{name}.bin" for name in ("one", "two")}
    for name in put.values():
        with Image.open(tmp_path / "root" / name) as picture:
            assert picture.size == (side, side)


async def test_a_dossier_in_each_format(archive: Archive, tmp_path: Path) -> None:
    case_id, place = await fill(archive, tmp_path / "media"), tmp_path / "made"

    async def made(how: DossierFormat, viewer: Viewer = EVERYTHING) -> bytes:
        asked = {"language": "ru", "time_zone": "Europe/Moscow", "now": archive.now}
        file = await make(archive.db, case_id, how, place, folder=tmp_path / "media", viewer=viewer, **asked)
        assert file is not None
        assert file.name == f"Свет _ март 2025-03-10.{how}"
        content = place.read_bytes()
        assert (file.size, file.sha256) == (len(content), hashlib.sha256(content).digest())
        return content

    page = LexborHTMLParser((await made(DossierFormat.HTML, Viewer(chat_id=99))).decode())
    assert page.css("script, link, iframe, object") == []
    assert [image.attributes["src"][:22] for image in page.css("img")] == ["data:image/png;base64,"] * 2
    assert "default-src 'none'" in page.css_first("meta[http-equiv]").attributes["content"]
    text = page.body.text()
    assert EVIL in text
    assert "Когда составлялось досье, ещё не была сохранена." in text
    assert "Тайна" not in text
    assert [(page.css_first(tag).text()) for tag in ("del", "ins")] == ["40", "4"]
    events = [[cell.text() for cell in row.css("td")] for row in page.css("tbody")[0].css("tr")]
    assert [(each[0], each[1], each[2], each[3]) for each in events] == [
        ("10 мар. 2025, 14:00:00 UTC+3", "Telegram", "опубликовано", "1 · <b>Хроника</b>"),
        ("10 мар. 2025, 15:00:00 UTC+3", "Telegram", "опубликовано", "2 · Вести"),
        ("10 мар. 2025, 15:39:00 UTC+3", "Telegram", "изменено", "2 · Вести"),
        ("10 мар. 2025, 15:50:00 UTC+3", "наши", "нет при повторном чтении", "1 · <b>Хроника</b>"),
        ("10 мар. 2025, 15:55:00 UTC+3", "наши", "снова есть", "1 · <b>Хроника</b>"),
        ("10 мар. 2025, 17:00:00 UTC+3", "наши", "Telegram сообщил об удалении", "1 · <b>Хроника</b>"),
        ("10 мар. 2025, 17:00:00 UTC+3", "наши", "нет при повторном чтении", "2 · Вести"),
    ]
    assert all(each in text for each in ("Проверить <число>", "#свет", "#ЦБ", "Для юриста"))
    assert "; Telegram скрывает его: iOS – авторские права" in text
    paper = await made(DossierFormat.PDF)
    assert paper.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) in range(1, 6)  # no word has set another page
    book = zipfile.ZipFile(BytesIO(await made(DossierFormat.XLSX)))
    sheets = "".join(book.read(name).decode() for name in book.namelist() if "sheets/" in name)
    assert book.read("xl/workbook.xml").decode().find('name="Данные, время UTC"') > 0
    assert "10 мар. 2025, 15:00:00 UTC+3" in book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheets
    assert "hyperlink" not in sheets
    assert "=HYPERLINK" in sheets
    assert re.findall('<sheet name="([^"]+)', book.read("xl/workbook.xml").decode())[:4] == [
        *("Посты", "Хронология", "Файлы", "Источники")
    ]
    rows = [book.read(f"xl/worksheets/sheet{number}.xml").count(b"<row ") for number in range(1, 5)]
    assert rows == [1 + 4, 1 + 8, 1 + 2, 1 + 3]
    assert all(each in sheets for each in ("[-40-]{+4+} 000 домов", *GONE, "Вести", "свет, ЦБ", "Для юриста"))
    rows = [json.loads(line) for line in (await made(DossierFormat.JSONL)).decode().splitlines()]
    assert [(row["id"], row["version"], bool(row["missing_since"])) for row in rows] == [
        ("1002-8", 1, False),
        ("1001-7", 1, True),
        ("1001-7", 2, True),
        ("1003-9", 1, False),
    ]
    assert rows[0]["files_sha256"].count(",") == 1
    assert rows[2]["changes"].startswith("Без света [-40-]{+4+} 000 домов. =HYPERLINK")
    assert [(row["tags"], bool(row["changes"])) for row in rows] == [("свет,ЦБ", n == 2) for n in range(4)]
    assert [row["complete_since"] for row in rows[:2]] == [None, "2025-03-09 12:00:00"]
    pictures = zipfile.ZipFile(BytesIO(await made(DossierFormat.PICTURES)))
    assert pictures.namelist() == [
        "001 _b_Хроника__b_ 8-v1.png",
        "002 Вести 7-v1.png",
        "002 Вести 7-v2.png",
        "003 Закрытый 9-v1.png",
    ]
    words = {"language": "ru", "time_zone": "Europe/Moscow"}
    one = await make_rendering(archive.db, NEWS, 7, place, folder=tmp_path / "media", **words)
    assert one.name == "Вести 7.png"
    for png in (place.read_bytes(), *map(pictures.read, pictures.namelist())):
        assert (png[:4], int.from_bytes(png[16:20], "big")) == (b"\x89PNG", 960)  # no word has set another page
    table = tmp_path / "case.csv"
    table.write_bytes(await made(DossierFormat.CSV))
    assert duckdb.read_csv(str(table)).project("count(*), max(note)").fetchall() == [(4, "Проверить <число>")]


async def test_a_file_of_more_than_it_is_made_of_says_so(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = await fill(archive, tmp_path)
    asked = {"folder": tmp_path, "viewer": EVERYTHING, "language": "ru", "time_zone": "UTC", "now": archive.now}
    monkeypatch.setattr(assembly, "MOST_PICTURES", 3)
    for how in (*assembly.MOST_TEXT, DossierFormat.PICTURES):
        monkeypatch.setitem(assembly.MOST_TEXT, how, 3_000)
        with pytest.raises(DossierError, match=f"a file of the format {how} holds "):
            await make(archive.db, case_id, how, tmp_path / "made", **asked)


async def test_paper_has_the_timeline_versions_changes_pictures_and_sources(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id, found = await fill(archive, tmp_path), list[dict[str, Any]]()

    def compiled(template: Path, *, then: Callable[..., bytes] = typst.compile, **how: object) -> bytes:
        paper = then(template, **how)
        what = "selector(strike).or(underline).or(table).or(image).or(par)"
        found[:] = json.loads(typst.query(template, what, **how))
        return paper

    monkeypatch.setattr(typst, "compile", compiled)
    asked = {"language": "ru", "time_zone": "UTC", "now": archive.now, "viewer": EVERYTHING}
    await make(archive.db, case_id, DossierFormat.PDF, tmp_path / "made", folder=tmp_path, **asked)
    kinds = [each["func"] for each in found]
    assert [kind for kind in kinds if kind != "par"] == ["table", "image", "strike", "underline", "table"]
    (gone, come) = (json.dumps(each) for each in found if each["func"] in {"strike", "underline"})
    assert ('"40"' in gone, '"4"' in come) == (True, True)
    timeline, sources = (json.dumps(each, ensure_ascii=False) for each in found if each["func"] == "table")
    happened = (*GONE, "снова есть", "изменено")
    assert [timeline.count(f'"{each}"') for each in happened] == [1, 2, 1, 1]
    assert "9 мар. 2025, 12:00:00 UTC; Telegram" in sources
    paragraphs = json.dumps([each for each in found if each["func"] == "par"], ensure_ascii=False)
    assert ("40 000 домов" in paragraphs, "Тайна" in paragraphs) == (True, True)


async def test_a_rendering_says_that_it_is_none_of_telegram_s_and_keeps_the_formatting(archive: Archive) -> None:
    await archive.follow()
    text = f"Сбой\nв банке 🔥: «{'б' * 50}»\nКод\n"
    styles = (("bold", 0, 4), ("blockquote", 5, 7), ("italic", 7, 3))
    await archive.live(
        post(7, text, entities=tuple(Entity(kind=kind, offset=at, length=n) for kind, at, n in styles)),
        post(8, "", media=Media(kind="photo", id=8), grouped_id=5),
        post(9, "Подпись", grouped_id=5),
    )
    archive.now = NOON + timedelta(hours=1)
    await archive.live(post(7, "Нет", edit_date=NOON + timedelta(minutes=59)), gone(7))
    pictures, t = ShownPictures(Blobs(Path("/nowhere"))), translator("en")
    shown = renderings_of(await messages_of(archive.db, NEWS, 7, pictures), t, "Europe/Moscow")
    assert [name for name, _ in shown] == ["1001-7-v1", "1001-7-v2"]
    first, second = shown[0][1], shown[1][1]
    assert first.banner == "Rendering by channelwatch from the stored message. Not a screenshot of Telegram."
    assert (first.title, first.username, first.link) == ("Вести", "@News1001", "https://t.me/News1001/7")
    assert [(each.kind, [(run.text, run.styles) for run in each.runs]) for each in first.blocks[:2]] == [
        ("", [("Сбой", ("bold",))]),
        ("blockquote", [("в ", ("blockquote",)), ("бан", ("blockquote", "italic")), ("ке", ("blockquote",))]),
    ]
    assert first.blocks[2].runs[0].text.count("\u200b") == 2
    assert dict(second.facts)["Version"] == "2 of 2"
    assert dict(second.facts)["Edited (Telegram's time)"] == "10 Mar 2025, 15:59:00 UTC+3"
    assert second.gone.startswith("Telegram told us of its deletion: 10 Mar 2025, 16:00:00 UTC+3")
    ((name, album),) = renderings_of(await messages_of(archive.db, NEWS, 9, pictures), t, "UTC")
    assert (name, album.files[0].about, len(album.hashes)) == ("1001-8-album", "not downloaded", 2)
    await archive.live(post(10, "а\u2028\u2029\x85\v" * 500))  # each begins a line in Typst, which takes memory
    ((_, high),) = renderings_of(await messages_of(archive.db, NEWS, 10, pictures), t, "UTC")
    assert high.lines > 2000


async def test_the_shell_makes_one_too(archive: Archive, tmp_path: Path) -> None:
    await fill(archive, tmp_path / "data" / "media")
    place = tmp_path / "case.html"
    data = Path((await archive.db.fetch_all("PRAGMA database_list"))[0]["file"]).parent
    code, _, said = await typed(data, "export", "--case", "свет / март", "--format", "html", "-o", place)
    assert (code, "SHA-256" in said) == (0, True)
    assert "<h1>Свет / март</h1>" in place.read_text("utf-8")
    code, _, said = await typed(data, "export", "--case", "Нет такого", "--format", "pdf", "-o", place)
    assert (code, said.count("\n")) == (2, 1)
    code, _, said = await typed(data, "export", "--format", "pdf")
    assert (code, "add --case NAME" in said) == (2, True)


@pytest.mark.parametrize(
    ("before", "after", "runs"),
    [
        (
            "Сбой у 40 домов. ",
            "Сбой у 4 домов. ",
            [("same", "Сбой у "), ("gone", "40"), ("come", "4"), ("same", " домов. ")],
        ),
        ("Сбой", "Сбой был", [("same", "Сбой "), ("come", "был")]),
        ("Сбой был", "Сбой", [("same", "Сбой"), ("gone", "был")]),
        ("", "а\n\nб ", [("come", "а\n\nб"), ("same", " ")]),
    ],
)
def test_what_is_the_same_and_what_has_come_make_the_text(before: str, after: str, runs: list[tuple[str, str]]) -> None:
    assert word_runs(before, after) == runs
    assert "".join(text for kind, text in runs if kind != "gone") == after


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("Пожар 🔥👍🏽 🇷🇺!", "Пожар ‹fire›‹thumbs up sign› ‹RU›!"),
        ("❗️ Сбой ⚡️ 1️⃣ ✅", "‹heavy exclamation mark symbol› Сбой ⚡ 1 ‹white heavy check mark›"),
    ],
)
def test_a_pictograph_that_no_font_has_is_printed_by_its_name(text: str, printed: str) -> None:
    assert printable(text) == printed


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠a"])
def test_a_spreadsheet_calculates_no_cell(text: str) -> None:
    assert safe_cell(text) == f"'{text}"
