"""The command `alerts`: list the alerts that could not be delivered, and try them again."""

import asyncio
from collections.abc import Collection
from typing import Annotated

import typer

from bot.cli import cli, console
from bot.cli.output import plain, table
from bot.settings import load_settings
from bot.store import meta, outbox
from bot.store.database import open_existing, open_read_only
from bot.store.outbox import DeadLetter

COLUMNS = ("No.", "When", "Chat", "What", "Telegram's answer")
SUSPENDED = "suspended"


@cli.command(name="alerts")
def alerts_(
    numbers: Annotated[list[int] | None, typer.Argument(help="Only these, numbered as in --dead.")] = None,
    *,
    dead: Annotated[bool, typer.Option("--dead", help="List the alerts that could not be delivered.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Try them again, or only the given numbers.")] = False,
) -> None:
    """List alerts that could not be delivered, with Telegram's answer, and try them again.

    A running service picks them up within half a minute. An alert that did arrive after all is not shown twice.

    Alerts of a chat that has blocked or removed the bot are left alone until somebody writes to the bot there.

    Example: channelwatch alerts --dead --retry 1412 1413
    """
    if not dead:
        raise typer.BadParameter("say which: --dead lists those that could not be delivered")
    if numbers and not retry:
        raise typer.BadParameter("numbers go with --retry")
    asyncio.run(_retry(numbers or ()) if retry else _list())


async def _list() -> None:
    async with open_read_only(load_settings().database_path) as database:
        found = await outbox.dead_letters(database)
    if not found:
        console.print("No alerts have failed.")
        return
    if console.is_terminal:
        console.print(table(COLUMNS, map(_row, found)))
    else:
        for row in map(_row, found):
            console.print("  ".join(row), soft_wrap=True)
    suspended = sum(alert.suspended for alert in found)
    console.print(f"{len(found)} failed, {suspended} of them in suspended chats; --retry tries the others again.")


async def _retry(numbers: Collection[int]) -> None:
    async with open_existing(load_settings().database_path) as database:
        found = [alert for alert in await outbox.dead_letters(database) if not numbers or alert.id in numbers]
        now = (await meta.clock(database))()
        count = await database.write(lambda tx: outbox.try_again(tx, [alert.id for alert in found], now))
    console.print(f"Will be tried again within half a minute: {count}")
    if unknown := sorted(set(numbers) - {alert.id for alert in found}):
        console.print(f"Not failed: {', '.join(map(str, unknown))}")
    if suspended := sum(alert.suspended for alert in found):
        console.print(f"Skipped in suspended chats: {suspended}; they resume once somebody writes to the bot there.")


def _row(alert: DeadLetter) -> tuple[str, ...]:
    reason = f"{alert.reason} ({SUSPENDED})" if alert.suspended else alert.reason
    chat = " ".join(plain(alert.chat).split())
    return (str(alert.id), f"{alert.created_at:%Y-%m-%d %H:%M} UTC", chat, alert.about, plain(reason))
