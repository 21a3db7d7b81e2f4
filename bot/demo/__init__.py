"""The demo: the real service follows a story that an embedded Telegram server plays, and the terminal shows the chat.

The subscriber is an ordinary Telethon client. `play` also checks every alert, and its result is the exit code.

```
story ─▶ director ─▶ stage (server, service) ─▶ phone ─▶ witness (holds each alert against the story) ─▶ screen
```
"""

import asyncio
import tempfile
from datetime import timedelta
from pathlib import Path
from statistics import quantiles
from time import monotonic

from rich.console import Console

from bot.demo.director import Director
from bot.demo.phone import Phone
from bot.demo.screen import Screen
from bot.demo.stage import BOT, Stage
from bot.demo.story import Story, StoryClock, load_story
from bot.demo.witness import Witness
from bot.sandbox import Sandbox
from bot.store import posts
from bot.store.database import open_read_only

__all__ = ["play"]

PACE = 0.7  # s between two events


async def play(console: Console, *, chat: bool) -> int:
    """Play the story; return 0, or 1 if any alert is missing, doubled or wrong.

    With `chat`, lines typed at the terminal go to the bot while the story goes on, until the input ends. Such a line
    may mute or unfollow a channel that the story counts on, so the result is always 0 once there was one.
    """
    started, story, screen = monotonic(), load_story(), Screen(console)
    clock, witness = StoryClock(story.events[0].at - timedelta(minutes=5)), Witness(screen)
    with tempfile.TemporaryDirectory(prefix="channelwatch-demo-") as name:
        async with Sandbox(now=clock.now) as sandbox:
            pages = await sandbox.serve_pages()
            stage = Stage(sandbox, story, clock, folder=Path(name), pages=pages.url)
            screen.narrate("An embedded Telegram server is up: a stand-in on this machine. The real service starts.")
            async with stage.service() as ready, stage.phone() as client:
                phone = Phone(client, BOT, witness=witness, screen=screen)
                await client.connect()
                await phone.say(f"/start {(ready.invitation or '').rpartition('=')[2]}")
                await phone.say("Moscow")
                await phone.press("Moscow")
                await _follow(stage, phone, witness)
                await _act(story, Director(stage, phone, witness, screen), phone, witness, chat=chat)
            witness.faults += [f"unknown request {request}" for request in sandbox.unknown]
            witness.faults += [f"the server broke: {error!r}" for error in sandbox.crashes]
        stored = await _check_archive(Path(name) / "bot.db", story, witness)
        if phone.typed:
            witness.faults.clear()
    _sum_up(screen, witness, stored=stored, seconds=monotonic() - started)
    return 1 if witness.faults else 0


async def _follow(stage: Stage, phone: Phone, witness: Witness) -> None:
    """Follow all channels, and wait until the bot has answered for each of them."""
    titles = [channel.title for channel in stage.channels.values()]

    def all_answered() -> bool:
        return all(any(title in message.message for message in witness.answers) for title in titles)

    await phone.say(f"/follow\n{stage.references()}", until=all_answered)


async def _act(story: Story, director: Director, phone: Phone, witness: Witness, *, chat: bool) -> None:
    typing = asyncio.create_task(phone.type()) if chat else None
    for event in story.events:
        await director.direct(event)
        await asyncio.sleep(0 if event.reader == "banned" else PACE)  # the next post shall come through the web page
    await witness.await_alerts()
    await phone.say("/track Monopoly: монополия|конкуренция -матч")
    await phone.press("Save")
    for words in ("/topics", "/search суверенный", "/status"):
        await phone.say(words)
    if typing is not None:
        await typing


async def _check_archive(database: Path, story: Story, witness: Witness) -> int:
    """Return how many posts are stored; any other number than the story's is a fault."""
    expected = sum(event.is_post for event in story.events)
    async with open_read_only(database) as db:
        stored = (await posts.archive_stats(db, story.events[0].at)).messages
    if stored != expected:
        witness.faults.append(f"{stored} posts are stored and not {expected}")
    return stored


def _sum_up(screen: Screen, witness: Witness, *, stored: int, seconds: float) -> None:
    steps = quantiles(witness.latencies, n=20, method="inclusive") if len(witness.latencies) > 1 else [0.0] * 19
    p50, p95 = (round(steps[place] * 1000) for place in (9, 18))
    screen.narrate(
        f"{stored} posts stored, {witness.alerts} alerts delivered, post to alert p50 {p50} ms, p95 {p95} ms; "
        f"{seconds:.0f} s in all. One post was never pushed: the sweep found it. "
        "Another came while the reader was banned: the web page of its channel showed it."
    )
    for fault in witness.faults:
        screen.narrate(f"WRONG: {fault}")
