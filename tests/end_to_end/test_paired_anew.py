"""Whoever was paired after the backup that was put back is a stranger again, is told so, and comes back by a link."""

from datetime import timedelta
from pathlib import Path

from tests.end_to_end.kit import EVENING, outage, timed_service
from tests.end_to_end.test_addresses import says
from tests.end_to_end.test_backup_recovery import back_up, put_back

LATER = EVENING + timedelta(hours=1)


async def test_somebody_who_was_paired_after_the_backup_is_told_how_to_come_back(tmp_path: Path) -> None:
    async with timed_service(tmp_path) as at:
        database = await back_up(at)
        boris = await at.service.invited("Boris")
        at.channel.post(outage(1))
        await boris.alert("дом 1")
        await put_back(at, database, LATER)
        at.channel.post(outage(2))
        await at.owner.alert("дом 2")
        line = (await boris.asks("/topics")).message
        assert line == "This bot is private. Ask its owner for an invitation."
        assert "Topics" in (await boris.asks(f"/start {await at.service.invitation()}")).message
        at.channel.post(outage(3))
        await boris.alert("дом 3")
        told = [any(f"дом {number}:" in message.message for message in boris.alerts) for number in (1, 2, 3)]
        assert told == [True, False, True]
        assert len(boris.alerts) == 2


async def test_a_group_that_was_brought_in_after_the_backup_is_brought_in_by_the_same_words(tmp_path: Path) -> None:
    async with timed_service(tmp_path) as at:
        database = await back_up(at)
        group = at.service.sandbox.world.add_channel("Desk", megagroup=True, members=[at.owner.account, at.service.bot])
        assert "Topics" in (await says(at.service, at.owner, group, "/start@newsroom_bot")).text
        await put_back(at, database, LATER)
        answer = await says(at.service, at.owner, group, "/topics@newsroom_bot")
        assert answer.text == "Send /start first; then I can write to this chat."
        assert "Topics" in (await says(at.service, at.owner, group, "/start@newsroom_bot")).text
