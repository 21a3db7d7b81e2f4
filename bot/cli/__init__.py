"""The command line: one module for each command, and one for those around the service."""

from bot.cli.shell import main

__all__ = ["main"]
