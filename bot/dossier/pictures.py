"""Pictures for Typst, which keeps each in memory as it is drawn: four bytes a pixel, whatever the file takes."""

import math
import warnings
from collections.abc import Iterable
from pathlib import Path

from PIL import Image, ImageOps

from bot.dossier.view import ShownFile

MOST_PIXELS = 30_000_000  # of all pictures of a dossier: sixty as Telegram makes them are drawn at 200 dots an inch
_LARGEST = 50_000_000  # of one: more than a phone takes
_FORMATS = ("JPEG", "PNG")


def put_pictures(
    files: Iterable[ShownFile], root: Path, *, most_pixels: int = MOST_PIXELS, anew: bool = False
) -> dict[str, str]:
    """Put the pictures of files into a folder, all of them smaller where they are too many; return names by paths.

    One that cannot be drawn is left out; whether it can shows only where each is written `anew`.
    """
    pictures = {file.picture: f"{file.sha256}.{file.ending}" for file in files if file.picture is not None}
    pixels = {path: count for path in pictures if (count := _pixels(path))}
    part = math.sqrt(most_pixels / max(most_pixels, *pixels.values(), sum(pixels.values())))
    return {str(path): pictures[path] for path in pixels if _put(path, root / pictures[path], part, anew=anew)}


def _pixels(path: Path) -> int:
    """Return how many pixels a picture says that it has; 0 where it cannot be drawn."""
    with warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning):  # we look ourselves
        try:
            with Image.open(path, formats=_FORMATS) as picture:
                count = math.prod(picture.size)
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            return 0
    return count if count <= _LARGEST else 0


def _put(path: Path, target: Path, part: float, *, anew: bool) -> bool:
    """Put a picture somewhere, its sides that part of what they were; tell whether it could be drawn."""
    if part == 1 and not anew:
        target.write_bytes(path.read_bytes())
        return True
    try:
        with Image.open(path, formats=_FORMATS) as picture:
            kind = picture.format
            picture.thumbnail((max(1, int(picture.width * part)), max(1, int(picture.height * part))))
            ImageOps.exif_transpose(picture).save(target, format=kind)
    except (OSError, SyntaxError, ValueError):
        return False
    return True
