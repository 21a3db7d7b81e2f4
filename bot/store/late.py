"""Posts that came too late for an alarm come in; one notice a chat counts them, and grows for the rest of its hour.

A chat that was told a number has not heard what they say: an edit of one that is news is an alert of its own.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.store import groups
from bot.store.alerts import Draft
from bot.store.database import Transaction
from bot.store.groups import LATE, Notice

GATHERING = timedelta(minutes=1)  # the notice waits this long for more; later ones are added by edits, so far apart


async def gather(tx: Transaction, drafts: Iterable[Draft], *, now: datetime) -> None:
    """Let the notices of this hour count posts that their chats have not heard of."""
    found = [(draft, _notice(draft, now)) for draft in drafts]
    await groups.add(tx, found, now=now, apart=GATHERING, heard=False)


def _notice(draft: Draft, now: datetime) -> Notice:
    return Notice(
        chat_id=draft.chat_id,
        chat_key=draft.chat_key,
        subject=f"{LATE}:{now:%Y-%m-%dT%H}",
        payload={"notice": LATE},
        due_at=now + GATHERING,
        silent=True,
        grows=True,
    )
