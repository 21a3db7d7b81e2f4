"""Posts that chats are to be told of come in; with each goes out which posts of the last 48 hours say the same."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.matching.memory import Memory
from bot.retelling import Retelling, compared
from bot.store import repeats
from bot.store.database import Reader
from bot.store.followups import Outdated
from bot.store.gatherings import Told


class Echoes:
    """Knows the posts of the last 48 hours that chats were told of.

    Only jobs of the writer use it. One that is rolled back leaves posts in the memory that nobody was told of, which
    does no harm: whether a chat was told of a post is asked of the store.
    """

    def __init__(self) -> None:
        self._memory: Memory | None = None  # read from the store by the first job that needs it

    async def compare(self, tx: Reader, told: Sequence[Told], *, now: datetime) -> list[Told]:
        """Look up what says the same, in the memory and among the posts themselves."""
        memory = await self._ready(tx, now)
        said = {each.draft.said.key: each.draft.said for each in told if each.draft.said is not None}
        for post in said.values():
            memory.remember(post)
        alike = {key: tuple(memory.alike(post)) for key, post in said.items()}
        return [
            each
            if each.draft.said is None
            else replace(each, draft=replace(each.draft, alike=alike[each.draft.said.key]))
            for each in told
        ]

    def follow(self, outdated: Sequence[Outdated], retold: Sequence[Retelling]) -> None:
        """Follow the posts whose alerts say something else now; what has joined them stays."""
        if self._memory is None:
            return
        for old, each in zip(outdated, retold, strict=True):
            if each.shown is not None:
                text = compared(old.current.text, old.current.asides, each.shown.payload)
                self._memory.reword((old.channel_id, old.post_key), text)

    async def _ready(self, tx: Reader, now: datetime) -> Memory:
        since = now - repeats.WITHIN
        if self._memory is None:
            memory = Memory(within=repeats.WITHIN)
            for said in await repeats.told_since(tx, since):
                memory.remember(said)
            self._memory = memory
        self._memory.forget(since)
        return self._memory
