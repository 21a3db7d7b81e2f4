"""A dossier as a spreadsheet: whatever is in a cell is a text, and nothing of it is calculated."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import BinaryIO

from xlsxwriter import Workbook

from bot.dossier.table import Cell
from bot.dossier.view import DossierView

_LONGEST = 32_000  # characters that a cell takes
_WIDEST = 60  # characters of a column
_EXACT = 1 << 53  # from which on a spreadsheet rounds
_TITLE = 31  # characters of a sheet's name, by Excel's rule


def write_sheet(shown: DossierView, rows: Iterator[dict[str, Cell]], out: BinaryIO) -> None:
    """Write a dossier as XLSX; `rows` are its versions as the table of an export has them.

    The first sheet is for people, in the language and time zone of the dossier; that of `rows` for tools is the last.
    """
    texts = dict.fromkeys(("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False)
    options = {**texts, "constant_memory": True}  # a row at a time
    first = next(rows, {})
    names = shown.headings
    heads = ("channel", "posted", "version", "text", "gone", "note")
    posts = (
        (post.number, post.title, post.posted, version.heading, version.text, post.gone, post.note, post.link)
        for post in shown.posts
        for version in post.versions
    )
    events = ((each.at, each.clock, each.what, each.number, each.title) for each in shown.events)
    files = (
        (post.number, post.title, version.heading, file.name, file.about, file.sha256)
        for post in shown.posts
        for version in post.versions
        for file in version.files
    )
    about = [
        (shown.title, shown.subtitle),
        (names["tags"], ", ".join(shown.tags)),
        (names["note"], shown.note),
        *shown.facts,
    ]
    with Workbook(out, options) as book:
        sheets = _Sheets(book)
        sheets.add(names["posts"], ("№", *(names[each] for each in heads), ""), posts)
        columns = (names["time"], names["clock"], names["event"], "№", names["channel"])
        sheets.add(names["timeline"], columns, events)
        sheets.add(names["files"], ("№", names["channel"], names["post"], names["files"], "", "SHA-256"), files)
        sheets.add(names["sources"], (names["channel"], "", names["complete"]), shown.sources)
        sheets.add(names["words"], (), (*about, *((line,) for line in shown.words)))
        sheets.add(names["data"], list(first), (tuple(row.values()) for row in chain([first], rows)))


class _Sheets:
    """Fills the sheets of a workbook."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._head = book.add_format({"bold": True, "bottom": 1})
        self._wrapped = book.add_format({"text_wrap": True, "valign": "top"})

    def add(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
        """Add a sheet with its head, which stays where one scrolls."""
        sheet = self._book.add_worksheet(name[:_TITLE])
        widths = {place: len(column) for place, column in enumerate(columns)}
        for place, column in enumerate(columns):
            sheet.write_string(0, place, column, self._head)
        for number, row in enumerate(rows, start=1 if columns else 0):
            for place, value in enumerate(row):
                widths[place] = max(widths.get(place, 0), len(str(value)))
                if isinstance(value, int) and abs(value) < _EXACT:
                    sheet.write(number, place, value, self._wrapped)
                elif value is not None:
                    sheet.write_string(number, place, str(value)[:_LONGEST], self._wrapped)
        for place, width in widths.items():
            sheet.set_column(place, place, min(width + 2, _WIDEST))
        if columns:
            sheet.freeze_panes(1, 0)
