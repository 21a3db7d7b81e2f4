"""The commands around the service: `run`, `demo`, `login` and `health`."""

import asyncio
import signal
import sys
from typing import Annotated

import typer

from bot.cli import cli, console
from bot.cli.logs import configure_logs
from bot.errors import ChannelwatchError
from bot.monitoring import heartbeat
from bot.runtime.clock import Steady
from bot.settings import Settings, load_settings
from bot.store.database import open_read_only


@cli.command()
def run() -> None:
    """Run the service with the settings in .env until it is stopped.

    Example: channelwatch run
    """
    from bot import app  # noqa: PLC0415 - the whole service, which takes a third of a second

    async def serve() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await app.run(settings, stop, steady=Steady(), on_ready=lambda r: _say_ready(r.bot_username, r.invitation))

    settings = load_settings()
    configure_logs(level=settings.log_level, how=settings.log_format)
    asyncio.run(serve())


def _say_ready(bot_username: str, invitation: str | None) -> None:
    console.print(f"Channelwatch is running; its bot is @{bot_username}.")
    if invitation is None:
        return
    if sys.stdout.isatty():
        sentence = "Nobody is paired yet. Open this link on your phone within 15 minutes"
        console.print(f"{sentence}: {invitation}", soft_wrap=True)  # a link that is broken cannot be opened
    else:  # a log is no place for a key
        console.print("Nobody is paired yet: `channelwatch invite --role owner` prints the pairing link.")


@cli.command()
def demo(
    *,
    chat: Annotated[bool, typer.Option("--chat", help="Stay open and type commands, as in Telegram.")] = False,
) -> None:
    """Play a day of outages on the real service and an embedded Telegram server; no account needed.

    Example: channelwatch demo --chat
    """
    from bot import demo as story  # noqa: PLC0415 - the service and an embedded Telegram server

    raise typer.Exit(asyncio.run(story.play(console, chat=chat)))


@cli.command(name="login")
def login_(
    phone: Annotated[str | None, typer.Option(help="The account's number, with +; asked for if left out.")] = None,
    *,
    standby: Annotated[
        bool, typer.Option("--standby", help="Log in a second account that supports the first.")
    ] = False,
    anew: Annotated[bool, typer.Option("--anew", help="Log in another account even if one is logged in.")] = False,
) -> None:
    """Log in the reader account with phone, code and two-step password.

    A second account (--standby) takes over public channels when the first cannot read them, or there are over 500.

    If Telegram has frozen or banned the account, --anew logs in another one.

    Example: channelwatch login --phone +10000000000
    """
    from bot.telegram import login, sessions  # noqa: PLC0415 - Telethon, which takes an eighth of a second

    settings = load_settings()
    settings.require("TELEGRAM_API_ID", "TELEGRAM_API_HASH")
    session = sessions.STANDBY if standby else sessions.READER
    prompts = login.Prompts(
        phone=lambda: phone or typer.prompt("Phone number, with +"),
        code=lambda: typer.prompt("Code that Telegram sent"),
        password=lambda hint: typer.prompt(f"Two-step password{f' (hint: {hint})' if hint else ''}", hide_input=True),
        say=console.print,
    )
    name = asyncio.run(login.log_in(settings, prompts, session=session, anew=anew))
    console.print(f"Logged in as {name}. Next: channelwatch run")


@cli.command()
def health() -> None:
    """Exit with 0 if every part of the service was healthy within the last two minutes, otherwise with 1.

    Example: channelwatch health
    """
    fault = asyncio.run(_find_fault(load_settings()))
    if fault is not None:
        raise ChannelwatchError(f"not healthy: the service {fault}")
    console.print("healthy")


async def _find_fault(settings: Settings) -> str | None:
    async with open_read_only(settings.database_path) as database:
        return await heartbeat.find_fault(database)
