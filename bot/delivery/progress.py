"""Work that chats watch comes in from the store; one message of each goes out, and is edited as the work goes on."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import structlog
from babel.dates import format_date

from bot.errors import TelegramError, Verdict
from bot.locales import Translator, translator
from bot.locales.locale import show_number
from bot.models import Clock
from bot.models.outgoing import Outgoing
from bot.rendering.follow_list import render_follow_list
from bot.runtime.supervisor import TURN, Beat, no_beat
from bot.store import meta, outbox, progress
from bot.store.backfills import ProgressFigures
from bot.store.database import Database, Subject
from bot.store.progress import Progress
from bot.telegram.sender import Sender
from bot.text.markup import LIMIT, Text, one_line

log = structlog.get_logger(__name__)

EVERY = timedelta(seconds=3)  # that a message is edited, at most
LOOK_AGAIN = 30.0  # s, where nothing was announced
_TITLE = 120  # UTF-16 units of a channel's title
_BAR = 12  # blocks


class ProgressMessages:
    """Keeps the messages up to date."""

    def __init__(self, database: Database, sender: Sender, *, clock: Clock) -> None:
        self._database = database
        self._sender = sender
        self._clock = clock

    async def run(self, beat: Beat = no_beat) -> None:
        """Show what is new, for ever."""
        changes = self._database.changes
        while True:
            beat(LOOK_AGAIN + TURN)
            revision = changes.revision(Subject.PROGRESS)
            if await self.show_due():
                await asyncio.sleep(EVERY.total_seconds())
            else:
                await changes.wait(Subject.PROGRESS, revision, LOOK_AGAIN)

    async def show_due(self) -> bool:
        """Bring each message up to date whose time has come; say whether any will have to be looked at again soon."""
        stale = [work for work in await progress.shown(self._database) if _is_stale(work)]
        for work in stale:
            if work.next_at <= self._clock():
                await self._show(work)
        return bool(stale)

    async def _show(self, work: Progress) -> None:
        """Send or edit one message, and write down what it shows; nobody waits for a chat that takes none for long."""
        delay = timedelta(seconds=self._sender.queue.delay(work.chat.peer))
        if delay > EVERY:
            await self._put_off(work, delay)
            return
        try:
            message_id = await self._put(work)
        except TelegramError as error:
            await self._refused(work, error)
            return
        if work.is_over:
            await self._database.write(lambda tx: progress.close(tx, work))
            return
        figures, next_at = _written(work), self._clock() + EVERY
        await self._database.write(
            lambda tx: progress.set_shown(tx, work, figures=figures, message_id=message_id, next_at=next_at)
        )

    async def _put(self, work: Progress) -> int | None:
        """Edit the message, or send it where there is none; after a crash a second one may come, never two at once."""
        if not work.figures.channels and not work.listed_channels and work.message_id is None:
            return None  # nothing came of it
        outgoing = _render(work, translator(work.chat.language))
        if work.message_id is not None:
            await self._sender.edit(work.chat.peer, work.message_id, outgoing)
            return work.message_id
        subject = f"{work.asked_at.isoformat()}:{_written(work)}"
        secret = await self._database.write(lambda tx: meta.secret(tx, outbox.SECRET))
        random_id = outbox.random_id(secret, work.chat.key, "progress", subject)
        return await self._sender.send(work.chat.peer, outgoing, random_id=random_id)

    async def _refused(self, work: Progress, error: TelegramError) -> None:
        if error.verdict in {Verdict.RETRY, Verdict.FATAL}:  # of the latter the worker hears as well, and stops
            await self._put_off(work, max(EVERY, timedelta(seconds=error.retry_after)))
            return
        log.warning("a message cannot show how work goes on", chat=work.chat.id, error=error.error)
        await self._database.write(lambda tx: progress.close(tx, work))

    async def _put_off(self, work: Progress, delay: timedelta) -> None:
        until = self._clock() + delay
        await self._database.write(lambda tx: progress.postpone(tx, work, until=until))


def _render(work: Progress, t: Translator) -> Outgoing:
    """Write the channels of a list and, where their past is read, how far that is."""
    if not work.listed_channels:
        return render_progress(work.figures, t)
    shown = render_follow_list(work.listed_channels, work.below, work.asked_at, t)
    if not work.figures.channels:
        return shown
    past = render_progress(work.figures, t).text
    text = Text().formatted(shown.text, shown.entities).cut(LIMIT - len(past) - 2).add("\n\n", past)
    written, entities = text.build()
    return replace(shown, text=written, entities=entities)


def render_progress(figures: ProgressFigures, t: Translator) -> Outgoing:
    """Write how a piece of work stands. Pure."""
    if figures.is_over:
        return Outgoing(text=_ended(figures, t))
    line = t.gettext("Reading older posts of «{channel}»: {read} of {wanted}.")
    total = figures.channels + figures.waiting
    if total > 1:
        line = t.ngettext(
            "Reading older posts of {n} channel: {read} of {wanted}.",
            "Reading older posts of {n} channels: {read} of {wanted}.",
            total,
        )
    done, back = figures.share, ""
    if figures.since is not None:
        line = t.gettext("Reading older posts of «{channel}»: {read} so far, back to {date}.")
        if total > 1:
            line = t.ngettext(
                "Reading older posts of {n} channel: {read} so far, back to {date}.",
                "Reading older posts of {n} channels: {read} so far, back to {date}.",
                total,
            )
        back = format_date(figures.reached or figures.begun, "d MMM", locale=t.language)
    bar = "▓" * int(done * _BAR) + "░" * (_BAR - int(done * _BAR))
    read, wanted = show_number(figures.read, t), show_number(figures.wanted, t)
    said = line.format(n=total, channel=one_line(figures.title, _TITLE), read=read, wanted=wanted, date=back)
    return Outgoing(text=f"{said}\n{bar} {int(done * 100)} %")


def _ended(figures: ProgressFigures, t: Translator) -> str:
    if not figures.channels:
        return t.gettext("I stopped reading: the channel is no longer followed.")
    if figures.channels == 1:
        line = t.ngettext(
            "{read} older post of «{channel}» is stored.",
            "{read} older posts of «{channel}» are stored.",
            figures.read,
        )
    else:
        line = t.ngettext(
            "{read} older post of these channels is stored.",
            "{read} older posts of these channels are stored.",
            figures.read,
        )
    said = line.format(channel=one_line(figures.title, _TITLE), read=show_number(figures.read, t))
    if not figures.failed:
        return said
    failed = t.ngettext(
        "{n} channel could not be read completely.", "{n} channels could not be read completely.", figures.failed
    )
    return f"{said} {failed.format(n=figures.failed)}"


def _is_stale(work: Progress) -> bool:
    return work.shown != _written(work) and (work.figures.channels > 0 or work.is_over or bool(work.listed_channels))


def _written(work: Progress) -> str:
    figures, states = work.figures, Counter(each.state for each in work.listed_channels)
    listed = "".join(f" {state} {count}" for state, count in sorted(states.items()))
    return f"{figures.channels}+{figures.waiting} {figures.ended} {figures.read}/{figures.wanted}{listed}"
