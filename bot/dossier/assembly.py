"""A case becomes a dossier in one of six formats. It takes seconds: a process apart does it for the chat."""

import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Self
from zipfile import ZipFile

from bot.dossier.contents import Dossier, DossierPost, ShownPictures, each_post, messages_of, sources_of
from bot.dossier.formats import DossierFormat
from bot.dossier.rendering import PostRendering, rendering_now, renderings_of
from bot.dossier.table import Cell, TableFormat, cell_time, row_of, writer
from bot.dossier.view import view
from bot.errors import ChannelwatchError
from bot.locales import Translator, translator
from bot.matching.similarity.diff import word_runs
from bot.models import StoredPost
from bot.models.people import Viewer
from bot.rendering.post_text import full_text
from bot.store import cases
from bot.store.blobs import Blobs
from bot.store.database import Reader
from bot.text.markup import one_line

MOST_PICTURES = 200  # in a file: each takes a tenth of a second
_AT_ONCE = 20  # pictures that are drawn together
MOST_ON_PAPER = 500  # posts
_NAME = 80  # UTF-16 units of a file's name
_MARKS = {"same": "{}", "gone": "[-{}-]", "come": "{{+{}+}}"}
_FOREIGN = str.maketrans(dict.fromkeys('/\\:*?"<>|', "_"))  # that some system takes in no name


class DossierError(ChannelwatchError):
    """A case has more than a file of a format is made of."""

    def __init__(self, how: DossierFormat) -> None:
        other = DossierFormat.CSV if how in {DossierFormat.HTML, DossierFormat.XLSX} else DossierFormat.HTML
        super().__init__(f"a file of the format {how} holds {_MOST[how]} at most: use {other}, or split the case")
        self.how = how

    def __reduce__(self) -> tuple[type[Self], tuple[DossierFormat]]:
        """Come whole out of the process that made it."""
        return type(self), (self.how,)


_FACTS = 1000  # characters that a version takes beside its text
MOST_TEXT = {  # characters of all versions
    DossierFormat.HTML: 20_000_000,  # 10 bytes of memory each
    DossierFormat.XLSX: 20_000_000,
    DossierFormat.PDF: 1_000_000,  # Typst takes 200 bytes of memory for each
}
_MOST = {how: f"{most:,} characters" for how, most in MOST_TEXT.items()} | {
    DossierFormat.PDF: f"{MOST_ON_PAPER} posts, and {MOST_TEXT[DossierFormat.PDF]:,} characters",
    DossierFormat.PICTURES: f"{MOST_PICTURES} pictures",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeFile:
    """A file for somebody that was made of what is stored."""

    name: str
    mime: str
    size: int  # bytes
    sha256: bytes


async def make(  # noqa: PLR0913 - for whom, and how
    db: Reader,
    case_id: int,
    how: DossierFormat,
    place: Path,
    *,
    folder: Path,
    viewer: Viewer,
    language: str,
    time_zone: str,
    now: datetime,
    deadline: object = None,
) -> MadeFile | None:
    """Write the dossier of a case, as a viewer sees it, to a place; None where there is no case.

    `folder` is that of the blobs. Raises DossierError.
    """
    del deadline  # half a dossier is none
    case = await cases.get(db, case_id, viewer)
    if case is None:
        return None
    if how is DossierFormat.PDF and case.posts > MOST_ON_PAPER:
        raise DossierError(how)
    saved = await cases.posts_of(db, case.id, viewer)
    sources, found = await sources_of(db, saved), each_post(db, saved, folder)
    dossier = Dossier(case=case, posts=(), sources=sources, made_at=now)
    if how in {DossierFormat.CSV, DossierFormat.JSONL}:
        with place.open("w", encoding="utf-8", errors="backslashreplace", newline="") as text:
            write, t = writer(TableFormat(how.value), text), translator(language)
            async for each in found:
                for row in _rows(replace(dossier, posts=(each,)), t):
                    write(row)
    else:
        dossier = replace(dossier, posts=await _bounded(found, how))
        with place.open("wb") as file:
            _write(dossier, how, language, time_zone, file)
    return _made(place, f"{_file_name(case.name, 'case')} {now:%Y-%m-%d}.{how}", how.mime)


async def _bounded(found: AsyncIterator[DossierPost], how: DossierFormat) -> tuple[DossierPost, ...]:
    """Return posts for which a file of a format has room. Raises DossierError."""
    every, characters, pictures = list[DossierPost](), 0, 0
    async for each in found:
        every.append(each)
        versions = [version.post.text for message in each.messages for version in message]
        characters += sum(_FACTS + len(text) for text in versions)
        pictures += len(versions)
        if pictures > MOST_PICTURES if how is DossierFormat.PICTURES else characters > MOST_TEXT[how]:
            raise DossierError(how)
    return tuple(every)


def _write(dossier: Dossier, how: DossierFormat, language: str, time_zone: str, out: BinaryIO) -> None:
    t = translator(language)
    if how is DossierFormat.PICTURES:
        _write_zip(dossier, t, time_zone, out)
        return
    shown = view(dossier, t, time_zone)
    if how is DossierFormat.HTML:
        from bot.dossier.page import write_page  # noqa: PLC0415 - the service, which only orders dossiers, needs none

        write_page(shown, out)
    elif how is DossierFormat.PDF:
        from bot.dossier.paper import write_paper  # noqa: PLC0415 - likewise

        out.write(write_paper(shown))
    else:
        from bot.dossier.sheet import write_sheet  # noqa: PLC0415 - likewise

        write_sheet(shown, _rows(dossier, t), out)


def _made(place: Path, name: str, mime: str) -> MadeFile:
    with place.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    return MadeFile(name=name, mime=mime, size=place.stat().st_size, sha256=digest)


def _file_name(title: str, fallback: str) -> str:
    return one_line(title.replace("\N{ZERO WIDTH SPACE}", ""), _NAME).translate(_FOREIGN).strip(" .") or fallback


def _write_zip(dossier: Dossier, t: Translator, time_zone: str, out: BinaryIO) -> None:
    shown = [
        (f"{number:03} {_file_name(one.title, 'post')} {name.partition('-')[2]}", one)
        for number, each in enumerate(dossier.posts, start=1)
        for name, one in renderings_of(each.messages, t, time_zone)
    ]
    with ZipFile(out, "w") as file:
        for name, picture in drawn(shown):
            file.writestr(f"{name}.png", picture)


def drawn(shown: Sequence[tuple[str, PostRendering]]) -> Iterator[tuple[str, bytes]]:
    """Draw renderings, some at a time: a high one alone."""
    from bot.dossier.paper import MOST_LINES, write_renderings  # noqa: PLC0415 - likewise

    some, lines = list[tuple[str, PostRendering]](), 0
    for place, (name, rendering) in enumerate(shown, start=1):
        some.append((name, rendering))
        lines += rendering.lines
        coming = shown[place][1].lines if place < len(shown) else MOST_LINES
        if lines + coming > MOST_LINES or len(some) == _AT_ONCE:
            pictures = write_renderings([each for _, each in some])
            yield from zip((each for each, _ in some), pictures, strict=True)
            some, lines = [], 0


async def make_rendering(  # noqa: PLR0913 - of what, and how
    db: Reader,
    channel_id: int,
    message_id: int,
    place: Path,
    *,
    folder: Path,
    language: str,
    time_zone: str,
    deadline: object = None,
) -> MadeFile:
    """Write the picture of a post as it is now, or was last, to a place. `folder` is that of the blobs."""
    del deadline  # as above
    messages = await messages_of(db, channel_id, message_id, ShownPictures(Blobs(folder)))
    shown = rendering_now(messages, translator(language), time_zone)
    (_, picture), *_ = drawn([("", shown)])
    with place.open("wb") as file:
        file.write(picture)
    return _made(place, f"{_file_name(shown.title, 'post')} {message_id}.png", "image/png")


def _rows(dossier: Dossier, t: Translator) -> Iterator[dict[str, Cell]]:
    """Yield the versions of a dossier as an export has them, with what was noted, what changed, and the source."""
    complete = {each.id: cell_time(each.complete_from) for each in dossier.sources}
    for each in dossier.posts:
        for message in each.messages:
            for place, version in enumerate(message):
                yield {
                    "case": dossier.case.name,
                    "tags": ",".join(dossier.case.tags),
                    "note": each.saved.note,
                    **row_of(version.post),
                    "changes": _changes(message[place - 1].post, version.post, t) if place else None,
                    "complete_since": complete.get(version.post.channel_id),
                    "raw_sha256": version.sha256.hex(),
                    "files_sha256": ",".join(file.file.sha256.hex() for file in version.files if file.file.sha256),
                }


def _changes(before: StoredPost, after: StoredPost, t: Translator) -> str:
    """Write a version with what has changed in its words, as the program wdiff does."""
    runs = word_runs(*(full_text(each.text, each.parts, t) for each in (before, after)))
    return "".join(_MARKS[kind].format(text) for kind, text in runs)
