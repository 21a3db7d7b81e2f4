"""A wish to know what is wrong comes in from a shell; what was looked at goes out, and whether all is well."""

import asyncio
from typing import Annotated

import typer

from bot.cli import gaps as gaps_
from bot.cli.shell import cli
from bot.settings import load_settings


@cli.command()
def doctor(
    *,
    gaps: Annotated[bool, typer.Option("--gaps", help="Show how complete each channel is.")] = False,
) -> None:
    """Check what can be wrong here, or with --gaps how complete each channel is; exit with 1 if something is.

    Example: channelwatch doctor --gaps
    """
    if gaps:
        is_well = asyncio.run(gaps_.show(load_settings()))
    else:
        from bot.cli import checks  # noqa: PLC0415 - Telethon, which takes an eighth of a second

        is_well = asyncio.run(checks.show())
    if not is_well:
        raise typer.Exit(1)
