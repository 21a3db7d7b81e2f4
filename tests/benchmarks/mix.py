"""Texts come in, messages of channels go out as Telegram sends them: formatting, photos, previews, reactions, views."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from telethon.tl import TLObject, types

from bot.models import Observation, ObservedBy, Post
from bot.telegram.convert import to_post
from bot.text.markup import units
from tests.kit_archive import LAST_MONTH, NEWS

CHANNELS = 500
BUSY = 10  # posts a second, of all channels together
_FOUND = re.compile(r"(?P<url>https?://\S+)|(?P<hashtag>#\w+)|(?P<mention>@\w{4,})")
_FOUND_KINDS = {
    "url": types.MessageEntityUrl,
    "hashtag": types.MessageEntityHashtag,
    "mention": types.MessageEntityMention,
}
_EMOJI = "👍❤🔥🎉😁😱🤬😢"


class Mix:
    """Posts of many channels, one after the other, of texts made of halves of those given."""

    def __init__(self, texts: Sequence[str], *, channels: int = CHANNELS) -> None:
        self._chance = Random(1)  # noqa: S311 - a repeatable mix is wanted
        self._halves = [_halves(text.strip()) for text in texts]
        self._channels = channels
        self._count = 0

    def posts(self, count: int) -> list[Post]:
        """Return so many more posts."""
        made = []
        for _ in range(count):
            self._count += 1
            text = f"{self._chance.choice(self._halves)[0]} {self._chance.choice(self._halves)[1]}".strip()
            made.append(to_post(self._message(text)))
        return made

    def observations(self, posts: int, size: int, reader_id: int) -> Iterator[Observation]:
        """Yield so many more posts, as pushes that bring `size` of them each."""
        for _ in range(0, posts, size):
            events = tuple(self.posts(size))
            yield Observation(events=events, observed_by=ObservedBy.LIVE, reader_id=reader_id, seen_at=events[-1].date)

    def _message(self, text: str) -> types.Message:
        number, chance = self._count, self._chance
        date = LAST_MONTH + timedelta(seconds=number // BUSY)
        return types.Message(
            id=number // self._channels + 1,
            peer_id=types.PeerChannel(NEWS + number % self._channels),
            date=date,
            message=text,
            post=True,
            entities=self._entities(text) or None,
            media=self._media(date),
            views=chance.randrange(1, 100_000),
            forwards=chance.randrange(300),
            reactions=self._reactions() if chance.random() < 0.4 else None,
            replies=types.MessageReplies(0, number) if chance.random() < 0.2 else None,
            fwd_from=self._forward(date) if chance.random() < 0.1 else None,
        )

    def _entities(self, text: str) -> list[TLObject]:
        found = [
            _FOUND_KINDS[each.lastgroup or ""](units(text[: each.start()]), units(each[0]))
            for each in _FOUND.finditer(text)
        ]
        if self._chance.random() < 0.6:
            found.insert(0, types.MessageEntityBold(0, units(re.split(r"(?<=[.!?])\s|\n", text, maxsplit=1)[0])))
        if self._chance.random() < 0.4:
            last = units(text[: text.rfind(" ") + 1])
            found.append(types.MessageEntityTextUrl(last, units(text) - last, "https://t.me/primer"))
        return found

    def _media(self, date: datetime) -> TLObject | None:
        """Return a photo for half of the posts, and the preview of a link for some of the others."""
        chance = self._chance
        if chance.random() < 0.5:
            sizes = [
                types.PhotoStrippedSize("i", chance.randbytes(90)),
                types.PhotoSize("m", 320, 180, 18_000),
                types.PhotoSize("x", 800, 450, 70_000),
                types.PhotoSizeProgressive("y", 1280, 720, [9000, 22_000, 40_000, 61_000, 130_000]),
            ]
            number, access_hash = chance.getrandbits(62), chance.getrandbits(62)
            return types.MessageMediaPhoto(
                photo=types.Photo(number, access_hash, chance.randbytes(29), date, sizes, dc_id=2)
            )
        if chance.random() < 0.1:
            return types.MessageMediaWebPage(types.WebPagePending(chance.getrandbits(62), date))
        return None

    def _forward(self, date: datetime) -> types.MessageFwdHeader:
        origin = types.PeerChannel(NEWS + self._chance.randrange(self._channels))
        return types.MessageFwdHeader(date, from_id=origin, channel_post=self._chance.randrange(9999))

    def _reactions(self) -> types.MessageReactions:
        kinds = self._chance.sample(_EMOJI, self._chance.randint(2, 6))
        counts = [types.ReactionCount(types.ReactionEmoji(kind), self._chance.randrange(1, 400)) for kind in kinds]
        return types.MessageReactions(counts)


def _halves(text: str) -> tuple[str, str]:
    cut = text.find(" ", len(text) // 2)
    return (text, "") if cut < 0 else (text[:cut], text[cut + 1 :])
