"""The commands for the team: `people`, `invite`, and `log` of what people did."""

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from bot.cli import cli, console
from bot.cli.output import plain, table
from bot.commands.team import invitation_link
from bot.errors import ChannelwatchError, SettingsError
from bot.locales import translator
from bot.models.acts import Invited
from bot.models.people import EVERYTHING, Role
from bot.rendering.acts import describe_act
from bot.settings import load_settings
from bot.store import acts, invitations, meta, people, team
from bot.store.acts import SERVER, LoggedAct
from bot.store.database import Reader, open_existing, open_read_only
from bot.store.people import Person
from bot.store.team import TeamRefusal

COLUMNS = ("Id", "Name", "Role", "Since", "Last seen")
_DAY = "%Y-%m-%d"
_MOMENT = "%Y-%m-%d %H:%M"
_SPAN = re.compile(r"(\d{1,5})([mhd])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_SHORTEST, _LONGEST = timedelta(minutes=15), timedelta(days=7)
_REFUSALS = {
    TeamRefusal.LAST_OWNER: "nobody else is an owner who can be reached: invite one first, "
    "`channelwatch invite --role owner`",
    TeamRefusal.BY_SETTINGS: "OWNER_IDS names this owner: take the number out of .env and start the service again",
}


@cli.command(name="people")
def people_(
    who: Annotated[str | None, typer.Argument(help="Who: the id, the @name or the name.")] = None,
    *,
    role: Annotated[Role | None, typer.Option(help="Give this role.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the person.")] = False,
) -> None:
    """List the people in the team, change somebody's role, or remove somebody.

    A running service follows at once. Somebody removed gets no more alerts or answers, and their links stop working.

    Example: channelwatch people @anna --role editor
    """
    if who is None and (role is not None or remove):
        raise typer.BadParameter("say who: the id, the @name or the name")
    if role is not None and remove:
        raise typer.BadParameter("--role and --remove cannot be combined")
    if who is not None and (role is not None or remove):
        asyncio.run(_change(who, role))
    else:
        asyncio.run(_list(who))


async def _list(who: str | None) -> None:
    async with open_read_only(load_settings().database_path) as database:
        everybody = await people.everybody(database)
        shown = everybody if who is None else [await find_person(database, who)]
    if not shown:
        console.print("Nobody is in the team yet: `channelwatch invite --role owner` prints a link for the first one.")
    elif console.is_terminal:
        console.print(table(COLUMNS, map(_row, shown)))
    else:
        for row in map(_row, shown):
            console.print("  ".join(row), soft_wrap=True)


def _row(person: Person) -> tuple[str, ...]:
    name = person.called + (f" @{person.username}" if person.username and person.name else "")
    role = f"{person.role} (OWNER_IDS)" if person.by_settings else person.role.value
    seen = "never" if person.seen_at is None else f"{person.seen_at:{_MOMENT}} UTC"
    return (str(person.id), " ".join(plain(name).split()), role, f"{person.added_at:{_DAY}}", seen)


async def find_person(db: Reader, who: str) -> Person:
    """Return the person of an id, @name or name. Raises SettingsError for none, or several."""
    wanted = who.strip().removeprefix("@").casefold()
    found = [
        person
        for person in await people.everybody(db)
        if wanted in {str(person.id), (person.username or "").casefold(), person.name.casefold()}
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise SettingsError(f"{len(found)} people are called «{plain(who)}»: use the id from `channelwatch people`")
    raise SettingsError(f"nobody in the team is called «{plain(who)}»: see `channelwatch people`")


async def _change(who: str, role: Role | None) -> None:
    """Give a person another role; None removes the person."""
    async with open_existing(instance_path()) as database:
        person, now = await find_person(database, who), (await meta.clock(database))()
        refusal = await team.refusal(database, person, role)
        if refusal is not None:
            raise ChannelwatchError(f"{plain(person.called)} stays an owner: {_REFUSALS[refusal]}")
        if role is None:
            await database.write(lambda tx: team.remove(tx, person, SERVER, now=now))
            console.print(f"{plain(person.called)} has been removed.")
        elif role is not person.role:
            await database.write(lambda tx: team.set_role(tx, person, role, SERVER, now=now))
            console.print(f"{plain(person.called)} is now {role}.")
        else:
            console.print(f"{plain(person.called)} is already {role}.")


@cli.command()
def invite(
    role: Annotated[Role, typer.Option(help="What the new people may do.")] = Role.READER,
    uses: Annotated[int, typer.Option(min=1, max=invitations.MOST_USES, help="How many people can use it.")] = 1,
    life: Annotated[str, typer.Option("--for", help="How long it is valid: 15m to 7d.")] = "15m",
) -> None:
    """Print a link that lets people join the team; earlier links stay valid.

    Example: channelwatch invite --role editor --uses 5 --for 1d
    """
    asyncio.run(_invite(role, uses, _read_life(life)))


def _read_life(typed: str) -> timedelta:
    found = _SPAN.fullmatch(typed)
    life = timedelta() if found is None else int(found[1]) * _UNITS[found[2]]
    if not _SHORTEST <= life <= _LONGEST:
        raise typer.BadParameter("write a time from 15m to 7d", param_hint="--for")
    return life


async def _invite(role: Role, uses: int, life: timedelta) -> None:
    async with open_existing(instance_path()) as database:
        now = (await meta.clock(database))()
        made = await database.write(lambda tx: invitations.make(tx, role=role, now=now, uses=uses, life=life))
        await database.write(lambda tx: acts.record(tx, Invited(role=role, uses=uses), SERVER, now=now))
        username = await meta.get(database, "bot_username")
        others = len(await invitations.live(database, now)) - 1
        owners = [person for person in await people.everybody(database) if person.role is Role.OWNER]
    until = f"{now + life:{_MOMENT}} UTC"
    console.print(invitation_link(username, made.token), soft_wrap=True)
    people_word = "person" if uses == 1 else "people"
    line = f"Lets {uses} {people_word} join as {role}, until {until}. Earlier links still valid: {others}."
    typer.echo(line, err=True)  # the link alone is the output
    if not owners and role is not Role.OWNER:
        line = "Nobody is an owner yet: `channelwatch invite --role owner` prints a link for the first one."
        typer.echo(line, err=True)


def instance_path() -> Path:
    """Return where the database lies. Raises SettingsError in a folder that holds no instance."""
    path = load_settings().database_path
    if not path.exists():
        raise SettingsError(
            f"there is no instance here: {path} does not exist. Go to the folder of its .env, or start it with "
            "`channelwatch run` first."
        )
    return path


@cli.command(name="log")
def log_(
    person: Annotated[str | None, typer.Option(help="Only what this person did: id, @name or name.")] = None,
    day: Annotated[str | None, typer.Option(help="Only this day, UTC: 2026-01-31.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many of the newest.")] = 100,
) -> None:
    """Show what people did: followed, unfollowed, created, changed, invited, removed; newest last.

    Example: channelwatch log --person @anna --day 2026-01-31
    """
    asyncio.run(_log(person, _read_day(day), limit))


def _read_day(typed: str | None) -> datetime | None:
    try:
        return None if typed is None else datetime.strptime(typed, _DAY).replace(tzinfo=UTC)
    except ValueError:
        raise typer.BadParameter("write the day like 2026-01-31", param_hint="--day") from None


async def _log(who: str | None, day: datetime | None, limit: int) -> None:
    async with open_read_only(load_settings().database_path) as database:
        person_id = None if who is None else (await find_person(database, who)).id
        until = None if day is None else day + timedelta(days=1)
        found = await acts.latest(database, EVERYTHING, limit=limit, person_id=person_id, since=day, until=until)
    _print_acts(found)


def _print_acts(found: Sequence[LoggedAct]) -> None:
    if not found:
        console.print("Nothing has been done yet.")
    for each in reversed(found):
        undone = "" if each.undone_at is None else f" (undone by {each.undone_by})"
        line = f"{each.at:{_MOMENT}} UTC  {describe_act(each.act, each.name, translator('en'))}{undone}"
        console.print(plain(" ".join(line.split())), soft_wrap=True)
