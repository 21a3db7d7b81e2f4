"""Searches that take as long as they may, beside everything else."""

import os
import random
from datetime import timedelta
from pathlib import Path

import pytest

from bot.sandbox import Channel
from tests.end_to_end.test_alerts import DOWN
from tests.kit_service import Service
from tests.waiting import until

HEAVY = "/search re:/а[аб]{400}в/"  # some 40 ms a post: RE2 has to follow hundreds of beginnings at once
POSTS = 100
PROC = Path("/proc/self/stat").exists()


def tedious(service: Service) -> Channel:
    """Make a channel of long posts that a search has to read to their end."""
    dice = random.Random(1)  # noqa: S311 - samples, no secrets
    channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
    for _ in range(POSTS):
        channel.post("".join(dice.choices("аб", k=4000)))
    return channel


def search_processes() -> list[int]:
    """Return the search processes of this process."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command, stat = (folder / "cmdline").read_bytes(), (folder / "stat").read_text(encoding="utf-8")
        except OSError:  # it has just ended
            continue
        if b"bot.search.child" in command and int(stat.rpartition(")")[2].split()[1]) == os.getpid():
            found.append(int(folder.name))
    return found


async def test_an_alert_does_not_wait_for_a_search_whose_answer_is_honest_and_goes_on(service: Service) -> None:
    channel = tedious(service)
    owner = await service.owner(follows=[channel])
    await owner.says(HEAVY)
    channel.post(DOWN)
    answer = await owner.message("🔎 ")
    alert = await owner.alert("массовый сбой")
    assert owner.heard.index(alert) < owner.heard.index(answer)
    assert "I searched" in answer.message
    assert "There may be older ones." in answer.message
    assert answer.reply_markup.rows[0].buttons[0].text == "Search further back"


async def test_in_a_group_nobody_waits_for_the_searches_of_others_and_a_stop_ends_them(service: Service) -> None:
    owner = await service.owner(follows=[tedious(service)])
    member = await service.invited("Member")
    everybody = [owner.account, member.account, service.bot]
    group = service.sandbox.world.add_channel("Newsroom", megagroup=True, members=everybody)
    owner.account.sends(group, "/start@newsroom_bot")
    await owner.until(lambda: any(message.chat_id == group.marked for message in owner.heard))
    for _ in range(3):
        member.account.sends(group, HEAVY.replace("/search", "/search@newsroom_bot"))
    owner.account.sends(group, "/status@newsroom_bot")
    await owner.message("I follow 1 channel.")
    assert sum("🔎" in message.message for message in owner.heard) < 3
    if PROC:
        await until(lambda: bool(search_processes()))
    await service.stop()
    assert search_processes() == []


async def test_the_past_is_read_further_on_a_tap_and_the_answer_says_how_far_it_reaches(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.sources.past_pages.BACKFILL_EVERY", 0.05)
    monkeypatch.setattr("bot.delivery.progress.EVERY", timedelta(seconds=0.1))
    now = service.now()
    channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
    for number in range(300):  # five a day
        channel.post(f"{number}: {DOWN}", date=now - timedelta(hours=4.8 * (300 - number)))
    owner = await service.owner(follows=[channel])
    found = await owner.asks("/search сбой since:50d until:45d")
    assert "Nothing found in the stored posts." in found.message
    assert "The archive does not reach back that far" in found.message
    await found.click(text="Read further back")
    progress = await owner.message("Reading older posts of «Agency»: ")
    assert "back to " in progress.message
    await owner.edit("of «Agency» are stored")
    assert "Agency · " in (await owner.asks("/search сбой since:50d until:45d")).message
