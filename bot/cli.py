"""What people type in a shell comes in; each command is carried out, and an error is one line that says what to do."""

import asyncio
import json
import signal
import sys
from collections.abc import Iterator
from datetime import timedelta
from io import TextIOWrapper
from typing import Annotated, Any, BinaryIO

import typer
from rich.console import Console
from rich.text import Text

import bot
from bot import app as service
from bot import demo as story
from bot import logs
from bot.errors import ChannelwatchError, SettingsError
from bot.matching.forms import Inflector
from bot.matching.matcher import Matcher, compile_query
from bot.matching.query import QueryError, parse
from bot.matching.text import analyse
from bot.matching.topics import builtin_topics
from bot.search import Hit, search
from bot.settings import Settings, load_settings
from bot.store import channels, chats, heartbeats, meta
from bot.store.chats import Role
from bot.store.database import Database, Reader, open_read_only
from bot.telegram import login

_ROW = 'one object such as {"text": "…"} on a line of its own'
HEALTHY_WITHIN = timedelta(minutes=2)
SHELL_WORDS = ", ".join(topic.name for topic in builtin_topics())

cli = typer.Typer(name="channelwatch", no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)
console = Console(highlight=False, markup=False)  # names of people and channels may hold brackets


def main() -> None:
    """Run the command line: exit with 0, 1 for a failure, 2 for wrong use or settings."""
    debug = "--debug" in sys.argv
    try:
        cli([word for word in sys.argv[1:] if word != "--debug"], prog_name="channelwatch")
    except (ChannelwatchError, OSError) as error:
        if debug:
            raise
        sys.stderr.write(f"{error}\n")
        sys.exit(2 if isinstance(error, SettingsError) else 1)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        # The outermost guard: a mistake of ours, or an answer of Telegram's that nothing foresaw.
        if debug:
            raise
        sys.stderr.write(f"{type(error).__name__}: {error}. Run it again with --debug and report what it prints.\n")
        sys.exit(1)


@cli.callback(invoke_without_command=True)
def _version(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False
) -> None:
    """Watch official Telegram channels; alert the moment a post speaks of an outage or of digital sovereignty.

    With --debug anywhere, an error shows its traceback.
    """
    if version:
        console.print(bot.__version__)
        raise typer.Exit


@cli.command()
def run() -> None:
    """Run the service with the settings of .env, until it is stopped.

    Example: channelwatch run
    """
    settings = load_settings()
    logs.configure(settings)
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await service.run(settings, stop, on_ready=_say_ready)


def _say_ready(ready: service.Ready) -> None:
    console.print(f"Channelwatch runs; its bot is @{ready.bot_username}.")
    if ready.invitation is None:
        return
    if sys.stdout.isatty():
        sentence = "Nobody is paired yet. Open this link within 15 minutes, on your phone"
        console.print(f"{sentence}: {ready.invitation}", soft_wrap=True)  # a link that is broken cannot be opened
    else:  # a log is no place for a key
        console.print("Nobody is paired yet: `channelwatch invite` prints the pairing link.")


@cli.command()
def demo(
    *,
    chat: Annotated[bool, typer.Option("--chat", help="Stay open and type commands, as in Telegram.")] = False,
) -> None:
    """Play a day of outages against the real service and an embedded Telegram server; no account is needed.

    Example: channelwatch demo --chat
    """
    logs.configure(Settings.model_construct(log_level="WARNING"))
    raise typer.Exit(asyncio.run(story.play(console, chat=chat)))


@cli.command(name="login")
def login_(
    phone: Annotated[str | None, typer.Option(help="The account's number, with +; asked for when left out.")] = None,
) -> None:
    """Log the reader account in by phone, code and two-step password.

    Example: channelwatch login --phone +10000000000
    """
    settings = load_settings()
    settings.require("TELEGRAM_API_ID", "TELEGRAM_API_HASH")
    name = asyncio.run(login.log_in(settings, _Prompts(phone)))
    console.print(f"Logged in as {name}. Next: channelwatch run")


class _Prompts:
    """Asks at the terminal for what signing in needs."""

    def __init__(self, phone: str | None) -> None:
        self._phone = phone

    def phone(self) -> str:
        return self._phone or str(typer.prompt("Phone number, with +"))

    def tell(self, sentence: str) -> None:
        console.print(sentence)

    def code(self) -> str:
        return str(typer.prompt("Code that Telegram sent"))

    def password(self, hint: str | None) -> str:
        return str(typer.prompt(f"Two-step password{f' (hint: {hint})' if hint else ''}", hide_input=True))


@cli.command()
def invite(
    role: Annotated[Role, typer.Option(help="What the new person may do.")] = Role.OWNER,
) -> None:
    """Print a link that pairs one person with the bot, once, within 15 minutes.

    Example: channelwatch invite --role editor
    """
    asyncio.run(_invite(load_settings(), role))


async def _invite(settings: Settings, role: Role) -> None:
    database = await Database.open(settings.database_path)
    try:
        token = await database.write(lambda tx: chats.invite(tx, role=role, now=service.utc_now()))
        username = await meta.get(database, "bot_username")
    finally:
        await database.close()
    if username is None:
        console.print(f"Send this to the bot within 15 minutes: /start {token}", soft_wrap=True)
    else:
        console.print(f"https://t.me/{username!s}?start={token}", soft_wrap=True)


@cli.command()
def health() -> None:
    """Exit with 0 if the service was alive within the last two minutes, else with 1.

    Example: channelwatch health
    """
    beats = asyncio.run(_last_beats(load_settings()))
    if "run" not in beats or service.utc_now() - beats["run"] > HEALTHY_WITHIN:
        raise ChannelwatchError("not healthy: the service has given no sign of life for two minutes")
    console.print("healthy")


async def _last_beats(settings: Settings) -> dict[str, Any]:
    async with open_read_only(settings.database_path) as database:
        return dict(await heartbeats.last(database))


@cli.command()
def match(
    file: Annotated[
        typer.FileBinaryRead, typer.Argument(help="JSON Lines with a «text» field; - is standard input.")
    ] = "-",  # type: ignore[assignment]  # Typer opens it
    *,
    topic: Annotated[list[str] | None, typer.Option(help=f"A built-in topic; may be repeated: {SHELL_WORDS}.")] = None,
    query: Annotated[str | None, typer.Option(help="A query instead of topics.")] = None,
) -> None:
    """Write each line again with `matches`: the topics found in its text, and where (Python characters).

    Example: channelwatch match --topic outages < posts.jsonl
    """
    matcher = Matcher(_compiled(topic, query))
    if isinstance(sys.stdout, TextIOWrapper):  # half a surrogate pair, which JSON can hold, is written as its escape
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    for row in _rows(file):
        found = matcher.match(analyse(row["text"]))
        row["matches"] = [{"topic": match.topic, "spans": match.spans} for match in found]
        sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")


def _compiled(names: list[str] | None, query: str | None) -> dict[str, Any]:
    if query is not None and names:
        raise SettingsError("--topic and --query exclude each other: give one of them")
    known = {topic.name: topic.query for topic in builtin_topics()}
    if unknown := set(names or ()) - known.keys():
        raise SettingsError(f"unknown topic «{min(unknown)}»: the built-in ones are {SHELL_WORDS}")
    sources = {"query": query} if query is not None else {name: known[name] for name in names or known}
    inflector = Inflector()
    try:
        return {name: compile_query(parse(source), inflector) for name, source in sources.items()}
    except QueryError as error:
        raise SettingsError(f"the query cannot be read: {error}") from None


def _rows(file: BinaryIO) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except UnicodeDecodeError:
            raise ChannelwatchError(f"line {number} is not in UTF-8: save the file in UTF-8") from None
        except (ValueError, RecursionError) as error:  # ValueError itself: a number of thousands of digits
            reason = getattr(error, "msg", error)
            raise ChannelwatchError(f"line {number} is no JSON ({reason}): each is to be {_ROW}") from None
        if not isinstance(row, dict) or not isinstance(row.get("text"), str):
            raise ChannelwatchError(f"line {number} has no «text» string: each is to be {_ROW}")
        yield row


@cli.command(name="search")
def search_(
    query: Annotated[str, typer.Argument(help='As in the chat: сбой, "сбой в работе", outage|blackout …')],
    *,
    channel: Annotated[str | None, typer.Option(help="Only in this channel: @name.")] = None,
    limit: Annotated[int, typer.Option(help="How many posts at most.", min=1)] = 20,
) -> None:
    """Find stored posts, newest first.

    Example: channelwatch search "сбой|outage" --channel @MID_Russia
    """
    hits = asyncio.run(_search(load_settings(), query, channel=channel, limit=limit))
    for hit in hits:
        console.print(_shown(hit))
    if not hits:
        sys.stderr.write("Nothing found in the stored posts.\n")


async def _search(settings: Settings, query: str, *, channel: str | None, limit: int) -> list[Hit]:
    compiled = _compiled(None, query)["query"]
    async with open_read_only(settings.database_path) as database:
        channel_id = None if channel is None else await _channel_id(database, channel)
        return await search(database, compiled, channel_id=channel_id, limit=limit)


async def _channel_id(database: Reader, text: str) -> int:
    found = await channels.find(database, text)
    if found is None:
        raise ChannelwatchError(f"no channel {text} in the archive; /channels in the chat lists them")
    return found.id


def _shown(hit: Hit) -> Text:
    post = hit.post
    shown = Text(f"{post.date:%Y-%m-%d %H:%M} UTC  {post.channel_title}  {post.link}\n", style="bold")
    body = Text(post.text)
    for start, end in hit.spans:
        body.stylize("reverse", start, end)
    return shown.append(body).append("\n")
