"""Work that chats watch comes in from the store; one message of each goes out, and is edited as the work goes on."""

import asyncio
from datetime import timedelta

import structlog
from babel.dates import format_date

from bot.errors import TelegramError, Verdict
from bot.locales import Translator, translator
from bot.locales.locale import show_number
from bot.models import Clock, Outgoing
from bot.runtime.supervisor import TURN, Beat, no_beat
from bot.store import backfills, meta, outbox
from bot.store.backfills import Progress, ProgressFigures
from bot.store.database import Database, Subject
from bot.telegram.sender import Sender
from bot.text.markup import one_line

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
        stale = [progress for progress in await backfills.shown_progress(self._database) if _is_stale(progress)]
        for progress in stale:
            if progress.next_at <= self._clock():
                await self._show(progress)
        return bool(stale)

    async def _show(self, progress: Progress) -> None:
        """Send or edit one message, and write down what it shows; nobody waits for a chat that takes none for long."""
        delay = timedelta(seconds=self._sender.queue.delay(progress.chat.peer))
        if delay > EVERY:
            await self._put_off(progress, delay)
            return
        try:
            message_id = await self._put(progress)
        except TelegramError as error:
            await self._refused(progress, error)
            return
        if progress.figures.is_over:
            await self._database.write(lambda tx: backfills.close_progress(tx, progress))
            return
        figures, next_at = _written(progress.figures), self._clock() + EVERY
        await self._database.write(
            lambda tx: backfills.progress_shown(tx, progress, figures=figures, message_id=message_id, next_at=next_at)
        )

    async def _put(self, progress: Progress) -> int | None:
        """Edit the message, or send it where there is none; after a crash a second one may come, never two at once."""
        if not progress.figures.channels and progress.message_id is None:
            return None  # nothing came of it
        outgoing = render_progress(progress.figures, translator(progress.chat.language))
        if progress.message_id is not None:
            await self._sender.edit(progress.chat.peer, progress.message_id, outgoing)
            return progress.message_id
        subject = f"{progress.asked_at.isoformat()}:{_written(progress.figures)}"
        secret = await self._database.write(lambda tx: meta.secret(tx, outbox.SECRET))
        random_id = outbox.random_id(secret, progress.chat.key, "progress", subject)
        return await self._sender.send(progress.chat.peer, outgoing, random_id=random_id)

    async def _refused(self, progress: Progress, error: TelegramError) -> None:
        if error.verdict in {Verdict.RETRY, Verdict.FATAL}:  # of the latter the worker hears as well, and stops
            await self._put_off(progress, max(EVERY, timedelta(seconds=error.retry_after)))
            return
        log.warning("a message cannot show progress", chat=progress.chat.id, error=error.error)
        await self._database.write(lambda tx: backfills.close_progress(tx, progress))

    async def _put_off(self, progress: Progress, delay: timedelta) -> None:
        until = self._clock() + delay
        await self._database.write(lambda tx: backfills.postpone_progress(tx, progress, until=until))


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


def _is_stale(progress: Progress) -> bool:
    return progress.shown != _written(progress.figures) and (progress.figures.channels > 0 or progress.figures.is_over)


def _written(figures: ProgressFigures) -> str:
    return f"{figures.channels}+{figures.waiting} {figures.ended} {figures.read}/{figures.wanted}"
