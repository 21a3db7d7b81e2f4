"""Chats that receive alerts, and what they have chosen."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.models.alerts import Edits
from bot.models.outgoing import Peer, PeerKind, Theme
from bot.schedule import Digests, Quiet, Schedule, Storms
from bot.store import outbox
from bot.store.database import Reader, Subject, Transaction
from bot.store.rows import json_list, read, read_all, to_ms

OFFERED = "OFFERED"  # why a broadcast is suspended that nobody has set up yet; only somebody of the team resumes it
REMOVED = "REMOVED"  # why a private chat is suspended whose person was removed, or a target that was; only a link
# resumes the one, and only who undoes it the other
# A chat in a row of other things: what `read` calls its field `chat`.
COLUMNS = """
    c.id AS chat_id, c.key AS chat_key, c.kind AS chat_peer_kind, c.telegram_id AS chat_peer_id,
    c.access_hash AS chat_peer_access_hash, c.thread_id AS chat_peer_thread_id, c.title AS chat_title,
    c.broadcast AS chat_broadcast,
    c.language AS chat_language, c.language_chosen AS chat_language_chosen, c.time_zone AS chat_time_zone,
    c.zone_chosen AS chat_zone_chosen,
    c.translate_into AS chat_translate_into,
    c.edits AS chat_edits, c.media AS chat_media, c.confirmations AS chat_confirmations,
    c.surges AS chat_surges,
    c.theme AS chat_theme, c.heads AS chat_heads,
    c.pages AS chat_pages,
    c.quiet_from AS chat_quiet_start, c.quiet_until AS chat_quiet_end, c.digest_every AS chat_digests_every,
    c.digest_minute AS chat_digests_minute, c.digest_weekday AS chat_digests_weekday,
    c.storm_count AS chat_storms_count, c.storm_minutes AS chat_storms_minutes,
    c.report_minute AS chat_report_minute, c.reported_at AS chat_report_since,
    c.weekly_minute AS chat_weekly_minute, c.weekly_weekday AS chat_weekly_weekday, c.weekly_at AS chat_weekly_since,
    c.suspended AS chat_suspended, c.paired_at AS chat_paired_at
"""
_CHATS = f"SELECT {COLUMNS} FROM chats c"  # noqa: S608 - our own constant


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTime:
    """When a chat gets its daily report."""

    minute: int  # of the chat's own day
    since: datetime  # the last report, or when the chat asked for them


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyTime:
    """When a chat gets its weekly report."""

    minute: int  # of the chat's own day
    weekday: int  # 0 is Monday
    since: datetime  # the last report, or when the chat asked for them


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """A receiver of alerts: a person, a group or a channel, with its settings."""

    id: int
    key: bytes  # 16 random bytes: part of every alert's identity
    peer: Peer
    title: str
    broadcast: bool  # a channel of the team's own, or a target: nobody there speaks to the bot
    language: str  # one of LANGUAGES
    language_chosen: bool  # by somebody there; else it is Telegram's
    time_zone: str  # IANA name
    zone_chosen: bool  # by somebody there; else it is UTC, and asked for
    translate_into: str | None  # a translation follows each alert in another language; None: only at a tap
    edits: Edits
    media: bool  # the photos and documents of a post follow its alert
    confirmations: bool  # a reply, with a sound, where a second channel says the same
    surges: bool  # a notice where a topic has unusually many posts
    theme: Theme  # of charts
    pages: bool  # the public pages of posts are captured with its alerts
    heads: bool  # the signed head of the ledger is posted each day
    quiet: Quiet | None  # hours of each day in which it wants no sound
    digests: Digests  # when they come
    storms: Storms | None  # from when on posts on a topic become one message; None: never
    report: ReportTime | None  # when the daily report comes; None: never
    weekly: WeeklyTime | None = None  # when the weekly report comes; None: never
    suspended: str | None  # why nothing is sent any more: Telegram's error string
    paired_at: datetime

    @property
    def is_target(self) -> bool:
        """Whether it is reached in another way than through Telegram."""
        return self.peer.kind is PeerKind.TARGET

    @property
    def schedule(self) -> Schedule:
        """When the chat wants alerts and digests."""
        return Schedule(zone=self.time_zone, quiet=self.quiet, digests=self.digests)


async def pair(tx: Transaction, peer: Peer, *, title: str, language: str, now: datetime) -> Chat:
    """Pair a chat; one that was paired before keeps its key and settings and is resumed."""
    values = {"kind": peer.kind, "telegram_id": peer.id, "hash": peer.access_hash, "thread": peer.thread_id}
    await tx.execute(
        """INSERT INTO chats (key, kind, telegram_id, access_hash, thread_id, title, language, paired_at)
        VALUES (:key, :kind, :telegram_id, :hash, :thread, :title, :language, :now)
        ON CONFLICT (kind, telegram_id) DO UPDATE SET access_hash = excluded.access_hash,
            title = excluded.title, suspended = NULL""",
        {**values, "key": secrets.token_bytes(16), "title": title, "language": language, "now": to_ms(now)},
    )
    tx.announce(Subject.CHATS)
    rows = await tx.fetch_all(f"{_CHATS} WHERE kind = :kind AND telegram_id = :telegram_id", values)
    chat = read(Chat, rows[0], "chat")
    await outbox.take_up(tx, chat.id)
    return chat


async def offer(tx: Transaction, peer: Peer, *, title: str, now: datetime) -> Chat:
    """Take a broadcast channel down into which the bot may post, and into which it posts once somebody sets it up."""
    await pair(tx, peer, title=title, language="en", now=now)
    await tx.execute(
        """UPDATE chats SET broadcast = 1, suspended = :offered, report_minute = NULL, weekly_minute = NULL
        WHERE kind = :kind AND telegram_id = :id""",
        {"offered": OFFERED, "kind": peer.kind, "id": peer.id},
    )
    tx.announce(Subject.TOPICS)  # what it posts alerts nobody
    chat = await by_peer(tx, peer.kind, peer.id)
    assert chat is not None  # noqa: S101 - it was just written
    return chat


async def broadcasts(db: Reader) -> list[Chat]:
    """Return the team's own channels by title, also suspended ones."""
    sql = f"{_CHATS} WHERE c.broadcast AND c.kind != 'target' ORDER BY c.title, c.id"
    return read_all(Chat, await db.fetch_all(sql), "chat")


async def targets(db: Reader) -> list[Chat]:
    """Return the targets by title, also suspended ones, without those that were removed."""
    sql = f"{_CHATS} WHERE c.kind = 'target' AND c.suspended IS NOT :removed ORDER BY c.title, c.id"
    return read_all(Chat, await db.fetch_all(sql, {"removed": REMOVED}), "chat")


async def by_peer(db: Reader, kind: PeerKind, telegram_id: int) -> Chat | None:
    """Return the paired chat with this address."""
    row = await db.fetch_one(f"{_CHATS} WHERE kind = :kind AND telegram_id = :id", {"kind": kind, "id": telegram_id})
    return read(Chat, row, "chat") if row else None


async def get(db: Reader, chat_id: int) -> Chat | None:
    """Return a chat by the id of its row."""
    row = await db.fetch_one(f"{_CHATS} WHERE id = :id", {"id": chat_id})
    return read(Chat, row, "chat") if row else None


async def by_ids(db: Reader, chat_ids: Iterable[int]) -> list[Chat]:
    """Return the chats with these ids of rows, in the order in which they came."""
    ids = "SELECT value FROM json_each(:ids)"
    sql = f"{_CHATS} WHERE id IN ({ids}) ORDER BY id"
    return read_all(Chat, await db.fetch_all(sql, {"ids": json_list(chat_ids)}), "chat")


async def everyone(db: Reader) -> list[Chat]:
    """Return all paired chats, also suspended ones, in the order in which they came."""
    return read_all(Chat, await db.fetch_all(f"{_CHATS} ORDER BY id"), "chat")


async def subscribed(db: Reader, topic_id: int) -> list[Chat]:
    """Return the chats, not suspended, that get alerts on a topic, in the order in which they came."""
    ids = "SELECT chat_id FROM subscriptions WHERE topic_id = :topic"
    sql = f"{_CHATS} WHERE c.suspended IS NULL AND c.id IN ({ids}) ORDER BY c.id"
    return read_all(Chat, await db.fetch_all(sql, {"topic": topic_id}), "chat")


async def of_owners(db: Reader) -> list[Chat]:
    """Return the private chats of the owners."""
    owners = "SELECT id FROM people WHERE role = 'owner'"
    sql = f"{_CHATS} WHERE c.kind = 'user' AND c.telegram_id IN ({owners}) ORDER BY c.id"
    return read_all(Chat, await db.fetch_all(sql), "chat")


async def with_own_menu(db: Reader) -> list[Chat]:
    """Return the chats, not suspended, that see other commands than Telegram shows by itself.

    Those are the chats that have chosen their language, and the private ones of people who may do more than readers.
    """
    more = "SELECT id FROM people WHERE role != 'reader'"
    sql = f"""{_CHATS} WHERE (language_chosen OR c.kind = 'user' AND c.telegram_id IN ({more}))
        AND suspended IS NULL AND NOT broadcast"""
    return read_all(Chat, await db.fetch_all(sql), "chat")


async def save(tx: Transaction, chat: Chat) -> None:
    """Write the settings of a chat."""
    await tx.execute(
        """UPDATE chats SET language = :language, language_chosen = :language_chosen, time_zone = :time_zone,
            zone_chosen = :zone_chosen, translate_into = :translate_into,
            edits = :edits, media = :media, confirmations = :confirmations, surges = :surges,
            theme = :theme, heads = :heads, pages = :pages,
            quiet_from = :quiet_from, quiet_until = :quiet_until,
            digest_every = :every, digest_minute = :minute, digest_weekday = :weekday,
            storm_count = :storm_count, storm_minutes = coalesce(:storm_minutes, storm_minutes),
            report_minute = :report_minute,
            reported_at = iif(report_minute IS :report_minute, reported_at, :reported_at),
            weekly_minute = :weekly_minute, weekly_weekday = coalesce(:weekly_weekday, weekly_weekday),
            weekly_at = iif((weekly_minute, weekly_weekday) IS (:weekly_minute, :weekly_weekday), weekly_at, :weekly_at)
        WHERE id = :id""",
        {
            "id": chat.id,
            "language": chat.language,
            "language_chosen": chat.language_chosen,
            "time_zone": chat.time_zone,
            "zone_chosen": chat.zone_chosen,
            "translate_into": chat.translate_into,
            "edits": chat.edits,
            "media": chat.media,
            "confirmations": chat.confirmations,
            "surges": chat.surges,
            "theme": chat.theme,
            "heads": chat.heads,
            "pages": chat.pages,
            "quiet_from": chat.quiet and chat.quiet.start,
            "quiet_until": chat.quiet and chat.quiet.end,
            "every": chat.digests.every,
            "minute": chat.digests.minute,
            "weekday": chat.digests.weekday,
            "storm_count": chat.storms and chat.storms.count,
            "storm_minutes": chat.storms and chat.storms.minutes,
            "report_minute": chat.report and chat.report.minute,
            "reported_at": chat.report and to_ms(chat.report.since),
            "weekly_minute": chat.weekly and chat.weekly.minute,
            "weekly_weekday": chat.weekly and chat.weekly.weekday,
            "weekly_at": chat.weekly and to_ms(chat.weekly.since),
        },
    )
    tx.announce(Subject.CHATS)


async def reported(tx: Transaction, chat_id: int, now: datetime) -> None:
    """Note that a chat has got its daily report."""
    await tx.execute("UPDATE chats SET reported_at = :now WHERE id = :id", {"id": chat_id, "now": to_ms(now)})


async def reported_weekly(tx: Transaction, chat_id: int, now: datetime) -> None:
    """Note that a chat has got its weekly report."""
    await tx.execute("UPDATE chats SET weekly_at = :now WHERE id = :id", {"id": chat_id, "now": to_ms(now)})


async def suspend(tx: Transaction, chat_id: int, reason: str) -> None:
    """Suspend a chat, with Telegram's error string as the reason, and end its messages that are due."""
    values = {"id": chat_id, "reason": reason}
    await tx.execute("UPDATE chats SET suspended = :reason WHERE id = :id", values)
    await outbox.end_all(tx, chat_id, reason)
    tx.announce(Subject.CHATS)


async def resume(tx: Transaction, chat_id: int) -> None:
    """Resume a chat."""
    await tx.execute("UPDATE chats SET suspended = NULL WHERE id = :id", {"id": chat_id})
    await outbox.take_up(tx, chat_id)
    tx.announce(Subject.CHATS)
