"""The command `mcp`: the archive for assistants, over the Model Context Protocol on standard input and output."""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer

import bot
from bot.cli import cli
from bot.cli.assistant_tools import NOTE, Answer, ArchiveTools, Resolve
from bot.cli.people import find_person, instance_path
from bot.errors import ChannelwatchError, SettingsError, install_line
from bot.models.outgoing import PeerKind
from bot.models.people import ANYBODY, EVERYTHING, Role, Viewer
from bot.runtime.clock import utc_now
from bot.runtime.priority import give_way
from bot.store import chats, people
from bot.store.database import Reader, open_read_only

_MISSING = f"The package «mcp» is missing. {install_line('mcp')}"
_INSTRUCTIONS = f"""An archive of Telegram channels and sites, with every edit and deletion, read-only.
Searches take the query language of channelwatch: words in any inflected form (Russian, Ukrainian, English), "phrases",
a|b, -without, a ~5 b, in:@channel, since:7d, until:2026-01-31, history:yes, order:best.
What stands beside a text as «picture» was read in a photo by a program, and may be misread.
Cite posts by their links. Say when the archive is not complete for the time in question: nothing found proves nothing.
{NOTE}"""
_TOOLS = {
    "search": "Find stored posts, newest first, by a query with filters (in:@name, since:7d, until:2026-01-31, "
    "history:yes, order:best); without a query the newest ones. Pass next_cursor as cursor for more.",
    "post": "One post by its link, or by channel_id and message_id: all its versions, parts and files, and whether "
    "Telegram told of its deletion, or it was missing when it was read again.",
    "channels": "The followed channels, those with words in title or name, and whether something of them is missing.",
    "topics": "The topics: what each looks for, and looked for before.",
    "coverage": "From when on the archive is complete, in all or for in:@name.",
}


@cli.command(name="mcp")
def mcp_(
    person: Annotated[str | None, typer.Option("--as", help="See what this person sees: id, @name or name.")] = None,
    *,
    owner: Annotated[bool, typer.Option("--owner", help="See everything, as owners do.")] = False,
) -> None:
    """Let an assistant read the archive: an MCP server on standard input and output, for its client to start.

    It sees what belongs to everybody in the team, unless you say otherwise; it writes nothing.

    Example: channelwatch mcp --as @anna
    """
    if person is not None and owner:
        raise SettingsError("--as and --owner cannot be combined: use one of them")
    path = instance_path()

    async def serve() -> None:
        if owner:
            resolve = _fixed(EVERYTHING)
        elif person is None:
            resolve = _fixed(ANYBODY)
        else:
            async with open_read_only(path) as db:
                resolve = functools.partial(_viewer_of, (await find_person(db, person)).id)
        await server_of(ArchiveTools(path, resolve, clock=utc_now)).run_stdio_async()

    give_way()  # no search holds up the service
    asyncio.run(serve())


def server_of(tools: ArchiveTools) -> Any:  # noqa: ANN401 - of an extra that may not be there
    """Return the server. Raises ChannelwatchError where the SDK is not installed."""
    try:
        from mcp.server import MCPServer  # noqa: PLC0415 - an extra, which takes half a second
        from mcp.types import ToolAnnotations  # noqa: PLC0415 - likewise
    except ImportError:
        raise ChannelwatchError(_MISSING) from None
    server = MCPServer("channelwatch", version=bot.__version__, instructions=_INSTRUCTIONS, log_level="WARNING")
    harmless = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
    for name, description in _TOOLS.items():
        server.add_tool(_refusable(getattr(tools, name)), name, description=description, annotations=harmless)
    return server


def _refusable(ask: Callable[..., Awaitable[Answer]]) -> Callable[..., Awaitable[Answer]]:
    """Let our one line about an error reach the assistant, as the SDK wants it; of others it hides the words."""
    from mcp.server.mcpserver.exceptions import ToolError  # noqa: PLC0415 - an extra

    @functools.wraps(ask)
    async def answer(**arguments: Any) -> Answer:  # noqa: ANN401 - those of the tool
        try:
            return await ask(**arguments)
        except ChannelwatchError as error:
            raise ToolError(str(error)) from error

    return answer


def _fixed(viewer: Viewer) -> Resolve:
    async def resolve(_: Reader) -> Viewer:
        return viewer

    return resolve


async def _viewer_of(person_id: int, db: Reader) -> Viewer:
    """Return what a person sees in private. Raises ChannelwatchError once the person is removed."""
    person = await people.get(db, person_id)
    if person is None:
        raise ChannelwatchError("This person is no longer in the team.")
    chat = await chats.by_peer(db, PeerKind.USER, person_id)
    if person.role is Role.OWNER:
        return EVERYTHING
    return ANYBODY if chat is None else Viewer(chat_id=chat.id)
