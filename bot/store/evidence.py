"""A post and how it was seen come in; the rows that stand as evidence of it go out."""

import hashlib
import json

from bot import __version__
from bot.models import Observation, Post, to_json
from bot.parts import dump_parts
from bot.store.database import Reader
from bot.store.rows import maybe_ms, to_ms

ADD_VERSION = """INSERT INTO versions (id, channel_id, message_id, number, hash, text, entities, media, date,
        edit_date, seen_at, observed_by, reader_id, program, raw, layer, raw_sha256, parts)"""
ADD_PART_EVIDENCE = (
    "INSERT INTO part_evidence (version_id, seen_at, observed_by, reader_id, program, raw, layer, raw_sha256)"
)


async def raw_of(db: Reader, version_id: int) -> tuple[bytes, int]:
    """Return a version's message as TL bytes, and their layer."""
    (row,) = await db.fetch_all("SELECT raw, layer FROM versions WHERE id = :id", {"id": version_id})
    return row["raw"], row["layer"]


def version_row(
    post: Post, observation: Observation, version_id: int, content: bytes, *, number: int
) -> tuple[object, ...]:
    """Write a version of a message; `content` is the hash of what a reader sees."""
    return (
        version_id,
        post.channel_id,
        post.message_id,
        number,
        content,
        post.text,
        _entities_json(post),
        to_json(post.media) if post.media else None,
        to_ms(post.date),
        maybe_ms(post.edit_date),
        *_seen(post, observation),
        dump_parts(post.parts),
    )


def part_evidence_row(post: Post, observation: Observation, version_id: int) -> tuple[object, ...]:
    """Write what came to stand beside the text of a version."""
    return (version_id, *_seen(post, observation))


def _seen(post: Post, observation: Observation) -> tuple[object, ...]:
    return (
        to_ms(observation.seen_at),
        observation.observed_by,
        observation.reader_id,
        __version__,
        post.raw,
        post.layer,
        hashlib.sha256(post.raw).digest(),
    )


def _entities_json(post: Post) -> str:
    if not post.entities:
        return "[]"
    # by hand: dataclasses.asdict copies deeply, which takes ten times as long
    entities = [{"kind": e.kind, "offset": e.offset, "length": e.length, "value": e.value} for e in post.entities]
    return json.dumps(entities, ensure_ascii=False, separators=(",", ":"))
