"""A message is written for its chat and sent, or edited to show what is wanted by now.

It is brought to where the chat is by then: a group may have moved, a forum thread may have been closed.
"""

from dataclasses import replace
from datetime import datetime
from functools import lru_cache

import structlog

from bot.delivery import message_lookup
from bot.delivery import targets as ways
from bot.delivery.attachments import Attachments
from bot.delivery.targets import TargetKind
from bot.errors import TargetError, TelegramError, Verdict
from bot.locales import translator
from bot.locales.locale import Locale
from bot.models import Clock, StoredPost
from bot.models.alerts import ChangeKind, GroupKind, Loudness, MessageKind
from bot.models.notices import Sound
from bot.models.outgoing import GENERAL_THREAD, Outgoing
from bot.models.targets import TargetMessage, short_id
from bot.rendering.alert import render_alert, render_change, render_confirmation
from bot.rendering.groups import render_count, render_page, render_storm
from bot.rendering.notices import render_notice
from bot.rendering.translation import render_translation
from bot.schedule import quiet_until
from bot.store import addresses, attachments, channels, groups, messages, posts, targets, translations
from bot.store.database import Database
from bot.store.messages import Message
from bot.store.outbox import Delivery
from bot.telegram.errors import UNANSWERABLE
from bot.telegram.sender import Sender

log = structlog.get_logger(__name__)

# Alerts are written once for all chats of one language and time zone: that costs as much as sending them.
_render_alert = lru_cache(maxsize=64)(render_alert)
_ANSWERS = {MessageKind.CHANGE, MessageKind.FILES, MessageKind.TRANSLATION}
_ELSEWHERE = {Verdict.SUSPEND, Verdict.UNAUTHORISED}  # also what the shell of a group that moved answers


class Composer:
    """Writes messages and brings them to their chats."""

    def __init__(
        self,
        database: Database,
        sender: Sender,
        files: Attachments,
        *,
        clock: Clock,
        within: float = ways.WITHIN,
    ) -> None:
        self._database = database
        self._sender = sender
        self._files = files
        self._clock = clock
        self._within = within

    async def close(self) -> None:
        """Give up what is on its way to Telegram."""
        await self._files.close()

    async def put(self, message: Message) -> Delivery | None:
        """Send or edit a message, at once in the new place where the old one takes nothing more.

        None where nothing is to be done now. Raises TelegramError where there is no other place, or that one refuses
        too, TargetError, and NotYetError.
        """
        if message.chat.is_target:
            return await self._put_to_target(message)
        while True:
            try:
                return await self._put(message)
            except TelegramError as error:
                if not await self._has_moved(message, error):
                    raise
                log.info(
                    "a message goes to another place", message=message.id, chat=message.chat.id, reason=error.error
                )
                if not await messages.is_due(self._database, message.id):  # the new place has had it
                    return None
                message = await messages.get(self._database, message.id)

    async def _has_moved(self, message: Message, error: TelegramError) -> bool:
        """Find another place for a message and write it down; each is left for good, so that there is an end to it."""
        now, thread_id = self._clock(), message.chat.peer.thread_id
        # A thread that is gone may only be missed as what a message answers.
        if error.verdict is Verdict.CLOSED or error.error == UNANSWERABLE:
            if message.is_sent:  # what stands in a closed thread stays as it is
                raise TelegramError(error.error, code=error.code, verdict=Verdict.DROP) from error
            if thread_id in {None, GENERAL_THREAD}:
                return False
            await self._database.write(lambda tx: addresses.leave_thread(tx, message.chat, thread_id or 0, now=now))
            return True
        supergroup = await self._sender.moved_to(message.chat.peer) if error.verdict in _ELSEWHERE else None
        if supergroup is None:
            return False
        # Where another message was first, the chat's row has the new place already.
        await self._database.write(lambda tx: addresses.upgrade(tx, message.chat.peer.id, supergroup))
        return True

    async def _put_to_target(self, message: Message) -> Delivery | None:
        """Send a message to a target: once, but for a storm, whose end it is told as well.

        What else changes of a message that was sent comes as messages of its own, or not at all.
        """
        now = self._clock()
        if message.is_sent and message.due_at > now:  # a storm goes on that was to be over
            return None
        if message.kind in _ANSWERS:  # what it answers may have been sent since it was read
            message = await messages.get(self._database, message.id)
        is_over = message.is_sent and await self._is_over(message, now)
        if message.kind is MessageKind.FILES or (message.is_sent and not is_over):
            return _delivery(message, None, now)
        address = await targets.url_of(self._database, message.chat.id)
        if address is None:
            raise TargetError("REMOVED", code=0, verdict=Verdict.SUSPEND)
        kind, url = address
        outgoing = replace(await self._write(message, now), silent=_is_silent(message, now))
        await ways.send(TargetKind(kind), url, _for_target(message, outgoing), within=self._within)
        return _delivery(message, message.random_id, now)

    async def _is_over(self, message: Message, now: datetime) -> bool:
        if message.group is not GroupKind.STORM:
            return False
        return (await groups.storm(self._database, message.group_id or 0, now=now)).is_over

    async def _put(self, message: Message) -> Delivery | None:
        if message.is_sent or message.kind in _ANSWERS:  # what it answers, or shows, may have changed since it was read
            message = await messages.get(self._database, message.id)
            if message.sent_revision == message.revision:
                return None
        if message.is_sent:
            return await self._edit(message)
        if message.kind is MessageKind.FILES:
            return _delivery(message, await self._files.send(message), self._clock())
        return await self._send(message)

    async def _send(self, message: Message) -> Delivery:
        now = self._clock()
        outgoing = replace(await self._write(message, now), silent=_is_silent(message, now))
        telegram_id = await self._answer(message, outgoing)
        if telegram_id is not None:
            return _delivery(message, telegram_id, now)
        # Telegram had taken it before a crash, when perhaps an earlier revision was wanted.
        telegram_id = await message_lookup.find(self._database, self._sender, message, outgoing)
        found = _delivery(message, telegram_id, now)
        return found if telegram_id is None else replace(found, revision=1)

    async def _edit(self, message: Message) -> Delivery | None:
        now = self._clock()
        if message.due_at > now:  # a storm goes on that was to be over
            return None
        if message.telegram_id is not None:  # else nobody knows where it is
            outgoing = await self._write(message, now)
            await self._sender.edit(message.chat.peer, message.telegram_id, outgoing, place=message.id)
        return _delivery(message, None, now)  # its id stays, unless the chat has moved meanwhile

    async def _answer(self, message: Message, outgoing: Outgoing) -> int | None:
        """Send a message, as a reply where it answers one; not so where that is unknown or deleted."""
        peer, random_id, place = message.chat.peer, message.random_id, message.id
        try:
            return await self._sender.send(peer, outgoing, random_id=random_id, reply_to=message.reply_to, place=place)
        except TelegramError as error:
            if error.error != UNANSWERABLE or message.reply_to is None:
                raise
            return await self._sender.send(peer, outgoing, random_id=random_id, place=place)

    async def _write(self, message: Message, now: datetime) -> Outgoing:
        """Write a message; in a broadcast anybody might tap its buttons, so that only links are left."""
        outgoing = await self._write_for_team(message, now)
        if not message.chat.broadcast:
            return outgoing
        rows = (tuple(button for button in row if button.url is not None) for row in outgoing.buttons)
        return replace(outgoing, buttons=tuple(filter(None, rows)))

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


def _for_target(message: Message, outgoing: Outgoing) -> TargetMessage:
    """Address a message to a target: a storm's end has an id of its own, and names the storm's beginning."""
    own, about = short_id(message.random_id), message.answered_id
    return TargetMessage(
        id=f"{own}-end" if message.is_sent else own,
        about=own if message.is_sent else None if about is None else short_id(about),
        kind=message.kind.value,
        created_at=message.created_at,
        outgoing=outgoing,
        topics=() if message.alert is None else message.alert.topics,
        post=message.post,
    )


def _delivery(message: Message, telegram_id: int | None, written_at: datetime) -> Delivery:
    return Delivery(
        revision=message.revision,
        telegram_id=telegram_id,
        written_at=written_at,
        is_storm=message.group is GroupKind.STORM,
    )


def _is_silent(message: Message, now: datetime) -> bool:
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
