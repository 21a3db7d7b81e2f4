"""What a picture shows to those who see fewer colours, and of names in signs that its font has not."""

from itertools import combinations

import pytest

from bot.charts import drawing
from bot.models.outgoing import Theme

# Linear RGB as it looks without one kind of cone (Machado, Oliveira, Fernandes 2009, severity 1.0).
SIGHTS = {
    "all colours": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "no green": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
}


def linear(colour: str) -> list[float]:
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def seen(colour: str, sight: str) -> list[float]:
    """Return lightness and the two axes of colour (CIE L*a*b*) of a colour as somebody sees it."""
    red, green, blue = (
        min(1.0, max(0.0, sum(f * part for f, part in zip(row, linear(colour), strict=True)))) for row in SIGHTS[sight]
    )
    xyz = (
        (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505,
        0.2126 * red + 0.7152 * green + 0.0722 * blue,
        (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089,
    )
    x, y, z = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in xyz)
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)]


@pytest.mark.parametrize("theme", Theme)
@pytest.mark.parametrize("sight", SIGHTS)
def test_colours_are_told_apart(theme: Theme, sight: str) -> None:
    look = drawing.LOOKS[theme]
    for pair in combinations((look.ground, *look.series), 2):
        one, other = (seen(colour, sight) for colour in pair)
        assert sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5 > 30, pair
    light = [seen(colour, sight)[0] for colour in look.scale]
    assert abs(light[0] - light[1]) > 50  # more is darker, or on a dark ground brighter, whatever the hue


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("⚡ Раньше 🔥 всех\n", "⚡ Раньше всех"),
        ("Оперштаб ❗️ Москва", "Оперштаб Москва"),
        ("🦊🦊", "…"),
        ("$x$", "$x$"),
        ("Министерство связи", "Министерст…"),
        ("", ""),
    ],
)
def test_a_name_has_no_boxes_and_is_cut(name: str, shown: str) -> None:
    assert drawing.legible(name, 11 if name.startswith("М") else 40) == shown
