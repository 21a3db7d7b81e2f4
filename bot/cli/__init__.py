"""What people type in a shell comes in; each command is carried out, and an error is one line that says what to do."""

# the order of the commands in --help is that of these imports
from bot.cli import service as service  # isort: skip
from bot.cli import filtering as filtering  # isort: skip
from bot.cli import archive as archive  # isort: skip
from bot.cli import importing as importing  # isort: skip
from bot.cli import backtest as backtest  # isort: skip
from bot.cli import doctor as doctor  # isort: skip
from bot.cli import alerts as alerts  # isort: skip
from bot.cli.shell import main

__all__ = ["main"]
