"""Which posts of the last 48 hours say the same as a post at hand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.matching.similarity.index import SimilarityIndex
from bot.models import PostKey
from bot.pipeline.decisions.grouping import DUPLICATE_WITHIN, RoutedAlert
from bot.pipeline.decisions.revisions import AlertUpdate, compared
from bot.store import alerts
from bot.store.database import Reader

READ_AT_ONCE = 1_000  # posts, which takes a quarter of a second


class Duplicates:
    """Knows the posts of the last 48 hours that chats were alerted to.

    Those from before a start are read from the store bit by bit, the latest first, a bit whenever something is
    compared: a hundred thousand at once would hold up the writer for half a minute.

    Only jobs of the writer use it. One that is rolled back leaves posts in the memory that nobody was alerted to, which
    does no harm: whether a chat has an alert of a post is asked of the store.
    """

    def __init__(self, *, read_at_once: int = READ_AT_ONCE) -> None:
        self._memory = SimilarityIndex(within=DUPLICATE_WITHIN)
        self._read_at_once = read_at_once  # posts
        self._place: int | None = None  # in the store, up to which posts were read
        self._is_read = False  # all were

    async def compare(self, tx: Reader, routed: Iterable[RoutedAlert], *, now: datetime) -> list[RoutedAlert]:
        """Return the alerts with the posts that say the same, in the memory and among themselves."""
        memory = self._memory
        memory.drop_before(now - DUPLICATE_WITHIN)
        await self._read_on(tx, now)
        listed = list(routed)
        said = {each.said.key: each.said for each in listed if each.said is not None}
        for post in said.values():
            memory.add(post)
        alike = {key: tuple(memory.similar(post)) for key, post in said.items()}
        return [each if each.said is None else replace(each, alike=alike[each.said.key]) for each in listed]

    def reword(self, updates: Sequence[AlertUpdate]) -> None:
        """Follow the posts whose alerts say something else now; alerts that have joined them stay."""
        for update in updates:
            if update.alert is not None:
                text = compared(update.current.text, update.current.parts, update.alert.parts)
                self._memory.replace_text(update.alert.key, text)

    def regroup(self, regrouped: Mapping[PostKey, int]) -> None:
        """Follow the posts whose albums have another name now."""
        for key, grouped_id in regrouped.items():
            self._memory.rename(key, f"g{grouped_id}")

    async def _read_on(self, tx: Reader, now: datetime) -> None:
        if self._is_read:
            return
        since = now - DUPLICATE_WITHIN
        said, self._place = await alerts.recent_posts(tx, self._place, since=since, most=self._read_at_once)
        for post in said:
            if post.key not in self._memory:
                self._memory.add(post)
        self._is_read = self._place is None or self._memory.is_full
