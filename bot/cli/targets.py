"""The command `targets`: list the ways out other than Telegram, add one, test, remove; whose fallback one is."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from bot.cli import ask_address, cli, console
from bot.cli.output import plain, table
from bot.cli.people import instance_path
from bot.errors import SettingsError, TargetError
from bot.locales import translator
from bot.models.acts import FallbackSet, TargetChange, TargetChanged
from bot.models.outgoing import Outgoing
from bot.models.targets import TargetMessage, short_id
from bot.settings import load_settings
from bot.store import acts, chats, meta, targets
from bot.store.acts import SERVER, Rows
from bot.store.chats import Chat
from bot.store.database import Database, Reader, Transaction, open_existing, open_read_only
from bot.store.targets import Target
from bot.targets import TargetKind, send
from bot.targets.address import Address, read_address

COLUMNS = ("Name", "Service", "State", "Last taken", "Waiting", "Failed")
_MOMENT = "%Y-%m-%d %H:%M UTC"

app = typer.Typer(
    help="Ways out other than Telegram: e-mail, ntfy, Slack, signed webhooks and so on. Without a command: list them.",
    invoke_without_command=True,
)
cli.add_typer(app, name="targets")
Name = Annotated[str, typer.Argument(help="The name of the target.")]


@app.callback()
def list_(context: typer.Context) -> None:
    """List the targets and how they are doing; their addresses are secrets and are never shown.

    Example: channelwatch targets
    """
    if context.invoked_subcommand is None:
        asyncio.run(_list())


async def _list() -> None:
    async with open_read_only(load_settings().database_path) as database:
        found = await targets.everyone(database, (await meta.clock(database))())
    if not found:
        console.print("There is no target yet: `channelwatch targets add NAME` adds one.")
    elif console.is_terminal:
        console.print(table(COLUMNS, map(_row, found)))
    else:
        for row in map(_row, found):
            console.print("  ".join(row), soft_wrap=True)


def _row(target: Target) -> tuple[str, ...]:
    state = "on" if target.chat.suspended is None else target.chat.suspended.lower()
    if target.chat.suspended is None and target.failing_since is not None:
        state = f"failing since {target.failing_since:{_MOMENT}}"
    taken = "never" if target.taken_at is None else f"{target.taken_at:{_MOMENT}}"
    name = " ".join(plain(target.chat.title).split())
    return (name, target.service, state, taken, str(target.waiting), str(target.dead))


@app.command()
def add(
    name: Name,
    source: Annotated[str | None, typer.Argument(help="- reads the address from standard input.")] = None,
) -> None:
    """Add a target; its address is asked for, or read from standard input, and never given on the command line.

    The address is one of Apprise's (ntfy://…, mailtos://…, slack://…), or https://… for a signed webhook.

    The secret of a webhook is printed this once. Choose the topics of a target in the chat: /targets

    Example: channelwatch targets add Duty
    """
    if source not in {None, "-"}:
        raise typer.BadParameter("never write an address here, where others can read it: leave it out, or write -")
    typed = ask_address()
    _on_instance(lambda db: _add(db, " ".join(name.split())[:40], read_address(typed)))


async def _add(database: Database, name: str, address: Address) -> None:
    now = (await meta.clock(database))()
    if name.casefold() in {chat.title.casefold() for chat in await chats.targets(database)}:
        raise SettingsError(f"there is a target «{plain(name)}» already: choose another name")
    owners = await chats.of_owners(database)

    async def job(tx: Transaction) -> None:
        await targets.add(
            tx,
            name=name,
            kind=address.kind.value,
            service=address.service,
            url=address.url.get_secret_value(),
            like=owners[0] if owners else None,
            now=now,
        )
        act = TargetChanged(target=name, service=address.service, change=TargetChange.ADDED)
        await acts.record(tx, act, SERVER, now=now, concerned=[owner.id for owner in owners])

    await database.write(job)
    line = f"Added {plain(name)} ({address.service}). Choose its topics in the chat, with /targets; to try it:"
    typer.echo(f"{line} channelwatch targets test", err=True)
    if address.made_secret is not None:
        typer.echo("Its messages are signed with this secret, shown this once:", err=True)
        console.print(address.made_secret.get_secret_value(), soft_wrap=True)


@app.command(name="test")
def try_(name: Annotated[str | None, typer.Argument(help="Only this one.")] = None) -> None:
    """Send each target, or one, a test message right away, past the outbox; exit with 1 where one does not take it.

    Example: channelwatch targets test Duty
    """
    asyncio.run(_test(name))


async def _test(name: str | None) -> None:
    async with open_read_only(load_settings().database_path) as database:
        found = await chats.targets(database) if name is None else [await _find(database, name)]
        addresses = [(chat, await targets.url_of(database, chat.id)) for chat in found]
    if not found:
        raise SettingsError("there is no target yet: `channelwatch targets add NAME` adds one")
    failed = 0
    for chat, address in addresses:
        assert address is not None  # noqa: S101 - it goes with its target only
        try:
            await send(TargetKind(address[0]), address[1], _sample(chat))
        except TargetError as error:
            failed += 1
            console.print(f"{plain(chat.title)}: not taken ({error.error})", soft_wrap=True)
        else:
            console.print(f"{plain(chat.title)}: taken", soft_wrap=True)
    if failed:
        raise typer.Exit(1)


def _sample(chat: Chat) -> TargetMessage:
    now = datetime.now(UTC)
    line = translator(chat.language).gettext(
        "This is a test alert. Alerts reach this chat; there is nothing else to do."
    )
    number = int(now.timestamp() * 1000) + chat.id
    return TargetMessage(id=short_id(number), kind="notice", created_at=now, outgoing=Outgoing(text=line))


@app.command()
def remove(name: Name) -> None:
    """Remove a target; for ten minutes an owner can undo it in the chat, and soon after its address is deleted.

    Example: channelwatch targets remove Duty
    """
    _on_instance(lambda db: _remove(db, name))


async def _remove(database: Database, name: str) -> None:
    chat, now = await _find(database, name), (await meta.clock(database))()
    target = await targets.get(database, chat.id, now)
    assert target is not None  # noqa: S101 - it was just found
    owners = [owner.id for owner in await chats.of_owners(database)]
    act = TargetChanged(target=chat.title, service=target.service, change=TargetChange.REMOVED)

    async def job(tx: Transaction) -> None:
        async with acts.recorded(tx, act, SERVER, Rows("chats", "id", chat.id), now=now, concerned=owners):
            await targets.remove(tx, chat.id, now=now)

    await database.write(job)
    console.print(f"Removed {plain(chat.title)}.")


@app.command()
def fallback(
    name: Annotated[str, typer.Argument(help="The target, or off.")],
    chat: Annotated[str | None, typer.Option(help="Only of this chat, by its title; else of all.")] = None,
) -> None:
    """Let the alerts of chats go to a target while Telegram takes nothing.

    Example: channelwatch targets fallback Duty --chat Newsroom
    """
    _on_instance(lambda db: _set_fallback(db, name, chat))


async def _set_fallback(database: Database, name: str, title: str | None) -> None:
    target, now = None if name == "off" else await _find(database, name), (await meta.clock(database))()
    everyone = [each for each in await chats.everyone(database) if not each.is_target]
    found = [each for each in everyone if title is None or each.title.casefold() == title.casefold()]
    if not found:
        raise SettingsError(f"there is no chat «{plain(title or '')}»" if title else "nobody is paired yet")
    owners = [owner.id for owner in await chats.of_owners(database)]

    async def job(tx: Transaction) -> None:
        for each in found:
            await targets.set_fallback(tx, each.id, None if target is None else target.id)
            act = FallbackSet(chat=each.title, target=None if target is None else target.title)
            await acts.record(tx, act, SERVER, now=now, concerned=owners)

    await database.write(job)
    console.print(f"Set for {len(found)} of {len(everyone)} chats.")


async def _find(db: Reader, name: str) -> Chat:
    """Return the target of a name. Raises SettingsError."""
    for chat in await chats.targets(db):
        if chat.title.casefold() == name.strip().casefold():
            return chat
    raise SettingsError(f"there is no target «{plain(name)}»: see `channelwatch targets`")


def _on_instance(work: Callable[[Database], Coroutine[Any, Any, None]]) -> None:
    async def job() -> None:
        async with open_existing(instance_path()) as database:
            await work(database)

    asyncio.run(job())
