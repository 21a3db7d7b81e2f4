"""The command line as a whole: the command that is typed is imported and carried out; an error is one line."""

import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Annotated

import typer
from rich.console import Console

import bot
from bot.errors import ChannelwatchError, SettingsError
from bot.runtime.disk import fatal_in
from bot.runtime.garbage import collect_seldom

# The commands in the order of --help, each with the module that it stands in. Only the one that is typed is imported:
# the others would take longer than most commands themselves.
COMMANDS = {
    "run": "service",
    "demo": "service",
    "login": "service",
    "health": "service",
    "watch": "watch",
    "status": "status",
    "stats": "stats",
    "people": "people",
    "invite": "people",
    "log": "people",
    "match": "match",
    "search": "search",
    "export": "export",
    "import": "importing",
    "backtest": "backtest",
    "doctor": "doctor",
    "alerts": "alerts",
    "backup": "backup",
    "restore": "backup",
    "about": "evidence",
    "rotate-key": "evidence",
    "redact": "redaction",
    "mcp": "assistant",
    "targets": "targets",  # last: it has commands of its own
}

cli = typer.Typer(name="channelwatch", no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)
console = Console(highlight=False, markup=False)  # names of people and channels may hold brackets


def ask_address() -> str:
    """Return the address of a target, a secret: hidden while it is typed, or a line of standard input."""
    return str(typer.prompt("Address", hide_input=True)) if sys.stdin.isatty() else sys.stdin.readline().strip()


def main() -> None:
    """Run the command line: exit with 0, 1 for a failure, 2 for wrong use or settings."""
    collect_seldom()
    debug = "--debug" in sys.argv
    words = [word for word in sys.argv[1:] if word != "--debug"]
    try:
        for module in _modules(words):
            import_module(f"bot.cli.{module}")
        if words != ["--version"]:
            from bot.cli.logs import configure_logs  # noqa: PLC0415 - which --version shall not wait for

            configure_logs()
        cli(words, prog_name="channelwatch")
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if debug:
            raise
        sys.stderr.write(f"{_line(error)}\n")
        sys.exit(2 if isinstance(error, SettingsError) else 1)


def _modules(words: list[str]) -> Iterable[str]:
    """Return where the command stands that is typed: all for --help, none for --version."""
    if words[:1] == ["--version"]:
        return ()
    return {COMMANDS[words[0]]} if words and words[0] in COMMANDS else dict.fromkeys(COMMANDS.values())


def _line(error: Exception) -> str:
    """Return what a person reads about an error."""
    if isinstance(error, ChannelwatchError):
        return str(error)
    fatal = fatal_in(error)
    if fatal is not None or isinstance(error, OSError):
        return str(fatal or error)
    # A mistake of ours, or an answer of Telegram's that nothing foresaw.
    return f"{type(error).__name__}: {error}. Run it again with --debug and report what it prints."


@cli.callback(invoke_without_command=True)
def _version(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False
) -> None:
    """Watch official Telegram channels and alert you as soon as a post is about an outage or digital sovereignty.

    Add --debug anywhere to see the traceback of an error.
    """
    if version:
        console.print(bot.__version__)
        raise typer.Exit
