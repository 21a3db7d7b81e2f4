"""The commands around the service: `run`, `demo`, `login` and `health`, and the log of the first two."""

import asyncio
import logging
import signal
import sys
from typing import Annotated

import structlog
import typer

from bot.cli import cli, console
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
    configure_logs(settings)
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

    configure_logs(Settings.model_construct(log_level="WARNING"))
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


def configure_logs(settings: Settings) -> None:
    """Send the logs of this program and of its libraries to standard error, in the format that the settings name."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=settings.log_level, force=True)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
