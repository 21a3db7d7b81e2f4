"""Writes down what becomes of the web pages of channels, with notices to the people whom it concerns."""

from collections.abc import Sequence
from datetime import datetime

from bot.models.notices import ChannelLost, ChannelRegained, PageFailed, PagesBegun, PagesEnded
from bot.sources.channel_events import rename
from bot.sources.pages.page import ChannelPage
from bot.store import page_readings, readers
from bot.store.channels import Access, Channel
from bot.store.database import Database, Transaction
from bot.store.notices import notify_followers, notify_owners
from bot.store.page_readings import NO_PAGE, TAKEN_OVER, PageReading


async def announce_begin(
    database: Database, read: Sequence[Channel], left: Sequence[Channel], *, now: datetime
) -> bool:
    """Tell the owners that channels are read through their web pages from now on, and which are not read at all.

    Return whether there are any.
    """

    async def job(tx: Transaction) -> bool:
        notice = PagesBegun(
            event=now.isoformat(),
            channels=len(read),
            unread=tuple(channel.title for channel in left),
            has_account=await readers.has_accounts(tx),
        )
        return await notify_owners(tx, notice, now=now)

    return await database.write(job)


async def announce_end(tx: Transaction, *, now: datetime) -> None:
    """Tell the owners that a reader account reads all channels again."""
    await notify_owners(tx, PagesEnded(event=now.isoformat()), now=now)


async def write_read(
    database: Database, channel: Channel, reading: PageReading, page: ChannelPage, *, now: datetime
) -> None:
    """Write down what a page says of its channel; one that could not be read so is readable again."""
    title, username = page.title or channel.title, page.username or channel.username
    if title.split() == channel.title.split():  # pages have spaces of their own
        title = channel.title
    is_stand_in = channel.access is Access.LOST and reading.read_at is None  # people heard that it cannot be read
    is_regained = is_stand_in or (reading.trouble == NO_PAGE and reading.is_lost(now))
    if (title, username) == (channel.title, channel.username) and not is_regained:
        return

    async def job(tx: Transaction) -> None:
        await rename(tx, channel.id, title=title, username=username, now=now)
        if is_regained:
            event = f"{channel.id}:{now.isoformat()}"
            notice = ChannelRegained(event=event, channel=title, on_page=is_stand_in)
            await notify_followers(tx, channel.id, notice, now=now)

    await database.write(job)


async def write_trouble(
    database: Database, channel: Channel, reading: PageReading, trouble: str, *, now: datetime
) -> None:
    """Write down why a page cannot be read, with a notice once it is certain."""

    async def job(tx: Transaction) -> None:
        await page_readings.set_trouble(tx, channel.id, trouble, now=now)
        found = (await page_readings.all_readings(tx)).get(channel.id)
        if found is None or not found.is_lost(now) or (reading.trouble == found.trouble and reading.is_lost(now)):
            return
        lasting = found.trouble or trouble
        if lasting == NO_PAGE and channel.access is Access.LOST:
            return  # people have heard that already
        if lasting == NO_PAGE:
            lost = ChannelLost(event=f"{channel.id}:{now.isoformat()}", channel=channel.title, reason=lasting)
            await notify_followers(tx, channel.id, lost, now=now)
            return
        event = f"{channel.id}:{lasting}" if lasting == TAKEN_OVER else f"{lasting}:{now:%Y-%m-%d}"
        await notify_owners(tx, PageFailed(event=event, channel=channel.title, reason=lasting), now=now)

    await database.write(job)
