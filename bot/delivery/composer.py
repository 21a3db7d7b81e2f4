"""An alert comes in, is written for its chat and put into it; the id that Telegram gave the message goes out."""

from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from bot.delivery.attachments import Attachments
from bot.delivery.message_lookup import MessageLookup
from bot.delivery.quiet import is_silent
from bot.errors import TelegramError
from bot.locales import translator
from bot.locales.locale import Locale
from bot.models import Clock, Outgoing, post_link
from bot.parts import read_part_matches, read_spans
from bot.rendering.alert import Elsewhere, PostAlert, render_post
from bot.rendering.change import PostChange, render_change, render_confirmation
from bot.rendering.groups import render_count, render_page, render_storm
from bot.rendering.notices import render_notice
from bot.store import attachments, channels, group_contents, groups, outbox, posts
from bot.store.alerts import Kind
from bot.store.database import Database
from bot.store.outbox import Alert
from bot.store.posts import StoredPost
from bot.telegram.errors import UNANSWERABLE
from bot.telegram.sender import Sender

REMEMBERED = 64  # alerts as they were written last


class Courier:
    """Writes an alert for its chat and brings it there."""

    def __init__(self, database: Database, sender: Sender, *, clock: Clock, files: Attachments | None = None) -> None:
        self._database = database
        self._sender = sender
        self._clock = clock
        self._finder = MessageLookup(database, sender)
        self._files = files  # None: no files follow alerts

    async def put(self, alert: Alert) -> int | None:
        """Send or edit a message; return the id of a new one where it can be known.

        Raises TelegramError, NotYetError.
        """
        if alert.kind not in {Kind.EDIT, Kind.CHANGE, Kind.FILES}:
            more = await self._more(alert)
            outgoing = replace(await self.write(alert, more=more), silent=is_silent(alert, self._clock()))
            peer, random_id = alert.chat.peer, alert.random_id
            message_id = await self._sender.send(peer, outgoing, random_id=random_id, place=alert.id)
            return message_id or await self._finder.find(alert, outgoing)
        alert = await outbox.get(self._database, alert.id)  # what it follows may have been sent since it was read
        if alert.kind is Kind.FILES:
            return None if self._files is None else await self._files.send(alert)
        if alert.kind is Kind.CHANGE:
            outgoing = replace(await self.write(alert), silent=is_silent(alert, self._clock()))
            return await self._answer(alert, outgoing) or await self._finder.find(alert, outgoing)
        # Without an id the alert was sent as it is to be now, or nobody knows where it is. What closes a storm is put
        # off as the storm goes on.
        if alert.followed_id is not None and not alert.superseded and alert.due_at <= self._clock():
            outgoing = await self.write(alert, now=alert.followed_at, more=await self._more(alert))
            await self._sender.edit(alert.chat.peer, alert.followed_id, outgoing, place=alert.id)
        return None

    async def _more(self, alert: Alert) -> int:
        """Count the files of a post that a chat which wants them does not get."""
        post = alert.post
        if post is None or post.media is None or not alert.chat.media:
            return 0
        return await attachments.count_missing(self._database, post.channel_id, post.key)

    async def write(self, alert: Alert, *, now: datetime | None = None, more: int = 0) -> Outgoing:
        """Write a message; one that is written anew shows the age that its post had `now`, when it was told."""
        if alert.kind is Kind.CHANGE:
            return await self._render_change(alert)
        alert = await self._with_origin(alert)
        if alert.post is None:
            return await self._render_notice(alert)
        second = (now or self._clock()).replace(microsecond=0)  # in which all chats are written the same
        locale = replace(self._locale(alert), now=second)
        told = _post_alert(alert, alert.post)
        return _rendered(replace(told, more=more) if more else told, locale)

    async def _answer(self, alert: Alert, outgoing: Outgoing) -> int | None:
        """Send a reply to the alert it follows, or a new message where that alert is unknown or deleted."""
        peer, random_id, place = alert.chat.peer, alert.random_id, alert.id
        try:
            return await self._sender.send(peer, outgoing, random_id=random_id, reply_to=alert.reply_to, place=place)
        except TelegramError as error:
            if error.error != UNANSWERABLE:
                raise
            return await self._sender.send(peer, outgoing, random_id=random_id, place=place)

    async def _render_notice(self, alert: Alert) -> Outgoing:
        locale = self._locale(alert)
        if alert.notice is not None:
            return render_notice(alert.notice, locale)
        match alert.payload["notice"]:
            case groups.DIGEST:
                return render_page(await group_contents.get(self._database, alert.source_id), 0, locale)
            case groups.STORM:
                return render_storm(await group_contents.storm(self._database, alert.source_id, now=locale.now), locale)
            case groups.LATE | groups.RESTORED:
                return render_count(await group_contents.count(self._database, alert.source_id), locale)
            case unknown:
                raise KeyError(unknown)

    async def _render_change(self, alert: Alert) -> Outgoing:
        if alert.payload["change"] == "confirmed":
            return render_confirmation(_post_change(alert, None), self._locale(alert))
        before = await posts.of_versions(self._database, filter(None, [alert.payload.get("before")]))
        return render_change(_post_change(alert, before[0] if before else None), self._locale(alert))

    def _locale(self, alert: Alert) -> Locale:
        chat = alert.chat
        return Locale(t=translator(chat.language), time_zone=chat.time_zone, now=self._clock())

    async def _with_origin(self, alert: Alert) -> Alert:
        """Name the channel that a post was forwarded from, where we know it and the forward does not say."""
        post = alert.post
        if post is None or post.forward is None or post.forward.name or post.forward.channel_id is None:
            return alert
        origin = await channels.get(self._database, post.forward.channel_id)
        if origin is None:
            return alert
        return replace(alert, post=replace(post, forward=replace(post.forward, name=origin.title)))


@lru_cache(REMEMBERED)
def _rendered(alert: PostAlert, locale: Locale) -> Outgoing:
    """Write an alert once for all chats of one language and time zone: that costs as much as sending it."""
    return render_post(alert, locale)


def _post_alert(alert: Alert, post: StoredPost) -> PostAlert:
    return PostAlert(
        channel_id=post.channel_id,
        title=post.channel_title,
        username=post.channel_username,
        message_id=post.message_id,
        date=post.date,
        edit_date=post.edit_date,
        seen_at=post.seen_at,
        author=post.author,
        text=post.text,
        entities=post.entities,
        forward=post.forward,
        topics=tuple(alert.payload["topics"]),
        spans=read_spans(alert.payload["spans"]),
        part_matches=read_part_matches(alert.payload.get("beside", ())),
        edited=alert.payload.get("edited", False),
        turned=alert.payload.get("turned", False),
        gone_at=alert.gone_at,
        part=alert.part,
        repeats=tuple(
            Elsewhere(
                name=f"@{each.username}" if each.username else each.title,
                link=post_link(each.channel_id, each.username, each.message_id),
                date=each.date,
            )
            for each in alert.repeats
        ),
    )


def _post_change(alert: Alert, before: StoredPost | None) -> PostChange:
    post = alert.post
    assert post is not None  # noqa: S101 - no version is ever deleted that an alert needs
    return PostChange(
        channel_id=post.channel_id,
        title=post.channel_title,
        username=post.channel_username,
        message_id=post.message_id,
        date=post.date,
        text=post.text,
        parts=post.parts,
        before=before.text if before else None,
        parts_before=before.parts if before else (),
        edited_at=post.edit_date,
        joined=tuple(alert.payload.get("joined", ())),
        gone_at=alert.gone_at,
        part=alert.part,
    )
