"""The base of the formats in which files are made."""

from enum import StrEnum
from typing import Self


class FileFormat(StrEnum):
    """A format of a file by its name, with its media type."""

    mime: str

    def __new__(cls, name: str, mime: str = "") -> Self:
        """Make a format of its name, which is its value."""
        made = str.__new__(cls, name)
        made._value_, made.mime = name, mime
        return made
