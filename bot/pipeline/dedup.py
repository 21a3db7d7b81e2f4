"""Posts that chats are to be told of come in; with each goes out which posts of the last 48 hours say the same."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.matching.similarity.index import SimilarityIndex
from bot.pipeline.revisions import Retelling, compared
from bot.store import duplicates
from bot.store.database import Reader
from bot.store.groups import Told
from bot.store.revisions import Outdated

READ_AT_ONCE = 1_000  # posts, which takes a quarter of a second


class Echoes:
    """Knows the posts of the last 48 hours that chats were told of.

    Those from before a start are read from the store bit by bit, the latest first, a bit whenever something is
    compared: a hundred thousand at once would hold up the writer for half a minute.

    Only jobs of the writer use it. One that is rolled back leaves posts in the memory that nobody was told of, which
    does no harm: whether a chat was told of a post is asked of the store.
    """

    def __init__(self) -> None:
        self._memory = SimilarityIndex(within=duplicates.WITHIN)
        self._place: int | None = None  # in the store, up to which posts were read
        self._is_read = False  # all were

    async def compare(self, tx: Reader, told: Sequence[Told], *, now: datetime) -> list[Told]:
        """Look up what says the same, in the memory and among the posts themselves."""
        memory = self._memory
        memory.forget(now - duplicates.WITHIN)
        await self._read_on(tx, now)
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
        for old, each in zip(outdated, retold, strict=True):
            if each.shown is not None:
                text = compared(old.current.text, old.current.parts, each.shown.payload)
                self._memory.reword((old.channel_id, old.post_key), text)

    async def _read_on(self, tx: Reader, now: datetime) -> None:
        if self._is_read:
            return
        since = now - duplicates.WITHIN
        told, self._place = await duplicates.told_before(tx, self._place, since=since, most=READ_AT_ONCE)
        for said in told:
            if said.key not in self._memory:
                self._memory.remember(said)
        self._is_read = self._place is None or self._memory.is_full
