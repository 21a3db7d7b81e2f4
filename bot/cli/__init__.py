"""What people type in a shell comes in; each command is carried out, and an error is one line that says what to do."""

from bot.cli.shell import main

__all__ = ["main"]
