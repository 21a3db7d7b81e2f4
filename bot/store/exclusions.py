"""Exclusions: words without which the posts of a topic have to be in one chat; the topic has those for all chats."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from bot.store.database import Reader, Subject, Transaction
from bot.store.rows import read_all


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcludedWord:
    """A word that a chat excludes from a topic."""

    topic_id: int
    word: str  # as in a query
    compiled: str  # JSON, forms expanded


async def add(tx: Transaction, chat_id: int, excluded: ExcludedWord) -> None:
    """Exclude a word from a topic in a chat."""
    await tx.execute(
        """INSERT OR IGNORE INTO exclusions (chat_id, topic_id, word, compiled)
        VALUES (:chat, :topic, :word, :compiled)""",
        {"chat": chat_id, "topic": excluded.topic_id, "word": excluded.word, "compiled": excluded.compiled},
    )
    tx.announce(Subject.TOPICS)


async def remove(tx: Transaction, chat_id: int, excluded: ExcludedWord) -> None:
    """End the exclusion of a word in a chat."""
    sql = "DELETE FROM exclusions WHERE chat_id = :chat AND topic_id = :topic AND word = :word"
    await tx.execute(sql, {"chat": chat_id, "topic": excluded.topic_id, "word": excluded.word})
    tx.announce(Subject.TOPICS)


async def of_chat(db: Reader, chat_id: int, topic_id: int | None = None) -> list[ExcludedWord]:
    """Return what a chat excludes, from one topic or from all, those that it has switched off included."""
    rows = await db.fetch_all(
        """SELECT topic_id, word, compiled FROM exclusions
        WHERE chat_id = :chat AND topic_id = coalesce(:topic, topic_id) ORDER BY topic_id, word""",
        {"chat": chat_id, "topic": topic_id},
    )
    return read_all(ExcludedWord, rows)


async def by_topic(db: Reader, chat_id: int) -> Mapping[int, list[str]]:
    """Return the compiled words that a chat excludes, by topic."""
    found = defaultdict[int, list[str]](list)
    for each in await of_chat(db, chat_id):
        found[each.topic_id].append(each.compiled)
    return found


async def all_words(db: Reader) -> Mapping[str, str]:
    """Return each word that any chat excludes from any topic, with its compiled form."""
    rows = await db.fetch_all("SELECT word, min(compiled) AS compiled FROM exclusions GROUP BY word")
    return {row["word"]: row["compiled"] for row in rows}
