"""Questions that wait for somebody's next message in a chat, each a command that lacks its last words."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from bot.models.outgoing import Peer
from bot.store.database import Reader, Transaction
from bot.store.rows import read, to_ms

LIFE = timedelta(hours=1)  # what is written later is no answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question to one person in one chat."""

    chat_id: int
    person_id: int
    command: str  # that the answer completes, without slash …
    before: str = ""  # … by what stands before it …
    after: str = ""  # … and behind it
    subject: str  # in the chat's words, for whoever gives it up
    message_id: int  # that asks; in a group, the answer replies to it
    asked_at: datetime


async def ask(tx: Transaction, question: Question) -> None:
    """Wait for the answer to a question; an earlier one to this person in this chat is given up."""
    await tx.execute(
        """INSERT INTO questions (chat_id, person_id, command, before, after, subject, message_id, asked_at)
        VALUES (:chat_id, :person_id, :command, :before, :after, :subject, :message_id, :asked_at)
        ON CONFLICT DO UPDATE SET command = excluded.command, before = excluded.before, after = excluded.after,
            subject = excluded.subject, message_id = excluded.message_id, asked_at = excluded.asked_at""",
        {**asdict(question), "asked_at": to_ms(question.asked_at)},
    )


async def open_to(db: Reader, chat_id: int, person_id: int, now: datetime) -> Question | None:
    """Return the question that waits for a person in a chat; None where none does."""
    row = await db.fetch_one(
        "SELECT * FROM questions WHERE chat_id = :chat AND person_id = :person AND asked_at > :since",
        {"chat": chat_id, "person": person_id, "since": to_ms(now - LIFE)},
    )
    return None if row is None else read(Question, row)


async def waits_for_reply(db: Reader, peer: Peer, person_id: int, message_id: int | None) -> bool:
    """Tell whether a message of a chat asks a person something."""
    found = await db.fetch_value(
        """SELECT 1 FROM questions q JOIN chats c ON c.id = q.chat_id WHERE c.kind = :kind AND c.telegram_id = :id
        AND q.person_id = :person AND q.message_id = :message""",
        {"kind": peer.kind, "id": peer.id, "person": person_id, "message": message_id},
    )
    return found is not None


async def close(tx: Transaction, question: Question) -> None:
    """Wait for the answer no longer, unless something else has been asked since."""
    await tx.execute(
        "DELETE FROM questions WHERE chat_id = :chat AND person_id = :person AND asked_at = :asked_at",
        {"chat": question.chat_id, "person": question.person_id, "asked_at": to_ms(question.asked_at)},
    )
