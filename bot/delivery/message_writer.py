"""A message as its chat is to see it: text, formatting and buttons, from what is stored. Nothing is sent here."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from bot.locales import translator
from bot.locales.locale import Locale
from bot.models import StoredPost
from bot.models.alerts import ChangeKind, GroupKind, Loudness, MessageKind
from bot.models.notices import Sound
from bot.models.outgoing import Outgoing
from bot.rendering.alert import render_alert, render_change, render_confirmation
from bot.rendering.groups import render_count, render_page, render_storm
from bot.rendering.notices import render_notice
from bot.rendering.translation import render_translation
from bot.schedule import quiet_until
from bot.store import attachments, channels, groups, posts, translations
from bot.store.database import Database
from bot.store.messages import Message
from bot.store.outbox import Delivery
from bot.text.buttons import button

ANSWERS = frozenset({MessageKind.CHANGE, MessageKind.FILES, MessageKind.TRANSLATION})  # replies to an alert
# Alerts are written once for all chats of one language and time zone: that costs as much as sending them.
_render_alert = lru_cache(maxsize=64)(render_alert)


class MessageWriter:
    """Writes messages in the language and the time zone of their chats."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, message: Message, now: datetime) -> Outgoing:
        """Write a message; in a broadcast anybody might tap its buttons, so that only links are left."""
        outgoing = await self._write_for_team(message, now)
        if not message.chat.broadcast:
            return outgoing
        rows = (tuple(button for button in row if button.url is not None) for row in outgoing.buttons)
        return replace(outgoing, buttons=tuple(filter(None, rows)))

    async def write_as_it_was(
        self, message: Message, summary: Message, alert_ids: Collection[int], now: datetime
    ) -> Outgoing:
        """Write a message as it was before its alerts went into a summary, as far as it is known by that in a chat."""
        if message.kind is not MessageKind.GROUP:
            return await self.write(message, now)
        group = await groups.count(self._database, message.group_id or 0)
        if message.group is GroupKind.STORM:
            return Outgoing(text="", buttons=((button("", "sum", group.random_id, 0, "new"),),))
        held = (await groups.get(self._database, summary.group_id or 0)).alerts
        own = tuple(each for each in held if each.alert.id in set(alert_ids))
        locale = Locale(t=translator(message.chat.language), time_zone=message.chat.time_zone, now=now)
        return render_page(replace(group, alerts=own), 0, locale, is_alone=message.chat.broadcast)

    async def _write_for_team(self, message: Message, now: datetime) -> Outgoing:
        """Write a message; an alert that is written anew shows the age that its post had when it was sent first."""
        chat = message.chat
        locale = Locale(t=translator(chat.language), time_zone=chat.time_zone, now=now)
        match message.kind:
            case MessageKind.ALERT:
                return await self._write_alert(message, locale)
            case MessageKind.GROUP:
                return await self._write_group(message, locale)
            case MessageKind.CHANGE:
                return await self._write_change(message, locale)
            case MessageKind.TRANSLATION:
                return await self._write_translation(message, locale)
        return render_notice(message.notice, locale)

    async def _write_alert(self, message: Message, locale: Locale) -> Outgoing:
        post, alert = message.post, message.alert
        assert post is not None  # noqa: S101 - no version is ever deleted that an alert needs
        assert alert is not None  # noqa: S101 - likewise
        second = (message.created_at if message.is_sent else locale.now).replace(microsecond=0)  # one for all chats
        missing = 0
        if post.media is not None and message.chat.media:
            missing = await attachments.count_missing(self._database, post.channel_id, post.key)
        shared = replace(alert, id=0, chat_id=0, loudness=Loudness.LOUD)  # what it shows is the same for all chats
        post = await self._with_origin(post)
        return _render_alert(
            shared, post, replace(locale, now=second), duplicates=message.duplicates, missing_files=missing
        )

    async def _write_group(self, message: Message, locale: Locale) -> Outgoing:
        group_id = message.group_id or 0
        match message.group:
            case GroupKind.DIGEST:
                summary = await groups.get(self._database, group_id)
                return render_page(summary, 0, locale, is_alone=message.chat.broadcast)
            case GroupKind.STORM:
                return render_storm(await groups.storm(self._database, group_id, now=locale.now), locale)
        if message.group is GroupKind.FALLBACK and message.chat.broadcast:  # nobody there could ask for the posts
            return render_page(await groups.get(self._database, group_id), 0, locale, is_alone=True)
        return render_count(await groups.count(self._database, group_id), locale)

    async def _write_change(self, message: Message, locale: Locale) -> Outgoing:
        post, change = message.post, message.change
        assert post is not None  # noqa: S101 - no version is ever deleted that a message needs
        if change is None or change.kind is ChangeKind.CONFIRMED:
            return render_confirmation(post, locale)
        before = await posts.of_versions(self._database, filter(None, [change.before]))
        return render_change(change, post, before[0] if before else None, locale)

    async def _write_translation(self, message: Message, locale: Locale) -> Outgoing:
        post, language = message.post, message.language
        assert post is not None  # noqa: S101 - no version is ever deleted that an alert needs
        assert language is not None  # noqa: S101 - each reply of this kind has one
        translation = await translations.get(self._database, post.version_id, language)
        return render_translation(translation, post, language, locale)

    async def _with_origin(self, post: StoredPost) -> StoredPost:
        """Name the channel that a post was forwarded from, where we know it and the forward does not say."""
        if post.forward is None or post.forward.name or post.forward.channel_id is None:
            return post
        origin = await channels.get(self._database, post.forward.channel_id)
        return post if origin is None else replace(post, forward=replace(post.forward, name=origin.title))


def delivery_of(message: Message, telegram_id: int | None, written_at: datetime) -> Delivery:
    """Return what is written down of a message that was sent."""
    return Delivery(
        revision=message.revision,
        telegram_id=telegram_id,
        written_at=written_at,
        is_storm=message.group is GroupKind.STORM,
    )


def is_silent(message: Message, now: datetime) -> bool:
    """Return whether a message comes without a sound.

    Quiet hours do not silence an alert, or the first of a storm: it is of a topic that passes them, or it would wait.
    """
    match message.kind:
        case MessageKind.NOTICE:
            may_sound = message.notice.sound is Sound.ALWAYS
        case MessageKind.GROUP:
            may_sound = message.group is GroupKind.STORM
        case kind:
            may_sound = kind not in {MessageKind.CHANGE, MessageKind.TRANSLATION}
    return message.silent or (not may_sound and quiet_until(message.chat.schedule, now) is not None)
