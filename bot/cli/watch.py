"""The command `watch`: real channels, alerts in the terminal; no account, no settings, nothing left behind."""

import asyncio
import signal
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Annotated

import typer
from rich.live import Live
from rich.text import Text

from bot.cli import ask_address, cli, console
from bot.cli.logs import configure_logs
from bot.cli.queries import SHELL_WORDS, UnknownTopicError, compile_queries
from bot.errors import SettingsError
from bot.matching.engine.compiled import Compiled
from bot.matching.topics import builtin_topics
from bot.runtime.clock import utc_now
from bot.settings import Settings, load_settings
from bot.text.markup import one_line

if TYPE_CHECKING:
    from bot.cli.trial import Trial
    from bot.cli.watch_screen import WatchScreen
    from bot.targets.address import Address

UNREAD = 141  # the exit code where nobody reads the output any more, as a shell says it of SIGPIPE
RETRY_EVERY = 60.0  # s until a channel that could not be read is looked for again
_NAME_ROOM = 60  # UTF-16 units of a query that names a topic
_NOTHING = "name a channel: channelwatch watch @MID_Russia @rkn_tg"


@cli.command()
def watch(
    channels: Annotated[list[str] | None, typer.Argument(help="Public channels: @name or t.me/name.")] = None,
    *,
    topic: Annotated[
        list[str] | None,
        typer.Option(help=f"What to look for: {SHELL_WORDS}, one of your own, or a query; may be repeated."),
    ] = None,
    to: Annotated[
        list[str] | None,
        typer.Option(help="Send each alert there as well: an Apprise URL, webhook+https://…, or - to be asked for it."),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only say how far we get to Telegram's public pages.")] = False,
) -> None:
    """Watch public channels through their web pages; alerts appear here. No account and no settings are needed.

    Exits with 1 where no channel can be watched, or --check finds no way to the pages.

    Example: channelwatch watch @MID_Russia @rkn_tg --topic "сбой банк" --to ntfy://ntfy.sh/YOUR-TOPIC
    """
    settings = load_settings()
    configure_logs(level="ERROR")
    if check:
        raise typer.Exit(0 if asyncio.run(_check(settings)) else 1)
    if not channels:
        raise SettingsError(_NOTHING)
    queries = read_topics(topic)
    addresses = [ask_address() if each == "-" else each for each in to or ()]  # others see what is typed as an option
    raise typer.Exit(asyncio.run(_watch(settings, list(dict.fromkeys(channels)), queries, addresses)))


def read_topics(typed: Sequence[str] | None) -> dict[str, Compiled]:
    """Compile topics by their names, and queries under their own words. Raises SettingsError."""
    if not typed:
        return compile_queries([each.name for each in builtin_topics() if each.default], None)
    found: dict[str, Compiled] = {}
    for each in typed:
        try:
            found |= compile_queries([each], None)
        except UnknownTopicError:
            found[one_line(each, _NAME_ROOM)] = compile_queries(None, each)["query"]
    return found


async def _check(settings: Settings) -> bool:
    """Print how far a question for a page comes; return whether there is a way."""
    from bot.cli.check import print_check  # noqa: PLC0415 - with what follows
    from bot.cli.page_checks import reaches_pages, run_page_checks  # noqa: PLC0415 - likewise

    done = []
    async for each in run_page_checks(settings):
        print_check(each)
        done.append(each)
    is_well = reaches_pages(done)
    line = "Public channels can be watched from here." if is_well else "Public channels cannot be watched from here."
    console.print(Text(line, "bold"))
    return is_well


async def _watch(settings: Settings, names: Sequence[str], queries: Mapping[str, Compiled], to: Sequence[str]) -> int:
    from bot.cli.trial import PageClock, open_trial  # noqa: PLC0415 - the service's parts, a third of a second
    from bot.cli.watch_screen import WatchScreen  # noqa: PLC0415 - likewise

    addresses = await _read_addresses(to)
    stop = asyncio.Event()
    with suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):  # Windows has none, nor has a thread
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):  # the last comes of a terminal that is closed
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    clock = PageClock(utc_now)
    screen = WatchScreen(queries=queries, clock=clock, stop=stop)
    async with open_trial(settings, queries, addresses, screen=screen, clock=clock) as trial:
        watcher = Watcher(trial, screen, names)
        if not await _unless_stopped(watcher.begin(), stop):
            if watcher.waiting and not stop.is_set():
                console.print("No channel can be read now. This is how far we get:")
                await _check(settings)
            return 1
        for address in addresses:
            screen.show_target(address)
        if clock.error:
            screen.show_clock(clock.error)
        await watcher.go_on(stop)
    screen.say_end()
    return UNREAD if screen.is_unread else 0


async def _read_addresses(typed: Sequence[str]) -> "list[Address]":
    """Read the addresses of targets. Raises SettingsError for one that is none, without repeating it."""
    if not typed:
        return []
    from bot.targets import read_address  # noqa: PLC0415 - Apprise, which takes a third of a second
    from bot.targets.address import AddressError  # noqa: PLC0415 - likewise

    try:
        return [await asyncio.to_thread(read_address, url) for url in typed]
    except AddressError as error:
        raise SettingsError(f"--to: {error}") from None


async def _unless_stopped(work: Coroutine[object, object, bool], stop: asyncio.Event) -> bool:
    """Wait for some work, and give it up as soon as it is to stop; return its result, or False."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not working.done():
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        return False
    return working.result()


class Watcher:
    """Looks for the channels that were typed, and watches those that are found."""

    def __init__(self, trial: "Trial", screen: "WatchScreen", names: Sequence[str]) -> None:
        self._trial = trial
        self._screen = screen
        self._names = names
        self.waiting: list[str] = []  # names of channels that could not be read yet
        self._found: set[int] = set()

    async def begin(self) -> bool:
        """Look for each channel once, and print what was found; return whether there is anything to watch."""
        from bot.cli.trial import UnwatchableError, read_name  # noqa: PLC0415 - as above

        names: dict[str, None] = {}  # each once, however it was typed
        for typed in self._names:
            try:
                names[read_name(typed)] = None
            except UnwatchableError as error:
                self._screen.show_refusal(error)
        for name in names:
            await self._look(name)
        return bool(self._found)

    async def _look(self, name: str) -> None:
        from bot.cli.trial import NotNowError, UnwatchableError  # noqa: PLC0415 - as above

        try:
            with console.status(f"Asking for @{name} …") if console.is_terminal else nullcontext():
                look = await self._trial.look(name)
        except NotNowError as error:
            if name not in self.waiting:
                self._screen.show_refusal(error)
                self.waiting.append(name)
            return
        except UnwatchableError as error:
            self._screen.show_refusal(error)
        else:
            self._screen.show_look(look, asked=name, is_known=look.channel_id in self._found)
            self._found.add(look.channel_id)
        self.waiting = [each for each in self.waiting if each != name]

    async def go_on(self, stop: asyncio.Event) -> None:
        """Watch until it is to stop; look again for channels that could not be read."""
        if not console.is_terminal:
            console.print(await self._state_line(), soft_wrap=True)
            await self._run(stop, None)
            return
        with Live("", console=console, transient=True, auto_refresh=False) as live:
            await self._run(stop, live)

    async def _run(self, stop: asyncio.Event, live: Live | None) -> None:
        """Run the trial, and what goes on beside it."""
        tasks = [asyncio.create_task(self._look_again(stop))]
        if live is not None:
            tasks.append(asyncio.create_task(self._show_state(live)))
        try:
            await self._trial.run(stop)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _look_again(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await asyncio.sleep(RETRY_EVERY)
            for name in self.waiting:
                await self._look(name)

    async def _show_state(self, live: Live) -> None:
        while True:
            line = await self._state_line()
            line.truncate(console.width, overflow="ellipsis")  # one line, however narrow the terminal is
            live.update(line, refresh=True)
            await asyncio.sleep(1)

    async def _state_line(self) -> Text:
        return self._screen.state_line(await self._trial.state(), waiting=len(self.waiting))
