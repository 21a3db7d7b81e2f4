"""Texts as tokens, with the place of each token in the original."""

import itertools
import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from itertools import islice
from operator import itemgetter
from typing import TypeAlias

from bot.matching.words.folding import INVISIBLE, Folded, fold

_RECENT = 128  # texts that are kept: one that matches is asked for again at once, to be compared and shown
# Positions that a blank line takes; more than the greatest distance of a query.
WALL = 100
_BLANK_LINE = re.compile(rf"\n[\s{INVISIBLE}]*\n")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
# Ends of the names of sites. Other ends, or a capital, may as well begin a sentence after a full stop without a space;
# so may «net» and the like after Cyrillic letters.
_LATIN_TOPS = "org|net|info|io|me|tv|ai|app|dev|news|gov|edu|eu|by|kz|de|fr|pl|uk|us|cn"
_TOPS = "ru|su|com|ua|рф|рус|укр|бел"
SITE_ENDS = frozenset((*_LATIN_TOPS.split("|"), *_TOPS.split("|")))
_TOP = rf"(?P<top>(?<=[a-zA-Z0-9-]\.)(?:{_LATIN_TOPS})|{_TOPS})(?![\w-])"
_SITE_END = re.compile(rf"\.{_TOP}")
SITE_NAME = rf"(?:[\w-]{{1,63}}\.){{1,9}}{_TOP}"
SITE = rf"{SITE_NAME}(?P<page>(?::\d{{1,5}})?(?:[/?#][^\s«»\"<>()]*)?)"
# Lengths are bounded so that a long run of dots or letters costs no more than its own length.
_LINK = (
    r"[a-z][a-z0-9+.-]{1,15}://[^\s«»\"<>()]+|www\.[^\s«»\"<>()]+"
    r"|(?<![^\W_])[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,8}\.[a-z]{2,24}/[^\s«»\"<>()]*"
    r"|(?<![^\W_])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"
)
_NAMED = r"|(?P<mention>(?<![\w@])@\w+)|(?P<tag>(?<![\w#&])#\w+)"
_SPECIAL = re.compile(f"(?P<link>{_LINK}){_NAMED}")
_SPECIAL_OR_SITE = re.compile(rf"(?P<link>{_LINK}|(?<![^\W_]){SITE}){_NAMED}")
# Humps of a tag: МассовыйСбой, VTBOutage.
_HUMP = re.compile(r"(?<=[^\W\d_A-ZА-ЯЁІЇЄҐ])(?=[A-ZА-ЯЁІЇЄҐ])|(?<=[A-ZА-ЯЁІЇЄҐ])(?=[A-ZА-ЯЁІЇЄҐ][^\W\d_A-ZА-ЯЁІЇЄҐ])")
_PIECE = re.compile(r"[^\W_]+")
# The host of a link or of the name of a site; an address of mail has none.
_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*://(?:[^/?#@]*@)?)?(?P<host>(?:[\w-]+\.)+(?P<top>[^\W_]+))(?![\w@.+-]*@)")
_NO_LETTER = re.compile(r"[\W_]")


# A part of the folded text that is read in one way: "words", "link", "site", "mention", "tag" or "wall", start, end.
_Segment: TypeAlias = tuple[str, int, int]


def tag_token(name: str) -> str:
    """Return the token that stands for `#name`; `name` is folded. No word begins with an apostrophe."""
    return "'t'" + name.replace("_", "'")


def mention_token(name: str) -> str:
    """Return the token that stands for `@name`; `name` is folded."""
    return "'m'" + name.replace("_", "'")


def site_token(name: str) -> str:
    """Return the token that stands for a site, as in `rbc.ru`; `name` is folded."""
    return "'s'" + _NO_LETTER.sub("'", name)


class Document:
    """A text as tokens; their places are computed when first read."""

    def __init__(self, text: str, folded: Folded) -> None:
        self.text = text
        self._folded = folded
        self._segments = _segments(folded)
        self.tokens: list[str] = []
        self._counts: list[int] = []  # how many tokens each segment has
        for tokens in _tokens(folded, self._segments):
            self.tokens += tokens
            self._counts.append(len(tokens))

    @property
    def indexed(self) -> str:
        """The tokens joined by spaces, for a full-text index whose only extra token character is the apostrophe."""
        return " ".join(self.tokens)

    @cached_property
    def has_walls(self) -> bool:
        """Whether there are several paragraphs."""
        return any(kind == "wall" for kind, _, _ in self._segments)

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        """The span of each token in the original text, in Python characters."""
        origin = self._folded.origin
        if origin is None:
            return self._located
        return [(origin[start][0], origin[end - 1][1]) for start, end in self._located]

    @cached_property
    def positions(self) -> list[int]:
        """The position of each token among the words; a link or site takes one position, a blank line takes `WALL`."""
        positions: list[int] = []
        place = 0
        for (kind, start, end), count in zip(self._segments, self._counts, strict=True):
            match kind:
                case "tag":
                    positions += [place + step for _, _, step in _tag(self._folded, start, end)]
                    place = positions[-1] + 1
                case "link" | "site":
                    positions += [place] * count
                    place += 1
                case _:
                    positions += range(place, place + count)
                    place += WALL if kind == "wall" else count
        return positions

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """The indexes of each distinct token in `tokens`."""
        places: dict[str, list[int]] = {}
        for index, token in enumerate(self.tokens):
            places.setdefault(token, []).append(index)
        return places

    def shape(self, index: int) -> str:
        """Return a token with its original capitals."""
        start, end = self._located[index] if "_located" in self.__dict__ else self._locate_one(index)
        return _capitals(self._folded, start, end)

    def _locate_one(self, index: int) -> tuple[int, int]:
        """Return the place of one token in the folded text; all of them cost as much as reading the text."""
        before = 0
        for (kind, start, end), count in zip(self._segments, self._counts, strict=True):
            if index < before + count:
                if kind != "words":
                    break
                return next(islice(_WORD.finditer(self._folded.lower, start, end), index - before, None)).span()
            before += count
        return self._located[index]

    @cached_property
    def _located(self) -> list[tuple[int, int]]:
        return _locate(self._folded, self._segments)


@lru_cache(maxsize=_RECENT)
def analyse(text: str) -> Document:
    """Fold the letters of a text and split it into tokens."""
    return Document(text, fold(text))


def plain_words(text: str) -> list[str]:
    """Return the words of a typed text as tokens; links, tags and mentions are words here."""
    return _WORD.findall(fold(text).lower)


def words_with_capitals(text: str) -> list[str]:
    """Return the same with the capitals as typed."""
    folded = fold(text)
    return [_capitals(folded, *word.span()) for word in _WORD.finditer(folded.lower)]


def _capitals(folded: Folded, start: int, end: int) -> str:
    return "".join(map(_capital, folded.lower[start:end], folded.shape[start:end]))


def _capital(letter: str, written: str) -> str:
    upper = letter.upper()
    # ß has no capital of one character; such letters are compared as small ones
    return upper if written.isupper() and upper.lower() == letter and len(upper) == 1 else letter


def _segments(folded: Folded) -> list[_Segment]:
    lower = folded.lower
    marks: list[_Segment] = []
    if "\n" in lower:
        marks += [("wall", blank.start(), blank.end()) for blank in _BLANK_LINE.finditer(lower)]
    has_sites = _SITE_END.search(lower) is not None
    if has_sites or _has_sign(lower):
        marks += _specials(folded, has_sites=has_sites)
        marks.sort(key=itemgetter(1))
    segments: list[_Segment] = []
    end = 0
    for mark in marks:
        if mark[1] > end:
            segments.append(("words", end, mark[1]))
        segments.append(mark)
        end = mark[2]
    segments.append(("words", end, len(lower)))
    return segments


def _specials(folded: Folded, *, has_sites: bool) -> Iterator[_Segment]:
    lower = folded.lower
    seen = 0
    # only chunks with a sign in them are worth the slow pattern, and only those that end like a site the slower one
    for chunk in lower.split():
        is_site = has_sites and "." in chunk and _SITE_END.search(chunk) is not None
        if is_site or _has_sign(chunk):
            start = lower.index(chunk, seen)
            seen = start + len(chunk)
            for special in (_SPECIAL_OR_SITE if is_site else _SPECIAL).finditer(lower, start, seen):
                kind = _kind_of_special(special, folded) if is_site else special.lastgroup or "words"
                if kind is not None:
                    yield kind, *special.span()


def _has_sign(text: str) -> bool:
    """Return whether a text may hold a link, a mention or a tag."""
    return "/" in text or "@" in text or "#" in text or "www." in text


def _kind_of_special(special: re.Match[str], folded: Folded) -> str | None:
    """Return the kind of a segment that ends like a site; None if it is no site, as in capitals."""
    kind = special.lastgroup or "words"
    if not special["top"]:
        return kind
    if not folded.shape[special.start("top") : special.end("top")].islower():
        return None
    return kind if special["page"] else "site"


def _tokens(folded: Folded, segments: list[_Segment]) -> Iterator[list[str]]:
    """Yield the tokens of each segment."""
    lower = folded.lower
    for kind, start, end in segments:
        if kind == "words":
            yield _WORD.findall(lower, start, end)
        elif kind == "mention":
            yield [mention_token(lower[start + 1 : end])]
        elif kind in {"link", "site"}:
            yield [site_token(lower[slice(*span)]) for span in _sites(lower, start, end)]
        elif kind == "tag":
            yield [token for token, _, _ in _tag(folded, start, end)]
        else:
            yield []


def _locate(folded: Folded, segments: list[_Segment]) -> list[tuple[int, int]]:
    """Return the spans in the folded text, in the order of the tokens."""
    spans: list[tuple[int, int]] = []
    for kind, start, end in segments:
        if kind == "words":
            spans += [word.span() for word in _WORD.finditer(folded.lower, start, end)]
        elif kind == "mention":
            spans.append((start, end))
        elif kind in {"link", "site"}:
            spans += _sites(folded.lower, start, end)
        elif kind == "tag":
            spans += [span for _, span, _ in _tag(folded, start, end)]
    return spans


def _sites(lower: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return the spans of a site's name and of all it belongs to: news.rbc.ru, then rbc.ru; of a link, by its host."""
    found = _HOST.match(lower, start, end)
    if found is None or found["top"] not in SITE_ENDS:
        return []
    host, last = found.span("host")
    starts = [host, *(host + place + 1 for place, sign in enumerate(found["host"]) if sign == ".")]
    return [(first, last) for first in starts[:-1]]


def _tag(folded: Folded, start: int, end: int) -> list[tuple[str, tuple[int, int], int]]:
    """Return a tag as itself, then its words, and a word of several humps also as a whole: (token, span, step)."""
    parts = [(tag_token(folded.lower[start + 1 : end]), (start, end), 0)]
    step = 0
    for piece in _PIECE.finditer(folded.lower, start + 1, end):
        first, last = piece.span()
        cuts = [first, *(first + hump.start() for hump in _HUMP.finditer(folded.shape[first:last])), last]
        if cuts[1] != last:
            parts.append((piece[0], (first, last), step))
        for left, right in itertools.pairwise(cuts):
            parts.append((folded.lower[left:right], (left, right), step))
            step += 1
    return parts
