"""A server that does not hand out what was written to the bot: it is answered all the same, and the owner is told."""

from pathlib import Path

from bot.telegram.client import Timings
from tests.kit_service import running_service


async def test_what_was_written_while_the_bot_was_deaf_is_answered_and_the_owner_is_told(tmp_path: Path) -> None:
    async with running_service(tmp_path, timings=Timings(poll_every=0.1)) as service:
        owner, faults = await service.owner(), service.sandbox.faults
        await owner.asks("/status")
        faults.lose_place(service.bot.log.pts, account_id=service.bot.id)
        faults.drop_pushes(account_id=service.bot.id, times=1)
        await owner.says("/mute")
        await owner.message("Nothing is muted")
        await owner.message("Telegram did not pass on what people wrote to me")
        await owner.asks("/status")
        assert sum("Nothing is muted" in message.message for message in owner.heard) == 1


async def test_what_was_written_before_the_start_of_a_deaf_bot_is_answered(tmp_path: Path) -> None:
    async with running_service(tmp_path, timings=Timings(poll_every=0.1)) as service:
        owner = await service.owner()
        await owner.asks("/status")
        await service.stop()
        service.sandbox.faults.lose_place(service.bot.log.pts, account_id=service.bot.id)
        await owner.says("/mute")
        await service.start()
        await owner.message("Nothing is muted")
        await owner.message("Telegram did not pass on what people wrote to me")
        assert sum("No channels are followed yet" in message.message for message in owner.heard) == 1
