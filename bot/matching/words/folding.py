"""Letters folded for comparison: capitals, look-alikes, marks and invisible characters."""

import re
import unicodedata
from typing import NamedTuple

# Invisible characters: soft hyphen, zero-width space and joiners, word joiner, BOM, variation selectors.
INVISIBLE = "\u00ad\u180e\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff"
# Marks on the letter before them, as in European, Hebrew and Arabic writing.
_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u064b-\u0652\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u20d0-\u20e2\u20e4-\u20f0\ufe20-\ufe2f"
)

# Anything that needs the slow way. It begins with one character class, which skips ordinary text at 2 µs a post;
# then it asks precisely, since emoji carry variation selectors and joiners too.
_UNUSUAL = re.compile(
    "[\u00aa\u00ad\u00b2\u00b3\u00b5\u00b9\u00ba\u00bc-\u00be\u00c0-\u02bb\u02bd-\u03ff\u0460-\u048f\u0492-\u1fff"
    "\u200b-\u200d\u2060-\u209f\u20d0-\u2115\u2117-\u218f\u2460-\u24ff\u2c00-\u2dff\u2e80-\uffff"
    "\U00010000-\U0001efff\U0001fb00-\U0010ffff]"
    r"(?:(?<=\w)"  # a letter outside plain Latin and Cyrillic
    rf"|(?<=\w[{_MARKS}])"  # a stress mark, a decomposed й
    rf"|(?<=\w[{INVISIBLE}])[{INVISIBLE}]*[\w{_MARKS}])"  # something invisible inside a word
)
_CLUSTER = re.compile(rf"(\w)([{INVISIBLE}{_MARKS}]*)|.", re.DOTALL)

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_CYRILLIC = re.compile("[\u0400-\u04ff]")
_LATIN = re.compile("[a-z]")
# A Latin letter or digit with a Cyrillic neighbour; it begins with the class so that Cyrillic text is skipped fast.
_MIXED = re.compile("[a-z0-9](?:(?=[\u0400-\u04ff])|(?<=[\u0400-\u04ff][a-z0-9]))")
# Pairs that look alike as capitals or as small letters.
_LATIN_LOOKS = "abcehikmoptxy"
_CYRILLIC_LOOKS = "авсенікмортху"
_TO_CYRILLIC = str.maketrans(_LATIN_LOOKS, _CYRILLIC_LOOKS)
_TO_LATIN = str.maketrans(_CYRILLIC_LOOKS, _LATIN_LOOKS)
_DIGIT_IN_WORD = re.compile("(?<=[\u0400-\u04ff])[03](?=[\u0400-\u04ff])")


class Folded(NamedTuple):
    """A folded text; `shape` and `lower` are of the same length."""

    shape: str  # capitals kept
    lower: str  # small letters, ё as е, straight apostrophes, look-alikes resolved
    origin: tuple[tuple[int, int], ...] | None  # of each character in the original text; None: the same


def fold(text: str) -> Folded:
    """Fold a text for comparison.

    The order is that of notes on Unicode normalisation for search: NFKC, invisible characters, NFC, marks that remain,
    then mixed alphabets, ё and apostrophes.
    """
    if text.isascii() or not _UNUSUAL.search(text):
        return Folded(shape=text, lower=_lower(text), origin=None)
    shape: list[str] = []
    origin: list[tuple[int, int]] = []
    for cluster in _CLUSTER.finditer(text):
        piece = cluster[0]
        if cluster[1]:
            visible = re.sub(f"[{INVISIBLE}]", "", piece)
            composed = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", visible))
            piece = "".join(c for c in composed if unicodedata.category(c) not in {"Mn", "Me"})
        shape.append(piece)
        origin.extend([cluster.span()] * len(piece))
    joined = "".join(shape)
    return Folded(shape=joined, lower=_lower(joined), origin=tuple(origin))


def _lower(shape: str) -> str:
    lower = shape.lower()
    if len(lower) != len(shape):  # İ becomes two characters; the first is the letter
        lower = "".join(c.lower()[0] for c in shape)
    if lower.isascii():
        return lower.replace("`", "'")
    # these replacements cost less than one regular expression
    lower = lower.replace("ё", "е").replace("\u2019", "'").replace("\u02bc", "'").replace("\u2018", "'")
    lower = lower.replace("`", "'").replace("\u00b4", "'").replace("\u2032", "'")
    if _CYRILLIC.search(lower) and _MIXED.search(lower):
        lower = _WORD.sub(lambda word: _untangle(word[0]), lower)
    return lower


def _untangle(word: str) -> str:
    """Return a word of two alphabets in one, if its letters of the other all look like letters of that one.

    A letter that one alphabet has alone settles which; where there is none, the more frequent alphabet does.
    """
    if not _MIXED.search(word):
        return word
    cyrillic, latin = _CYRILLIC.findall(word), _LATIN.findall(word)
    if not cyrillic:
        return word
    is_latin_alike, is_cyrillic_alike = set(latin) <= set(_LATIN_LOOKS), set(cyrillic) <= set(_CYRILLIC_LOOKS)
    if latin and is_latin_alike and (len(latin) <= len(cyrillic) or not is_cyrillic_alike):
        word = word.translate(_TO_CYRILLIC)
    elif latin and is_cyrillic_alike:
        word = word.translate(_TO_LATIN)
    return _DIGIT_IN_WORD.sub(lambda digit: "о" if digit[0] == "0" else "з", word)
