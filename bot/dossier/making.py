"""A case becomes a dossier in one of six formats. It takes seconds: a process apart does it for the chat."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO, StringIO
from pathlib import Path
from zipfile import ZipFile

from bot.dossier.contents import Dossier, ShownPictures, collect, messages_of
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
MOST_ON_PAPER = 500  # posts: Typst takes 0.4 MB of memory for each
_NAME = 80  # UTF-16 units of a file's name
_MARKS = {"same": "{}", "gone": "[-{}-]", "come": "{{+{}+}}"}
_FOREIGN = str.maketrans(dict.fromkeys('/\\:*?"<>|', "_"))  # that some system takes in no name


class DossierError(ChannelwatchError):
    """A case has more than a file of a format is made of."""

    def __init__(self, how: DossierFormat, most: int) -> None:
        what = "pictures" if how is DossierFormat.PICTURES else "posts"
        super().__init__(f"a file of the format {how} holds {most} {what} at most: use html, or split the case")
        self.how = how
        self.most = most


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeFile:
    """A file for somebody, made of what is stored."""

    name: str
    mime: str
    content: bytes


async def make(  # noqa: PLR0913 - for whom, and how
    db: Reader,
    case_id: int,
    how: DossierFormat,
    *,
    folder: Path,
    viewer: Viewer,
    language: str,
    time_zone: str,
    now: datetime,
    deadline: object = None,
) -> MadeFile | None:
    """Make the dossier of a case as a viewer sees it; None where there is no case. `folder` is that of the blobs.

    Raises DossierError.
    """
    del deadline  # half a dossier is none
    case = await cases.get(db, case_id, viewer)
    if case is None:
        return None
    if how is DossierFormat.PDF and case.posts > MOST_ON_PAPER:
        raise DossierError(how, MOST_ON_PAPER)
    dossier = await collect(db, case, viewer, folder=folder, now=now)
    name = f"{_file_name(case.name, 'case')} {now:%Y-%m-%d}.{how}"
    return MadeFile(name=name, mime=how.mime, content=_write(dossier, how, language, time_zone))


def _write(dossier: Dossier, how: DossierFormat, language: str, time_zone: str) -> bytes:
    if how in {DossierFormat.CSV, DossierFormat.JSONL}:
        out = StringIO(newline="")
        write = writer(TableFormat(how.value), out)
        for row in _rows(dossier, translator(language)):
            write(row)
        return out.getvalue().encode("utf-8", "backslashreplace")
    if how is DossierFormat.PICTURES:
        return _zip(dossier, language, time_zone)
    shown = view(dossier, translator(language), time_zone)
    if how is DossierFormat.HTML:
        from bot.dossier.page import write_page  # noqa: PLC0415 - the service, which only orders dossiers, needs none

        return write_page(shown)
    if how is DossierFormat.PDF:
        from bot.dossier.paper import write_paper  # noqa: PLC0415 - likewise

        return write_paper(shown)
    from bot.dossier.sheet import write_sheet  # noqa: PLC0415 - likewise

    return write_sheet(shown, _rows(dossier, translator(language)))


def _file_name(title: str, fallback: str) -> str:
    return one_line(title.replace("\N{ZERO WIDTH SPACE}", ""), _NAME).translate(_FOREIGN).strip(" .") or fallback


def _zip(dossier: Dossier, language: str, time_zone: str) -> bytes:
    t = translator(language)
    shown = [
        (f"{number:03} {_file_name(one.title, 'post')} {name.partition('-')[2]}", one)
        for number, each in enumerate(dossier.posts, start=1)
        for name, one in renderings_of(each.messages, t, time_zone)
    ]
    if len(shown) > MOST_PICTURES:
        raise DossierError(DossierFormat.PICTURES, MOST_PICTURES)
    out = BytesIO()
    with ZipFile(out, "w") as file:
        for name, picture in drawn(shown):
            file.writestr(f"{name}.png", picture)
    return out.getvalue()


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
    *,
    folder: Path,
    language: str,
    time_zone: str,
    deadline: object = None,
) -> MadeFile:
    """Make the picture of a post as it is now, or was last. `folder` is that of the blobs."""
    del deadline  # as above
    messages = await messages_of(db, channel_id, message_id, ShownPictures(Blobs(folder)))
    shown = rendering_now(messages, translator(language), time_zone)
    (_, picture), *_ = drawn([("", shown)])
    name = f"{_file_name(shown.title, 'post')} {message_id}.png"
    return MadeFile(name=name, mime="image/png", content=picture)


def _rows(dossier: Dossier, t: Translator) -> list[dict[str, Cell]]:
    """Return the versions of a dossier as an export has them, with what was noted, what changed, and the source."""
    complete = {each.id: cell_time(each.complete_from) for each in dossier.sources}
    return [
        {
            "case": dossier.case.name,
            "note": each.saved.note,
            **row_of(version.post),
            "changes": _changes(message[place - 1].post, version.post, t) if place else None,
            "complete_since": complete.get(version.post.channel_id),
            "raw_sha256": version.sha256.hex(),
            "files_sha256": ",".join(file.file.sha256.hex() for file in version.files if file.file.sha256),
        }
        for each in dossier.posts
        for message in each.messages
        for place, version in enumerate(message)
    ]


def _changes(before: StoredPost, after: StoredPost, t: Translator) -> str:
    """Write a version with what has changed in its words, as the program wdiff does."""
    runs = word_runs(*(full_text(each.text, each.parts, t) for each in (before, after)))
    return "".join(_MARKS[kind].format(text) for kind, text in runs)
