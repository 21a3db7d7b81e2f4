"""A dossier as PDF, and posts as pictures, by Typst from data: no word is read as markup, and the fonts come along.

But for pictographs: they are drawn where the system has «Noto Color Emoji», and else written by their names.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from functools import cache
from importlib import resources, util
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import typst

from bot.dossier.pictures import put_pictures
from bot.dossier.rendering import PostRendering
from bot.dossier.view import DossierView, ShownFile
from bot.locales import translator

# That the fonts which come along lack.
_PICTOGRAPH = re.compile(
    "[\U0001f000-\U0001faff\u231a\u231b\u23e9-\u23f3\u23f8-\u23fa\u24c2\u26bd\u26be\u26c4\u26c5\u26c8\u26ce\u26cf\u26d1\u26d3\u26d4"
    "\u26e9\u26ea\u26f0-\u26f5\u26f7-\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c\u274e\u2753-\u2755\u2757\u2795-\u2797\u27b0\u27bf"
    "\u2934\u2935\u2b1b\u2b1c\u2b50\u2b55\u3030\u303d\u3297\u3299]"
)
# Of pictographs alone.
_JOINERS = re.compile("[\ufe0e\ufe0f\u200d\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_LETTER_A = 0x1F1E6
_SYSTEM_FONTS = Path("/usr/share/fonts")

_SHARPNESS = 144.0  # pixels an inch of a picture, which is 480 points wide …
MOST_LINES = 1000  # … and takes 0.1 MB of memory a line: what is higher is less sharp


def write_paper(shown: DossierView) -> bytes:
    """Write a dossier as PDF; pictures that cannot be drawn are left to their names and SHA-256."""
    files = [file for post in shown.posts for version in post.versions for file in version.files]
    if not _emoji() and _PICTOGRAPH.search(json.dumps(asdict(shown), ensure_ascii=False, default=str)):
        line = translator(shown.language).gettext("An emoji is written by its name: ‹fire›.")
        shown = replace(shown, words=(*shown.words, line))
    try:
        (paper,) = _written("dossier.typ", asdict(shown), files, {})
    except typst.TypstError:
        (paper,) = _without_broken("dossier.typ", asdict(shown), files, {})
    return paper


def write_renderings(shown: Sequence[PostRendering]) -> list[bytes]:
    """Draw posts as pictures, each a PNG; photos that cannot be drawn are left to their names and SHA-256."""
    files = [file for each in shown for file in each.files]
    sharpness = _SHARPNESS * min(1.0, MOST_LINES / max((each.lines for each in shown), default=1))
    how, words = {"format": "png", "ppi": sharpness}, {"posts": list(map(asdict, shown))}
    try:
        return _written("rendering.typ", words, files, how)
    except typst.TypstError:
        if len(shown) > 1:
            return [picture for each in shown for picture in write_renderings([each])]
        return _without_broken("rendering.typ", words, files, how)


def _without_broken(name: str, words: object, files: Sequence[ShownFile], how: dict[str, Any]) -> list[bytes]:
    """Compile as `_written` does, with those pictures alone that can be read to their end, or else with none."""
    try:
        return _written(name, words, files, how, anew=True)
    except typst.TypstError:
        return _written(name, words, (), how)


def _written(
    name: str, words: object, files: Iterable[ShownFile], how: dict[str, Any], *, anew: bool = False
) -> list[bytes]:
    """Compile a template with words and the pictures of these files. Raises TypstError where one cannot be drawn."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        (root / name).write_bytes(resources.files("bot.dossier").joinpath("templates", name).read_bytes())
        return _compile(root / name, _data(words, files, root, anew=anew), how)


def _compile(template: Path, data: str, how: dict[str, Any]) -> list[bytes]:
    root = template.parent
    (root / "data.json").write_text(data, encoding="utf-8", errors="replace")
    for font in _emoji():
        (root / font.name).symlink_to(font)
    made = typst.compile(template, root=root, font_paths=[*_fonts(), root], ignore_system_fonts=True, **how)
    return made if isinstance(made, list) else [made]


def _data(words: object, files: Iterable[ShownFile], root: Path, *, anew: bool) -> str:
    """Return the words as JSON, with the pictures of these files, which are put into `root`; others are left out."""
    names = put_pictures(files, root, anew=anew)

    def plain(value: object) -> str:
        if not isinstance(value, Path):
            raise TypeError(type(value).__name__)
        return names.get(str(value), "")

    text = json.dumps(_without_none(words), ensure_ascii=False, default=plain)
    return text if _emoji() else printable(text)


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


@cache
def _emoji() -> tuple[Path, ...]:
    """Return the font for pictographs, where the system has it (on Debian the package fonts-noto-color-emoji)."""
    return tuple(sorted(_SYSTEM_FONTS.rglob("NotoColorEmoji.ttf"))[:1])


def _fonts() -> list[Path]:
    """Return the folder of the fonts that come with Matplotlib; Typst brings its own beside them."""
    found = util.find_spec("matplotlib")
    places = found.submodule_search_locations if found is not None else None
    return [Path(place) / "mpl-data" / "fonts" / "ttf" for place in places or ()]
