r"""Regular expressions that cannot hang: RE2 programs with Unicode `\w \d \s \b`.

RE2 runs in linear time whatever the pattern is, but its `\w`, `\d`, `\s` and `\b` know ASCII only and it has no
look-around to say `\b` with. So classes are written out, and a pattern with `\b` runs on a text in which every word
boundary carries markers; each piece of the pattern that takes a character may pass those before it. There are two, so
that where one find ends at a boundary the next can begin at it.
"""

import re
from bisect import bisect_left
from collections import OrderedDict
from threading import Lock
from weakref import WeakValueDictionary

import re2

from bot.text.spans import Span

# A code point that Unicode guarantees never to be a character.
MARK = "\ufdd0"
_MARKS = MARK * 2
_FOREIGN = re.compile(f"[\ud800-\udfff{MARK}]")  # what RE2 cannot read, or must not meet
_BOUNDARY = re.compile(r"\b")
# The most spans one pattern may highlight in one post.
_MOST_SPANS = 50
# In instructions of RE2. `\w` is 1,300 of them, so `\w{1,30}` is a large pattern, and still fine.
_LARGEST = 50_000
# Weight of all expressions of one query: they take 40 ms to compile, while Python waits, and 10 MB.
MOST_IN_QUERY = 100_000
# Of all topics that people made in chats: they take a second at each start and 150 MB, or 10 ms a post.
MOST_IN_ALL = 2_000_000
# Of programs that stay compiled though no query holds them any more: somebody tries a query, then saves it.
_MOST_SPARE = 500_000

_WORD = r"\p{L}\p{N}_"
_SPACE = r"\s\p{Z}"
_OUTSIDE = {
    "w": f"[{_WORD}]",
    "W": f"[^{_WORD}{MARK}]",
    "d": r"\p{Nd}",
    "D": rf"[^\p{{Nd}}{MARK}]",
    "s": f"[{_SPACE}]",
    "S": f"[^{_SPACE}{MARK}]",
}
# Inside a class a complement has to be spelt out. Of \p{Pc} only the underscore is common, and it belongs to \w.
_INSIDE = {
    "w": _WORD,
    "W": r"\p{M}\p{Pd}\p{Ps}\p{Pe}\p{Pi}\p{Pf}\p{Po}\p{S}\p{Z}\p{C}",
    "d": r"\p{Nd}",
    "D": r"\P{Nd}",
    "s": _SPACE,
    "S": r"\p{L}\p{N}\p{M}\p{P}\p{S}\p{Cf}\p{Co}",
}
_PIECE = re.compile(
    r"(?P<escape>\\(?:[pP](?:\{[^}]*\}|.)|x\{[^}]*\}|x[0-9a-fA-F]{2}|[0-7]{1,3}|.))"
    r"|(?P<set>\[\^?\]?(?:\[:[^\]]*:\]|\\.|[^\]\\])*\])"
    r"|(?P<group>\((?:\?(?:P?<\w+>|[a-zA-Z-]*[:)]))?|\(\?)"
    r"|(?P<control>[)|^]|[*+?]\??|\{\d+(?:,\d*)?\}\??)"
    r"|(?P<end>\$)"
    r"|(?P<dot>\.)"
    r"|(?P<letter>.)",
    re.DOTALL,
)
# Characters that counted repetitions add to a pattern: in `(ab){1,30}` they are 58. Wherever a match may begin, RE2
# follows all of them at once, and where its automaton outgrows its memory, each character of a text costs as much. On
# real posts that is 1 ms a post at 500, 16 at most, and at 1,000 up to 290.
MOST_REPEATED = 500
_REPEAT = 150  # instructions that a post takes as long for as for a character repeated
# The beginning of RE2's message → the code of ours; the first that fits.
_REFUSALS = [
    *((f"invalid perl operator: (?{sign}", "regex_look_around") for sign in ("=", "!", "<=", "<!")),
    ("invalid perl operator: (?P", "regex_back_reference"),
    ("invalid perl operator", "regex_group"),
    *((f"invalid escape sequence: \\{sign}", "regex_back_reference") for sign in "123456789k"),
    ("invalid escape sequence", "regex_escape"),
    ("no argument for repetition operator", "regex_repetition"),
    ("bad repetition operator", "regex_repetition"),
    ("invalid repetition size", "regex_repeats"),
    ("missing )", "regex_bracket"),
    ("unexpected )", "regex_bracket"),
    ("missing ]", "regex_bracket"),
    ("invalid character class", "regex_class"),
    ("pattern too large", "regex_too_large"),
]
_SET_PIECE = re.compile(r"\\(.)", re.DOTALL)


class RefusedRegexError(ValueError):
    """An expression that RE2 cannot run."""

    def __init__(self, code: str, place: int | None = None, **arguments: str | int) -> None:
        super().__init__(code)
        self.code = code  # a key of `refusals.MESSAGES`
        self.place = place  # of the wrong character in the expression, from 0; None: the whole expression
        self.arguments = arguments  # of the message


class Program:
    """A compiled expression; raises RefusedRegexError."""

    def __init__(self, source: str) -> None:
        foreign = _FOREIGN.search(source)
        if foreign:
            raise RefusedRegexError("refused_regex", foreign.start())
        self.source = source
        self.marked = r"\b" in source
        self.rewritten = _rewrite(source, MARK + "*" if self.marked else "")
        repeats = _repeats(source)  # before RE2, which names the first repetition, and not the one that is too much
        try:
            self._compiled = re2.compile(self.rewritten, options())
        except re2.error as error:
            reason = error.args[0]
            raise _refusal(source, reason.decode() if isinstance(reason, bytes) else str(reason)) from error
        self.size: int = self._compiled.programsize
        if self.size > _LARGEST:
            raise RefusedRegexError("regex_too_large")
        self.weight = self.size + _REPEAT * repeats  # by which queries and topics are bounded

    def matches_nothing(self) -> bool:
        """Tell whether the empty text matches, and so every post."""
        return any(self._compiled.search(text) is not None for text in ("", _MARKS)[: 1 + self.marked])

    def spans(self, text: str) -> list[Span]:
        """Return the matches in a text, in Python characters, but for empty ones."""
        readable = legible(text)
        if not self.marked:
            return self._find(readable)
        marks = [boundary.start() for boundary in _BOUNDARY.finditer(readable)]
        # where each marker stands in the marked text: as much further right as there are markers before it
        places = [place + index for index, place in enumerate(mark for mark in marks for _ in _MARKS)]
        found = self._find(mark_boundaries(readable))
        spans = ((start - bisect_left(places, start), end - bisect_left(places, end)) for start, end in found)
        return [span for span in spans if span[0] < span[1]]

    def _find(self, text: str) -> list[Span]:
        spans: list[Span] = []
        for found in self._compiled.finditer(text):
            if found.start() < found.end():
                spans.append((found.start(), found.end()))
            if len(spans) == _MOST_SPANS:
                break
        return spans


def options(max_mem: int = 8 << 20) -> "re2.Options":
    """Return RE2's options: case ignored, nothing printed about refused patterns, memory capped (bytes)."""
    chosen = re2.Options()
    chosen.case_sensitive = False
    chosen.log_errors = False
    chosen.max_mem = max_mem
    return chosen


class _ProgramCache:
    """Programs in use, each compiled once, and the last ones used."""

    def __init__(self) -> None:
        self._held: WeakValueDictionary[str, Program] = WeakValueDictionary()
        self._spare: OrderedDict[str, Program] = OrderedDict()
        self._size = 0  # of the spare ones
        self._lock = Lock()  # queries are read in threads

    def program(self, source: str) -> Program:
        found = self._held.get(source) or Program(source)
        with self._lock:
            found = self._held.setdefault(source, found)
            if source not in self._spare:
                self._size += found.size
            self._spare[source] = found
            self._spare.move_to_end(source)
            while self._size > _MOST_SPARE:
                self._size -= self._spare.popitem(last=False)[1].size
        return found


_CACHE = _ProgramCache()


def program(source: str) -> Program:
    """Return the program of an expression, compiled once while somebody holds it; raises RefusedRegexError."""
    return _CACHE.program(source)


def legible(text: str) -> str:
    """Return a text that RE2 can read, of the same length."""
    return _FOREIGN.sub("\ufffd", text)


def mark_boundaries(text: str) -> str:
    """Return a text with markers at each word boundary."""
    return _BOUNDARY.sub(_MARKS, text)


def _rewrite(source: str, skip: str) -> str:
    """Write out Unicode classes; `skip` is what may precede each character taken."""
    dot = f"[^{MARK}]" if re.search(r"\(\?[a-zA-Z]*s", source) else f"[^\n{MARK}]"
    pieces: list[str] = []
    for piece in _PIECE.finditer(source):
        match piece.lastgroup:
            case "escape":
                pieces.append(_escape(piece, skip))
            case "set":
                letters = _SET_PIECE.sub(lambda escape: _INSIDE.get(escape[1], escape[0]), piece[0])
                if skip and letters.startswith("[^"):
                    letters = f"[^{MARK}{letters[2:]}"
                pieces.append(f"(?:{skip}{letters})")
            case "letter":
                pieces.append(f"(?:{skip}{piece[0]})" if skip else piece[0])
            case "dot":
                pieces.append(f"(?:{skip}{dot})" if skip else ".")
            case "end":
                pieces.append(skip + "$")
            case _:
                pieces.append(piece[0])
    return "".join(pieces)


def _repeats(source: str) -> int:
    """Return how many characters counted repetitions add to a pattern; one inside another multiplies.

    Raises RefusedRegexError where they are too many.
    """
    groups, last, added = [0], 0, 0  # characters in each open group, and in the last piece; those added in all
    for piece in _PIECE.finditer(source):
        counts = re.findall(r"\d+", piece[0]) if piece[0].startswith("{") else []
        if counts and piece.lastgroup == "control":
            more = last * (max(map(int, counts)) - 1)
            groups[-1], last, added = groups[-1] + more, last + more, added + more
            if added > MOST_REPEATED:
                raise RefusedRegexError("regex_repeats_much", piece.start(), sign=piece[0], limit=MOST_REPEATED)
        elif piece.lastgroup == "group":
            groups.append(0)
        elif piece[0] == ")" and len(groups) > 1:
            last = groups.pop()
            groups[-1] += last
        elif piece.lastgroup in {"escape", "set", "dot", "letter"}:
            last = 1
            groups[-1] += last
    return added


def _escape(found: re.Match[str], skip: str) -> str:
    piece = found[0]
    name = piece[1]
    if name == "b":
        return f"(?:{MARK})"
    if name in "BCQE":  # not expressible here; bytes; quoting, which would hide the rest from this rewriting
        raise RefusedRegexError("regex_escape", found.start(), sign=piece)
    if name in "Az":
        return piece if name == "A" else skip + piece
    return f"(?:{skip}{_OUTSIDE.get(name, piece)})"


def _refusal(source: str, reason: str) -> RefusedRegexError:
    """Return the error for a reason that RE2 gives."""
    kind, _, sign = reason.partition(": ")
    if sign == "(?P":
        sign = "(?P="
    code = next((code for begun, code in _REFUSALS if reason.startswith(begun)), "refused_regex")
    if code == "regex_bracket":
        return RefusedRegexError(code, _lonely_bracket(source))
    if kind == "no argument for repetition operator":
        found = re.search(r"(?:^|[(|])" + re.escape(sign), source)
        return RefusedRegexError(code, found.end() - len(sign) if found else None, sign=sign)
    return RefusedRegexError(code, source.find(sign) if sign and sign in source else None, sign=sign)


def _lonely_bracket(source: str) -> int:
    """Return the place of a bracket without its partner."""
    opened: list[int] = []
    for piece in _PIECE.finditer(source):
        if piece.lastgroup == "group":
            opened.append(piece.start())
        elif piece[0] == "[" or (piece[0] == ")" and not opened):
            return piece.start()
        elif piece[0] == ")":
            opened.pop()
    return opened[0] if opened else 0
