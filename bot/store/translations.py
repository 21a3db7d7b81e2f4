"""Translations of versions by Telegram: which are wanted, and the replies to alerts that show them.

A version is translated into a language once, for all chats. A chat gets the translation as a reply to the alert: where
its setting says so once it is here, where somebody tapped in any case, so that the tap is answered.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.models.alerts import Draft, MessageKind
from bot.models.translations import Translation, TranslationState
from bot.parts import Part, is_redacted, load_parts, whole_text
from bot.store import outbox
from bot.store.chats import Chat
from bot.store.database import Reader, Subject, Transaction
from bot.store.rows import json_list, maybe_ms, read, to_ms
from bot.text.language import language_of

FOLLOWS_WITHIN = timedelta(days=1)  # an alert that is older gets no translation by itself
PATIENCE = timedelta(seconds=3)  # after a tap for the translation, before the reply says that it comes later


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedTranslation:
    """A text that a reader is to have translated."""

    version_id: int
    language: str  # into which
    text: str  # of the post …
    parts: tuple[Part, ...]  # … and beside it
    attempts: int  # that failed so far
    wanted_at: datetime
    channel_id: int
    message_id: int
    access_hash: int | None  # of the channel; None where the reader cannot see this version in it
    raw: bytes  # the message as it was seen …
    layer: int | None  # … where that is TL bytes: of this layer

    @property
    def whole(self) -> str:
        """The text with its parts."""
        return whole_text(self.text, self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answered:
    """An alert that a reply answers."""

    alert_id: int
    channel_id: int
    post_key: str
    message_id: int  # the row of the alert's message


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertedVersion(_Answered):
    """The version that an alert of a chat shows, and the reply with its translation."""

    version_id: int
    reply_id: int | None  # the row of the reply; None: there is none yet
    is_shown: bool  # the chat has the reply
    text: str  # of the version …
    parts: tuple[Part, ...]  # … and beside it

    @property
    def whole(self) -> str:
        """The text with its parts."""
        return whole_text(self.text, self.parts)


async def get(db: Reader, version_id: int, language: str) -> Translation | None:
    """Return the translation of a version into a language; None where nobody wanted it."""
    row = await db.fetch_one(
        "SELECT state, text, reason FROM translations WHERE version_id = :version AND language = :language",
        {"version": version_id, "language": language},
    )
    return None if row is None else read(Translation, row)


async def find_alerted(
    db: Reader, chat_id: int, channel_id: int, message_id: int, language: str
) -> AlertedVersion | None:
    """Return what the alert of a message shows in a chat; None where it has no message of its own."""
    row = await db.fetch_one(
        """SELECT a.id AS alert_id, a.shown_version_id AS version_id, a.channel_id, a.post_key, m.id AS message_id,
            r.id AS reply_id, coalesce(r.sent_revision, 0) > 0 AS is_shown, v.text, v.parts
        FROM posts p JOIN alerts a ON a.channel_id = p.channel_id AND a.post_key = p.post_key AND a.chat_id = :chat
            AND NOT a.is_counted
        JOIN messages m ON m.alert_id = a.id AND m.kind = 'alert' JOIN versions v ON v.id = a.shown_version_id
        LEFT JOIN messages r ON r.alert_id = a.id AND r.kind = 'translation' AND r.body ->> 'language' = :language
        WHERE p.channel_id = :channel AND p.message_id = :message LIMIT 1""",
        {"chat": chat_id, "channel": channel_id, "message": message_id, "language": language},
    )
    return None if row is None else read(AlertedVersion, row)


async def request(tx: Transaction, chat: Chat, alerted: AlertedVersion, language: str, *, now: datetime) -> None:
    """Have an alert answered by its translation at somebody's tap, also where Telegram refused it before."""
    await _want(tx, [(alerted.version_id, language)], now=now)
    await tx.execute(
        """UPDATE translations SET state = 'wanted', due_at = :now, wanted_at = :now, attempts = 0, reason = NULL
        WHERE version_id = :version AND language = :language AND state = 'left'""",
        {"version": alerted.version_id, "language": language, "now": to_ms(now)},
    )
    found = await get(tx, alerted.version_id, language)
    is_here = found is not None and found.state is TranslationState.DONE
    draft = _draft(alerted, language, chat_id=chat.id, chat_key=chat.key)
    await outbox.enqueue(tx, [draft], now=now, due_at=now if is_here else now + PATIENCE)


async def follow(tx: Transaction, alert_ids: Collection[int], *, now: datetime) -> None:
    """See to the translations of alerts that are new or show another version: as their chats want, or have had."""
    if not alert_ids:
        return
    rows = await tx.fetch_all(
        """SELECT DISTINCT w.version_id, w.language, v.text, v.parts, t.state FROM (
            SELECT a.shown_version_id AS version_id, c.translate_into AS language FROM json_each(:alerts) k
                JOIN alerts a ON a.id = k.value AND a.group_id IS NULL AND a.duplicate_of IS NULL
                JOIN chats c ON c.id = a.chat_id AND c.translate_into IS NOT NULL
            UNION SELECT a.shown_version_id, m.body ->> 'language' FROM json_each(:alerts) k
                JOIN messages m ON m.alert_id = k.value AND m.kind = 'translation' JOIN alerts a ON a.id = m.alert_id
        ) w JOIN versions v ON v.id = w.version_id
        LEFT JOIN translations t ON t.version_id = w.version_id AND t.language = w.language""",
        {"alerts": json_list(alert_ids)},
    )
    wanted = []
    for row in rows:
        parts = load_parts(row["parts"])
        text = whole_text(row["text"], parts)
        if row["state"] is not None:
            await _show(tx, row["version_id"], row["language"], now=now)
        elif text.strip() and language_of(text) != row["language"] and not is_redacted(parts):
            wanted.append((row["version_id"], row["language"]))
    await _want(tx, wanted, now=now)


async def _want(tx: Transaction, wanted: Iterable[tuple[int, str]], *, now: datetime) -> None:
    moment = to_ms(now)
    rows = [(version_id, language, moment, moment) for version_id, language in wanted]
    added = await tx.insert_all(
        "INSERT INTO translations (version_id, language, wanted_at, due_at)", rows, "ON CONFLICT DO NOTHING"
    )
    if added:
        tx.announce(Subject.TRANSLATIONS)


async def claim(tx: Transaction, reader_id: int, *, until: datetime, now: datetime) -> WantedTranslation | None:
    """Return the text that is to be translated now, the one that has waited longest, and put it off meanwhile.

    A text that kills the program is not the next one.
    """
    row = await tx.fetch_one(
        """SELECT t.version_id, t.language, t.attempts, t.wanted_at, v.text, v.parts, v.channel_id, v.message_id,
            v.raw, v.layer, r.access_hash
        FROM translations t INDEXED BY translations_wanted JOIN versions v ON v.id = t.version_id
        LEFT JOIN posts p ON p.version_id = v.id AND p.gone_at IS NULL AND v.raw_format = 'tl'
        LEFT JOIN memberships r ON r.channel_id = p.channel_id AND r.reader_id = :reader
            AND r.access IN ('polled', 'joined')
        WHERE t.state = 'wanted' AND t.due_at <= :now ORDER BY t.due_at LIMIT 1""",
        {"now": to_ms(now), "reader": reader_id},
    )
    if row is None:
        return None
    await tx.execute(
        """UPDATE translations SET due_at = :until, attempts = attempts + 1
        WHERE version_id = :version AND language = :language""",
        {"version": row["version_id"], "language": row["language"], "until": to_ms(until)},
    )
    return read(WantedTranslation, row)


async def is_due(db: Reader, now: datetime) -> bool:
    """Return whether a text is to be translated now."""
    sql = "SELECT 1 FROM translations INDEXED BY translations_wanted WHERE state = 'wanted' AND due_at <= :now LIMIT 1"
    return await db.fetch_one(sql, {"now": to_ms(now)}) is not None


async def done(tx: Transaction, wanted: WantedTranslation, text: str, *, now: datetime) -> None:
    """Write a translation down; alerts are answered by it, unless it says what the post says."""
    is_same = text.split() == wanted.whole.split()
    state = TranslationState.SAME if is_same else TranslationState.DONE
    # Where the rest of a long post has come meanwhile, its row is another one.
    count = await tx.execute(
        """UPDATE translations SET state = :state, text = :text, reason = NULL
        WHERE version_id = :version AND language = :language AND state = 'wanted' AND wanted_at = :wanted""",
        {
            "version": wanted.version_id,
            "language": wanted.language,
            "wanted": to_ms(wanted.wanted_at),
            "state": state,
            "text": None if is_same else text,
        },
    )
    if count:
        await _show(tx, wanted.version_id, wanted.language, now=now)


async def put_off(
    tx: Transaction, wanted: WantedTranslation, reason: str, *, until: datetime | None, now: datetime
) -> None:
    """Ask for a translation later, or give it up where `until` is None; who tapped for it sees why."""
    await tx.execute(
        """UPDATE translations SET state = iif(:until IS NULL, 'left', state), due_at = coalesce(:until, due_at),
            reason = :reason
        WHERE version_id = :version AND language = :language AND state = 'wanted'""",
        {
            "version": wanted.version_id,
            "language": wanted.language,
            "until": maybe_ms(until),
            "reason": reason,
        },
    )
    await _show(tx, wanted.version_id, wanted.language, now=now)


async def _show(tx: Transaction, version_id: int, language: str, *, now: datetime) -> None:
    """Have the replies show what is known of a translation now; one that is here, alerts are answered by as well."""
    rows = await tx.fetch_all(
        """SELECT a.id AS alert_id, a.channel_id, a.post_key, c.id AS chat_id, c.key, m.id AS message_id,
            r.id AS reply_id
        FROM versions v JOIN posts p ON p.channel_id = v.channel_id AND p.message_id = v.message_id
        JOIN translations t ON t.version_id = v.id AND t.language = :language
        JOIN alerts a ON a.channel_id = p.channel_id AND a.post_key = p.post_key AND a.shown_version_id = v.id
            AND NOT a.is_counted
        JOIN chats c ON c.id = a.chat_id AND c.suspended IS NULL
        JOIN messages m ON m.alert_id = a.id AND m.kind = 'alert' AND m.state NOT IN ('dead', 'withdrawn')
        LEFT JOIN messages r ON r.alert_id = a.id AND r.kind = 'translation' AND r.body ->> 'language' = :language
        WHERE v.id = :version AND (r.id IS NOT NULL OR t.state = 'done' AND c.translate_into = :language
            AND a.created_at >= :since AND a.group_id IS NULL AND a.duplicate_of IS NULL)""",
        {"version": version_id, "language": language, "since": to_ms(now - FOLLOWS_WITHIN)},
    )
    shown = [row["reply_id"] for row in rows if row["reply_id"] is not None]
    await outbox.revise(tx, shown, now=now)
    await tx.execute(
        """UPDATE messages SET due_at = min(due_at, :now)
        WHERE id IN (SELECT value FROM json_each(:ids)) AND state = 'due' AND sent_revision = 0""",
        {"ids": json_list(shown), "now": to_ms(now)},
    )
    drafts = [
        _draft(read(_Answered, row), language, chat_id=row["chat_id"], chat_key=row["key"])
        for row in rows
        if row["reply_id"] is None
    ]
    await outbox.enqueue(tx, drafts, now=now)


def _draft(answered: _Answered, language: str, *, chat_id: int, chat_key: bytes) -> Draft:
    return Draft(
        chat_id=chat_id,
        chat_key=chat_key,
        kind=MessageKind.TRANSLATION,
        subject=f"{answered.channel_id}/{answered.post_key}/{language}",
        alert_id=answered.alert_id,
        body={"language": language},
        reply_to=answered.message_id,
        silent=True,
    )
