"""Each table has a limit, or a reason to grow; and what is over goes."""

import re
from datetime import timedelta
from pathlib import Path

from bot.models.acts import GroupPaired
from bot.models.people import Role
from bot.store import acts, handled, housekeeping, invitations, migrations, page_versions, subscriptions
from tests.kit_archive import NEWS, NOON, ago, open_archive, post

ARCHIVE = """posts post_copies versions part_evidence ledger ledger_heads signing_keys stamps proofs fulltext long_posts
    media captures translations pictures site_entries"""
SENT = "alerts messages groups attachments"
CLEARED = "handled mutes invitations acts enquiries strangers uploads requests page_looks target_urls"
FEW = """meta heartbeats readers flood_waits channels memberships unreadable silences follows backfills progress topics
    topic_changes topic_versions exclusions people chats subscriptions feedback restorations topic_access channel_access
    saved_searches channel_groups channel_group_members questions threads targets sites page_readings
    cases case_access case_posts redactions"""


def test_each_table_has_a_limit_or_a_reason_to_grow() -> None:
    schema = "".join(migrations.available().values())
    tables = re.findall(r"^CREATE (?:VIRTUAL )?TABLE (\w+)", schema, re.MULTILINE)
    assert sorted(tables) == sorted(f"{ARCHIVE} {SENT} {CLEARED} {FEW}".split())


async def test_what_is_over_is_cleared_and_all_else_stays(tmp_path: Path) -> None:
    async with open_archive(tmp_path) as archive:
        db = archive.db
        chat = await archive.pair()
        for days in (31, 1):
            await db.write(lambda tx, d=days: handled.record(tx, f"{d}", "{}", now=ago(days=d)))
            await db.write(
                lambda tx, d=days: tx.execute(
                    "INSERT INTO uploads VALUES (1, :sha, 'photo', '', 1, 1, x'00', :at)",
                    {"sha": bytes([d]), "at": round(ago(days=4 * d).timestamp() * 1000)},
                )
            )
        for number, until in enumerate((ago(days=1), NOON + timedelta(days=1), None)):
            await db.write(lambda tx, n=number, u=until: subscriptions.mute(tx, chat.id, channel_id=n, until=u))
        await db.write(lambda tx: invitations.make(tx, role=Role.READER, now=ago(days=1)))
        for days in (367, 1):
            await db.write(
                lambda tx, d=days: acts.record(tx, GroupPaired(chat="Newsroom"), acts.SERVER, now=ago(days=d))
            )
        await db.write(
            lambda tx: tx.execute_many(
                "INSERT INTO strangers VALUES (?, ?)", [(n, n) for n in range(1, housekeeping.STRANGERS_KEPT + 6)]
            )
        )
        await archive.follow()
        kept = page_versions.LOOKS_KEPT
        await archive.live(*(post(n) for n in range(1, kept + 3)))
        looks = dict.fromkeys(((NEWS, 1), (NEWS, kept)), b"")
        await db.write(lambda tx: page_versions.put_looks(tx, looks, now=0))
        await db.write(lambda tx: housekeeping.clear(tx, now=NOON))
        sql = "SELECT (SELECT count(*) FROM {})"
        tables = ("handled", "uploads", "mutes", "invitations", "acts", "page_looks", "strangers")
        counts = [await db.fetch_value(sql.format(table)) for table in tables]
        assert counts == [1, 1, 2, 0, 1, 1, housekeeping.STRANGERS_KEPT]
        assert await db.fetch_value("SELECT min(id) FROM strangers") == 6  # the latest stay
