"""One check of a command that examines an installation, and its line; whether a server takes connections."""

import asyncio
import ssl
from dataclasses import dataclass

from bot.cli import console

WITHIN = 10.0  # s that a server may take


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The outcome of one check."""

    name: str
    outcome: str  # how it is; what to do, where it is not well
    is_well: bool = True


def failed(name: str, outcome: str) -> Check:
    """Make the outcome of a check that something is not well at."""
    return Check(name=name, outcome=outcome, is_well=False)


def print_check(check: Check) -> None:
    """Print the line of a check."""
    sign = "[green]ok [/green]" if check.is_well else "[red]NOT[/red]"
    console.print(sign, end=" ", markup=True)
    console.print(f"{check.name}: {check.outcome}", soft_wrap=True)


async def connect(host: str, port: int, context: ssl.SSLContext | None = None) -> None:
    """Open a connection and close it. Raises TimeoutError, OSError."""
    async with asyncio.timeout(WITHIN):
        _, writer = await asyncio.open_connection(host, port, ssl=context)
    writer.close()


def why(error: Exception) -> str:
    """Say in a few words why there was no connection."""
    if isinstance(error, TimeoutError):
        return f"nothing within {WITHIN:.0f} s"
    return getattr(error, "verify_message", None) or getattr(error, "strerror", None) or type(error).__name__
