"""Answers what chats want to know that only a reader can ask Telegram; the answers go into the outbox.

Nothing of what is found is stored as posts, nothing is joined, and nothing is ever paid for.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog
from telethon.tl import types
from telethon.tl.functions.channels import (
    CheckSearchPostsFloodRequest,
    GetChannelRecommendationsRequest,
    SearchPostsRequest,
)

from bot.errors import TelegramError
from bot.models.enquiries import USED_UP, EnquiryKind, Findings, FoundChannel
from bot.models.notices import ChannelsFound
from bot.models.people import Viewer
from bot.runtime.supervisor import Beat, no_beat
from bot.sources.account import LONGEST_VISIT, Account
from bot.sources.assignment import Assignments
from bot.sources.channel_events import resolved
from bot.sources.comments import CommentRequests
from bot.sources.sync import ChannelSync
from bot.store import channels, chats, enquiries
from bot.store.database import Subject, Transaction
from bot.store.enquiries import Enquiry
from bot.store.notices import notify
from bot.telegram.convert import to_text
from bot.text.excerpts import cut_excerpt

log = structlog.get_logger(__name__)

LOOK_AGAIN = 30.0  # s between looks at what was put off
_POSTS = 50  # that a search brings
_LINE = 140  # characters of what was found


class Enquiries:
    """Answers the enquiries that fall to one reader."""

    def __init__(self, account: Account, sync: ChannelSync, assignments: Assignments) -> None:
        self._account = account
        self._comments = CommentRequests(account, sync, assignments)
        self._database = account.database
        self._assignments = assignments

    async def run(self, beat: Beat = no_beat) -> None:
        """Answer all that is due, then wait for more, for ever. Raises ReaderLostError."""
        await self._database.changes.work_off(
            Subject.ENQUIRIES, self.answer_next, beat, turn=LONGEST_VISIT, pause=LOOK_AGAIN
        )

    async def answer_next(self) -> bool:
        """Answer the oldest enquiry that is due; False where none is."""
        leads = self._assignments.leads(self._account.reader_id)
        enquiry = await enquiries.next_due(self._database, self._account.reader_id, self._account.now(), leads=leads)
        if enquiry is None:
            return False
        await self._answer(enquiry)
        return True

    async def _answer(self, enquiry: Enquiry) -> None:
        if enquiry.kind is EnquiryKind.COMMENTS:
            await self._comments.answer(enquiry)
            return
        try:
            asked, found = await (self._similar if enquiry.kind is EnquiryKind.SIMILAR else self._posts)(enquiry)
        except TelegramError as error:
            log.info("an enquiry is refused", kind=enquiry.kind, error=error.error)
            until = self._account.now() + timedelta(seconds=error.retry_after) if error.retry_after else None
            asked, found = enquiry.words or "", Findings(reason=error.error, free_at=until)
        await self._database.write(lambda tx: self._settle(tx, enquiry, asked, found))

    async def _settle(self, tx: Transaction, enquiry: Enquiry, asked: str, found: Findings) -> None:
        await enquiries.settle(tx, enquiry.id, found)
        chat = await chats.get(tx, enquiry.chat_id)
        if chat is None:
            return
        notice = ChannelsFound(
            event=str(enquiry.id),
            enquiry=enquiry.id,
            about=enquiry.kind,
            asked=asked,
            findings=found,
            followed=await channels.followed_among(tx, [each.id for each in found.channels], Viewer(chat_id=chat.id)),
            may_follow=enquiry.may_follow,
        )
        await notify(tx, chat, notice, now=self._account.now())

    async def _similar(self, enquiry: Enquiry) -> tuple[str, Findings]:
        """Return a channel's title, and the channels whose readers are the same. Raises TelegramError."""
        channel = await channels.get(self._database, enquiry.channel_id or 0, self._account.reader_id)
        if channel is None:
            return "", Findings()
        address = types.InputChannel(channel.id, channel.access_hash or 0)
        try:
            answer = await self._account.ask(GetChannelRecommendationsRequest(address))
        except TelegramError as error:
            until = self._account.now() + timedelta(seconds=error.retry_after) if error.retry_after else None
            return channel.title, Findings(reason=error.error, free_at=until)
        return channel.title, Findings(channels=tuple(filter(None, map(_found, answer.chats))))

    async def _posts(self, enquiry: Enquiry) -> tuple[str, Findings]:
        """Search in all public channels where that is free, for words, and return them with what was found.

        https://core.telegram.org/api/search#posts-tab: a search that is not free would want Stars, and is not made.
        Raises TelegramError.
        """
        words = enquiry.words or ""
        flood = await self._account.ask(CheckSearchPostsFloodRequest(query=words))
        if not (flood.query_is_free or flood.remains > 0):
            return words, Findings(reason=USED_UP, free_at=_moment(flood.wait_till))
        request = SearchPostsRequest(0, types.InputPeerEmpty(), 0, _POSTS, query=words)
        answer = await self._account.ask(request)
        hidden = await channels.followed_among(
            self._database, [chat.id for chat in answer.chats], Viewer(chat_id=enquiry.chat_id)
        )
        left = getattr(answer, "search_flood", None) or flood
        found = _writers(answer, words, but=hidden)
        return words, Findings(channels=found, free_left=left.remains)


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _found(chat: object) -> FoundChannel | None:
    """Return a public channel; None for another one, which nobody could follow by its name."""
    if not isinstance(chat, types.Channel):
        return None
    channel = resolved(chat)
    if channel.username is None:
        return None
    return FoundChannel(
        id=channel.id, title=channel.title, username=channel.username, subscribers=chat.participants_count
    )


def _writers(answer: types.messages.Messages, words: str, *, but: Sequence[int]) -> tuple[FoundChannel, ...]:
    """Return the channels of the messages of an answer, each with its newest one, in the order of the answer."""
    public = filter(None, map(_found, answer.chats))
    known = {channel.id: channel for channel in public if channel.id not in but}
    found: dict[int, FoundChannel] = {}
    for message in answer.messages:
        channel_id = getattr(getattr(message, "peer_id", None), "channel_id", 0)
        if not isinstance(message, types.Message) or channel_id not in known or channel_id in found:
            continue
        found[channel_id] = replace(
            known[channel_id], message_id=message.id, date=message.date, line=_line(to_text(message).text, words)
        )
    return tuple(found.values())


def _line(text: str, words: str) -> str:
    """Return the part of a text around the first of some words."""
    folded = text.casefold()
    places = [at for word in words.casefold().split() if (at := folded.find(word)) >= 0]
    spans = [(min(places), min(places) + 1)] if places and len(folded) == len(text) else []
    return cut_excerpt(text, spans, room=_LINE)[0]
