"""The columns in which other tools get messages: 4CAT and DuckDB open them as they are. Pure.

4CAT asks for `id`, `thread_id`, `timestamp`, `author` and `body` (its `datasources/upload/import_formats.py`), and
takes `hashtags` with commas between them; docs/export.md has a line for each column.
"""

import csv
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import TextIO

from bot.models import StoredPost
from bot.parts import compact_json
from bot.text.formatted import FormattedText

Cell = str | int | bool | None
Write = Callable[[Mapping[str, Cell]], None]

_LINKS = frozenset({"url", "text_url"})
# A spreadsheet takes a cell that begins so for a formula, with wide signs, too (OWASP, «CSV Injection»).
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
BOM = "\ufeff"  # or Excel takes UTF-8 for the system's own encoding
# 4CAT asks Python's `csv.Sniffer` how quotes are written. It sees that they are doubled only in a cell that has neither
# a comma nor a line break; else texts are cut at their commas. So the first row has such a cell.
_QUOTING = "quoting", 'a "quote" in a cell is doubled'


class TableFormat(StrEnum):
    """Formats of a table that is written a row at a time."""

    CSV = "csv"
    JSONL = "jsonl"


def row_of(post: StoredPost) -> dict[str, Cell]:
    """Return the row of a message as one of its versions had it; a time is UTC, and empty where there is none.

    `deletion_told_at` is when Telegram told us; `missing_since` is ours: the message was not there when it was read
    again. Neither says who removed it.
    """
    forward, media = post.forward, post.media
    return {
        "id": f"{post.channel_id}-{post.message_id}",
        "thread_id": _thread(post),
        "timestamp": cell_time(post.date),
        "unix_timestamp": int(post.date.timestamp()),
        "author": post.channel_username or post.channel_title,
        "author_name": post.author,
        "body": post.text,
        "link": post.link,
        "channel": post.channel_title,
        "channel_id": post.channel_id,
        "message_id": post.message_id,
        "album_id": post.grouped_id,
        "version": post.number,
        "is_current": post.is_current,
        "timestamp_edited": cell_time(post.edit_date),
        "seen_at": cell_time(post.seen_at),
        "observed_by": post.observed_by,
        "deletion_told_at": cell_time(post.deleted_at),
        "missing_since": cell_time(post.missing_since),
        "views": post.views,
        "forwards": post.forwards,
        "reactions": post.reactions,
        "reply_to": post.reply_to,
        "forward_from": None if forward is None else forward.name,
        "forward_channel_id": None if forward is None else forward.channel_id,
        "forward_timestamp": None if forward is None else cell_time(forward.date),
        "urls": ",".join(links_of(post)),
        "hashtags": ",".join(_hashtags(post)),
        "media_type": None if media is None else media.kind,
        "media_title": None if media is None else media.title,
        "parts": compact_json([[part.kind, part.text] for part in post.parts]) if post.parts else None,
    }


def _thread(post: StoredPost) -> str:
    """Return what a message belongs to: a comment to its post, by the `id` of that; any other to its channel."""
    on = post.commented
    return str(post.channel_id) if on is None or on.message_id is None else f"{on.channel_id}-{on.message_id}"


def cell_time(moment: datetime | None) -> str | None:
    """Return a moment as a cell has it: UTC, in seconds."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def links_of(post: StoredPost) -> list[str]:
    """Return the links of a text, those behind words included, in their order."""
    found = FormattedText.read(post.text, post.entities, kinds=_LINKS)
    links = sorted((style.start, style.value or post.text[style.start : style.end]) for style in found.styles)
    return list(dict.fromkeys(link for _, link in links))


def _hashtags(post: StoredPost) -> list[str]:
    found = FormattedText.read(post.text, post.entities, kinds=frozenset({"hashtag"}))
    return list(dict.fromkeys(post.text[each.start : each.end].lstrip("#") for each in found.styles))


def safe_cell(value: Cell) -> Cell:
    """Return what a cell shows: a text that a spreadsheet would calculate has an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def writer(how: TableFormat, out: TextIO) -> Write:
    """Return a function that writes a row; CSV begins with the names of the columns, before the first row."""
    if how is TableFormat.JSONL:
        return lambda row: _write_line(row, out)
    out.write(BOM)
    table = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_NONNUMERIC)  # RFC 4180
    name, quoting = _QUOTING

    def write(row: Mapping[str, Cell]) -> None:
        nonlocal quoting
        if quoting:
            table.writerow([*row, name])
        table.writerow([*map(safe_cell, row.values()), quoting])
        quoting = ""

    return write


def _write_line(row: Mapping[str, Cell], out: TextIO) -> None:
    out.write(compact_json(row) + "\n")
