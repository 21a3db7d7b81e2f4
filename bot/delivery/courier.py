"""An alert comes in, is written for its chat and put into it; the id that Telegram gave the message goes out."""

from dataclasses import replace
from datetime import datetime

from bot.asides import Aside, AsideKind, Beside
from bot.delivery.changes import PostChange, render_change
from bot.delivery.notices import render_notice
from bot.delivery.rendering import Audience, Elsewhere, PostAlert, render_post
from bot.errors import TelegramError
from bot.locales import translator
from bot.models import Clock, Outgoing, post_link
from bot.store import alerts, channels, posts
from bot.store.alerts import Alert, Kind
from bot.store.database import Database
from bot.store.posts import StoredPost
from bot.telegram.sender import Sender


class Courier:
    """Writes an alert for its chat and brings it there."""

    def __init__(self, database: Database, sender: Sender, *, clock: Clock) -> None:
        self._database = database
        self._sender = sender
        self._clock = clock

    async def put(self, alert: Alert) -> int | None:
        """Send or edit a message; return the id of a new one where Telegram says it. Raises TelegramError."""
        if alert.kind not in {Kind.EDIT, Kind.CHANGE}:
            outgoing = replace(self._render(await self._with_origin(alert)), silent=alert.silent)
            return await self._sender.send(alert.chat.peer, outgoing, random_id=alert.random_id)
        alert = await alerts.get(self._database, alert.id)  # what it follows may have been sent since it was read
        if alert.kind is Kind.CHANGE:
            return await self._answer(alert, replace(await self._render_change(alert), silent=alert.silent))
        # Without an id the alert was sent as it is to be now, or nobody knows where it is.
        if alert.followed_id is not None and not alert.superseded:
            outgoing = self._render(await self._with_origin(alert), now=alert.followed_at)
            await self._sender.edit(alert.chat.peer, alert.followed_id, outgoing)
        return None

    async def _answer(self, alert: Alert, outgoing: Outgoing) -> int | None:
        """Send a reply to the alert it follows, or a new message where that alert is unknown or deleted."""
        peer, random_id = alert.chat.peer, alert.random_id
        try:
            return await self._sender.send(peer, outgoing, random_id=random_id, reply_to=alert.followed_id)
        except TelegramError as error:
            if error.error != "REPLY_MESSAGE_ID_INVALID":
                raise
            return await self._sender.send(peer, outgoing, random_id=random_id)

    def _render(self, alert: Alert, *, now: datetime | None = None) -> Outgoing:
        """Write a message; one that is written anew shows the age that the post had `now`, when it was told."""
        if alert.post is None:
            return render_notice(alert.payload, self._audience(alert))
        audience = self._audience(alert)
        return render_post(_post_alert(alert, alert.post), audience if now is None else replace(audience, now=now))

    async def _render_change(self, alert: Alert) -> Outgoing:
        before = await posts.of_versions(self._database, filter(None, [alert.payload.get("before")]))
        return render_change(_post_change(alert, before[0] if before else None), self._audience(alert))

    def _audience(self, alert: Alert) -> Audience:
        chat = alert.chat
        return Audience(translator=translator(chat.language), time_zone=chat.time_zone, now=self._clock())

    async def _with_origin(self, alert: Alert) -> Alert:
        """Name the channel that a post was forwarded from, where we know it and the forward does not say."""
        post = alert.post
        if post is None or post.forward is None or post.forward.name or post.forward.channel_id is None:
            return alert
        origin = await channels.get(self._database, post.forward.channel_id)
        if origin is None:
            return alert
        return replace(alert, post=replace(post, forward=replace(post.forward, name=origin.title)))


def _post_alert(alert: Alert, post: StoredPost) -> PostAlert:
    return PostAlert(
        channel_id=post.channel_id,
        title=post.channel_title,
        username=post.channel_username,
        message_id=post.message_id,
        date=post.date,
        edit_date=post.edit_date,
        text=post.text,
        entities=post.entities,
        forward=post.forward,
        topics=tuple(alert.payload["topics"]),
        spans=tuple((start, end) for start, end in alert.payload["spans"]),
        beside=tuple(
            Beside(aside=Aside(kind=AsideKind(kind), text=text), spans=tuple((start, end) for start, end in spans))
            for kind, text, spans in alert.payload.get("beside", ())
        ),
        edited=alert.payload.get("edited", False),
        turned=alert.payload.get("turned", False),
        gone_at=alert.gone_at,
        part=alert.part,
        repeats=tuple(
            Elsewhere(title=each.title, link=post_link(each.channel_id, each.username, each.message_id))
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
        text=post.text,
        asides=post.asides,
        before=before.text if before else None,
        asides_before=before.asides if before else (),
        edited_at=post.edit_date,
        joined=tuple(alert.payload.get("joined", ())),
        gone_at=alert.gone_at,
        part=alert.part,
    )
