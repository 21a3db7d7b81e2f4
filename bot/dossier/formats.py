"""The formats in which files are made, and their base."""

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


class DossierFormat(FileFormat):
    """What a dossier can be, each with its media type."""

    HTML = "html", "text/html"
    PDF = "pdf", "application/pdf"
    XLSX = "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    CSV = "csv", "text/csv"
    JSONL = "jsonl", "application/jsonl"
    PICTURES = "zip", "application/zip"  # of each version
