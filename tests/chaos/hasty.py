"""The service as a process, with short waits for web pages: what takes minutes in earnest takes seconds in a storm."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from bot import app
from bot.cli.logs import configure_logs
from bot.runtime.clock import Steady
from bot.settings import load_settings
from bot.sources.pages import captures, pacing
from bot.telegram.client import PATIENT

pacing.FIRST_WAIT, pacing.LONGEST_WAIT = timedelta(seconds=0.3), timedelta(seconds=1)
captures.LOOK_EVERY, captures.BESIDE_READINGS = 0.3, 0.0
captures.CLAIMED = captures.FIRST_PAUSE = timedelta(seconds=0.3)
captures.LONGEST_PAUSE = timedelta(seconds=1)
HASTY = replace(PATIENT, login_every=0.2, away=1.0, page_pause=0.3)

if __name__ == "__main__":
    settings = load_settings()
    configure_logs(level=settings.log_level, how=settings.log_format)
    asyncio.run(app.run(settings, asyncio.Event(), steady=Steady(), timings=HASTY))
