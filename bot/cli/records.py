"""Stored posts with all that is known of them become JSON Lines or CSV for other programs."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime

from bot.cli.output import text_output
from bot.dossier.table import Cell, TableFormat, links_of, writer
from bot.models import StoredPost, to_json
from bot.models.links import post_link
from bot.parts import split_spans
from bot.search.searcher import Hit


def record(hit: Hit, versions: Sequence[StoredPost]) -> dict[str, object]:
    """Return all that is known of a post, ready for JSON.

    Dates are UTC; spans count Python characters, entities UTF-16 units as Telegram does. `versions` are those of the
    message, in the order of Telegram's edit dates.
    """
    post = hit.post
    own, in_parts = split_spans(post.text, post.parts, hit.spans)
    spans = {match.part: match.spans for match in in_parts}
    return {
        "link": post.link,
        "channel": post.channel_title,
        "username": post.channel_username,
        "channel_id": post.channel_id,
        "message_id": post.message_id,
        "grouped_id": post.grouped_id,
        "date": post.date,
        "edit_date": post.edit_date,
        "deletion_told_at": post.deleted_at,
        "missing_since": post.missing_since,
        "seen_at": post.seen_at,
        "observed_by": post.observed_by,
        "author": post.author,
        "text": post.text,
        "is_part": post.is_part,
        "spans": own,
        "parts": [{"kind": part.kind, "text": part.text, "spans": spans.get(part, ())} for part in post.parts],
        "links": links_of(post),
        "entities": [asdict(entity) for entity in post.entities],
        "media": post.media and asdict(post.media),
        "forward": post.forward and asdict(post.forward),
        "reply_to": _reply(post),
        "comment_on": post.commented and asdict(post.commented),
        "views": post.views,
        "forwards": post.forwards,
        "reactions": post.reactions,
        "version": post.number,
        "is_current": post.is_current,
        "versions": [
            {"version": one.number, "date": one.edit_date or one.date, "seen_at": one.seen_at, "text": one.text}
            for one in versions
        ],
    }


@contextmanager
def writing(how: TableFormat) -> Iterator[Callable[[dict[str, object]], None]]:
    """Yield a function that writes a record to standard output; the first line of CSV names its columns."""
    out = text_output()
    if how is TableFormat.JSONL:
        yield lambda row: print(to_json(row), file=out)
        return
    write = writer(TableFormat.CSV, out)
    yield lambda row: write({name: _cell(value) for name, value in row.items()})


def _cell(value: object) -> Cell:
    """Return what a cell shows."""
    match value:
        case datetime():
            return value.isoformat()
        case None | int() | str():
            return value
        case _:
            return to_json(value)


def _reply(post: StoredPost) -> dict[str, object] | None:
    """Return the message that a post answers."""
    if post.reply_to is None:
        return None
    there: dict[str, object] = {"channel_id": post.reply_channel or post.channel_id, "message_id": post.reply_to}
    if post.reply_channel is None:
        there["link"] = post_link(post.channel_id, post.channel_username, post.reply_to)
    return there
