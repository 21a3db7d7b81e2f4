"""Texts matched against typed queries, pure: no input, no output, no clock."""

import tomllib
from importlib import resources
from typing import Any


def read_table(room: str, name: str) -> dict[str, Any]:
    """Return the table `name.toml` of a package, such as `bot.matching.words`."""
    return tomllib.loads(resources.files(room).joinpath(f"{name}.toml").read_text("utf-8"))
