"""The service in a shell: settings come in; it runs until a signal stops it, and says how to be paired with its bot."""

import asyncio
import gc
import signal
import sys

from bot import app
from bot.cli.shell import console
from bot.runtime import logs
from bot.runtime.clock import Steady
from bot.settings import Settings

# Objects made before Python looks for cycles among them, and how often it looks at older ones. Posts and alerts make
# many objects and no cycles: by Python's own figures, looking for them took a sixth of the time of a fan-out.
COLLECTED = (20_000, 50, 100)


def run(settings: Settings) -> None:
    """Run the service until it is stopped."""
    logs.configure(settings)
    gc.set_threshold(*COLLECTED)
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await app.run(settings, stop, steady=Steady(), on_ready=_say_ready)


def _say_ready(ready: app.Ready) -> None:
    console.print(f"Channelwatch runs; its bot is @{ready.bot_username}.")
    if ready.invitation is None:
        return
    if sys.stdout.isatty():
        sentence = "Nobody is paired yet. Open this link within 15 minutes, on your phone"
        console.print(f"{sentence}: {ready.invitation}", soft_wrap=True)  # a link that is broken cannot be opened
    else:  # a log is no place for a key
        console.print("Nobody is paired yet: `channelwatch invite` prints the pairing link.")
