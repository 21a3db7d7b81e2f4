"""What an observation adds and changes, collected while it is followed, then written in a handful of statements."""

from dataclasses import dataclass, field
from typing import Any

from bot.models import Observation, Post, PostKey
from bot.store import comments, ledger, long_posts, marks, page_versions, version_rows
from bot.store.database import Transaction
from bot.store.ledger import LineKind
from bot.store.long_posts import LongPost
from bot.store.rows import to_ms
from bot.store.version_rows import Known, MessageKey

_SET_PARTS = "UPDATE versions SET parts = ? WHERE id = ?"


@dataclass(slots=True, kw_only=True)
class VersionWrites:
    """What is to be written; the messages themselves are in what is known."""

    versions: list[tuple[Any, ...]] = field(default_factory=list)  # rows to be added …
    lines: list[ledger.LedgerEntry] = field(default_factory=list)  # … and their lines in the ledger
    parts: list[tuple[str, int, Post]] = field(default_factory=list)  # JSON, of which version, the post with them
    rests: list[tuple[int, bytes, Post]] = field(default_factory=list)  # versions, their hashes, whole posts
    # versions, the posts that say so, and whether their bytes are to be kept
    withheld: list[tuple[int, Post, bool]] = field(default_factory=list)
    origins: list[tuple[int, Post]] = field(default_factory=list)  # rows of messages, what Telegram tells after a page
    long: dict[MessageKey, LongPost] = field(default_factory=dict)  # what is known now of long posts
    to_read_anew: set[int] = field(default_factory=set)  # channels
    looks: dict[MessageKey, bytes] = field(default_factory=dict)  # hashes of what pages show of what Telegram has told
    moved: dict[int, tuple[MessageKey, str]] = field(default_factory=dict)  # versions: whose caption another item has
    regrouped: dict[PostKey, int] = field(default_factory=dict)  # posts whose album Telegram names now: its grouped_id
    copies: list[Post] = field(default_factory=list)  # of posts, in the supergroups where they are commented on
    # messages that have vanished or are back: since when each was gone before, and by which path that was seen
    turned: dict[MessageKey, tuple[int | None, str | None]] = field(default_factory=dict)

    async def put(self, tx: Transaction, observation: Observation, known: Known) -> None:
        """Write all of it."""
        now = to_ms(observation.seen_at)
        if self.origins:
            await page_versions.regroup(tx, self.regrouped)
            origins = [version_rows.origin_row(post, message_row) for message_row, post in self.origins]
            await tx.execute_many(version_rows.SET_ORIGIN, origins)
        if self.looks:
            await page_versions.put_looks(tx, self.looks, now=now)
        await tx.insert_all(version_rows.ADD_VERSION, self.versions)
        await ledger.add(tx, self.lines)
        await version_rows.write(tx, known, now=now)
        for old, (owner, post_key) in self.moved.items():  # perhaps to a version that was added a moment ago
            await page_versions.move_alerts(tx, (owner[0], post_key), old=old, new=known.messages[owner].version_id)
        await comments.put_copies(tx, self.copies, now=observation.seen_at)
        if self.long:
            await long_posts.put(tx, self.long, now=now)
        await self._put_arrivals(tx, observation)
        if self.turned:
            await ledger.add_turns(tx, observation, self._turns(known))
        for channel_id in self.to_read_anew:
            await marks.read_anew(tx, channel_id, now=observation.seen_at)

    async def _put_arrivals(self, tx: Transaction, observation: Observation) -> None:
        """Write what came to versions that are stored: parts, the rest of a long post, that a post is withheld."""
        await tx.execute_many(_SET_PARTS, [(written, version_id) for written, version_id, _ in self.parts])
        if self.rests:
            rests = [version_rows.rest_row(post, version_id, content) for version_id, content, post in self.rests]
            await tx.execute_many(version_rows.SET_REST, rests)
        arrived = [(version_id, post) for _, version_id, post in self.parts]
        arrived += [(version_id, post) for version_id, _, post in self.rests]
        withheld = [(version_id, post) for version_id, post, is_kept in self.withheld if is_kept]
        loaded = [version_rows.part_evidence_row(post, observation, number) for number, post in (*arrived, *withheld)]
        await tx.insert_all(version_rows.ADD_PART_EVIDENCE, loaded)
        if arrived:
            await ledger.add_to_versions(tx, observation, LineKind.ADDITION, arrived)
        if self.withheld:
            every = [(version_id, post) for version_id, post, _ in self.withheld]
            await ledger.add_to_versions(tx, observation, LineKind.WITHHELD, every)

    def _turns(self, known: Known) -> dict[MessageKey, tuple[int, bool]]:
        """Return the version of each message that has vanished or is back, and whether it is gone."""
        messages = {key: known.messages[key] for key in self.turned}
        return {key: (message.version_id, message.gone_at is not None) for key, message in messages.items()}
