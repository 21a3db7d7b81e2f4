"""A dossier as PDF, by Typst from data: no word of it is read as markup, and its fonts come along."""

import json
import re
import unicodedata
from dataclasses import asdict
from importlib import resources, util
from pathlib import Path
from tempfile import TemporaryDirectory

import typst

from bot.dossier.view import DossierView

_PICTOGRAPH = re.compile("[\U0001f000-\U0001faff]")  # that the fonts lack: their names are printed
_JOINERS = re.compile("[\ufe0e\ufe0f\u200d\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")  # of pictographs alone
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_LETTER_A = 0x1F1E6


def write_paper(shown: DossierView) -> bytes:
    """Write a dossier as PDF; pictures that cannot be drawn are left to their names and SHA-256."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        template = resources.files("bot.dossier").joinpath("templates", "dossier.typ")
        (root / "dossier.typ").write_bytes(template.read_bytes())
        try:
            return _compile(root, _data(shown, root))
        except typst.TypstError:
            return _compile(root, _data(shown, None))


def _compile(root: Path, data: str) -> bytes:
    (root / "data.json").write_text(data, encoding="utf-8", errors="replace")
    return typst.compile(root / "dossier.typ", root=root, font_paths=_fonts(), ignore_system_fonts=True)


def _data(shown: DossierView, root: Path | None) -> str:
    """Return the words as JSON; pictures are linked into `root`, or left out."""
    names: dict[str, str] = {}

    def plain(value: object) -> str:
        if not isinstance(value, Path):
            raise TypeError(type(value).__name__)
        return names.get(str(value), "")

    for post in shown.posts:
        for file in (file for version in post.versions for file in version.files):
            if root is not None and file.picture is not None and str(file.picture) not in names:
                name = f"{file.sha256}.{file.ending}"
                (root / name).write_bytes(file.picture.read_bytes())
                names[str(file.picture)] = name
    return printable(json.dumps(_without_none(asdict(shown)), ensure_ascii=False, default=plain))


def _without_none(value: object) -> object:
    match value:
        case dict():
            return {key: _without_none(each) for key, each in value.items()}
        case list() | tuple():
            return [_without_none(each) for each in value]
        case None:
            return ""
        case _:
            return value


def printable(text: str) -> str:
    """Return a text with the names of pictographs in their place, as «‹fire›», and of flags the country's letters."""
    flags = _FLAG.sub(lambda found: f"‹{''.join(chr(ord(each) - _LETTER_A + 65) for each in found[0])}›", text)
    named = _PICTOGRAPH.sub(lambda found: f"‹{unicodedata.name(found[0], 'sign').lower()}›", _JOINERS.sub("", flags))
    return named.replace("\x00", "")


def _fonts() -> list[Path]:
    """Return the folder of the fonts that come with Matplotlib; Typst brings its own beside them."""
    found = util.find_spec("matplotlib")
    places = found.submodule_search_locations if found is not None else None
    return [Path(place) / "mpl-data" / "fonts" / "ttf" for place in places or ()]
