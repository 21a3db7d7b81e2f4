"""Feedback: alerts that people found not relevant, and what was wrong with them."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.models import StoredPost
from bot.parts import Spans
from bot.store import posts
from bot.store.database import Reader, Transaction
from bot.store.rows import json_list, read, to_ms


class Complaint(StrEnum):
    """What was wrong with an alert."""

    CHANNEL = "channel"  # its topics are not to come from there
    WORD = "word"  # a word that its topic leaves out from now on
    NOTE = "note"  # unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertedPost:
    """A post that a chat was alerted to."""

    post: StoredPost  # as the alert shows it
    topics: tuple[str, ...]  # names, as they were then
    spans: Spans  # what was found in its text, in Python characters
    alerted_at: datetime
    is_duplicate: bool  # it joined the alert of another post


async def find_alerted(db: Reader, chat_id: int, channel_id: int, message_id: int) -> AlertedPost | None:
    """Return the post of a message as its alert in a chat shows it; None where the chat has no alert of it."""
    row = await db.fetch_one(
        f"""SELECT {posts.COLUMNS}, a.topics, a.spans, a.created_at AS alerted_at,
            a.duplicate_of IS NOT NULL AS is_duplicate FROM posts t CROSS JOIN alerts a ON a.channel_id = t.channel_id
            AND a.post_key = t.post_key AND a.chat_id = :chat AND NOT a.is_counted
        JOIN post_versions p ON p.version_id = a.shown_version_id
        WHERE t.channel_id = :channel AND t.message_id = :message ORDER BY a.id LIMIT 1""",  # noqa: S608 - our own constant
        {"chat": chat_id, "channel": channel_id, "message": message_id},
    )
    return None if row is None else read(AlertedPost, row)


async def record(  # noqa: PLR0913 - the row has this many columns
    tx: Transaction,
    chat_id: int,
    post: StoredPost,
    *,
    person_id: int,
    topics: Collection[str],
    what: Complaint,
    word: str | None = None,
    now: datetime,
) -> None:
    """Note that a person found an alert not relevant; for one post the last feedback of a person counts."""
    await tx.execute(
        """INSERT INTO feedback (chat_id, channel_id, post_key, person_id, topics, what, word, at)
        VALUES (:chat, :channel, :key, :person, :topics, :what, :word, :now)
        ON CONFLICT DO UPDATE SET topics = excluded.topics, what = excluded.what, word = excluded.word""",
        {
            "chat": chat_id,
            "channel": post.channel_id,
            "key": post.key,
            "person": person_id,
            "topics": json.dumps(list(topics), ensure_ascii=False),
            "what": what,
            "word": word,
            "now": to_ms(now),
        },
    )


async def with_feedback(db: Reader, found: Collection[tuple[int, str]]) -> set[tuple[int, str]]:
    """Return those of the posts, (channel id, post key), that somebody in any chat found not relevant."""
    rows = await db.fetch_all(
        """SELECT DISTINCT f.channel_id, f.post_key FROM json_each(:posts) p
        JOIN feedback f ON f.channel_id = p.value ->> 0 AND f.post_key = p.value ->> 1""",
        {"posts": json_list(found)},
    )
    return {(row["channel_id"], row["post_key"]) for row in rows}
