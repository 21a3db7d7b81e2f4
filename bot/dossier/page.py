"""A dossier as one HTML page that opens anywhere: it asks for nothing, and all foreign text is escaped."""

from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import BinaryIO

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from bot.dossier.view import DossierView

_MIME = {"jpg": "image/jpeg", "png": "image/png"}


def write_page(shown: DossierView, out: BinaryIO) -> None:
    """Write a dossier as HTML, a piece at a time."""
    _template().stream(shown=shown, embed=_embed).dump(out, "utf-8", "replace")


def _embed(picture: Path, ending: str) -> str:
    """Return a picture as the address of itself."""
    return f"data:{_MIME[ending]};base64,{b64encode(picture.read_bytes()).decode()}"


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("bot.dossier", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("dossier.html")
