"""A typed query as lexemes, with the quotes and dashes of phone keyboards."""

import re
from collections.abc import Callable
from typing import NamedTuple

from bot.matching.engine.regex import MOST_IN_QUERY, RefusedRegexError, program
from bot.matching.query.refusals import QueryError
from bot.matching.query.tree import Mention, Node, Pattern, Phrase, Prefix, Tag, Word
from bot.matching.words.folding import INVISIBLE, fold
from bot.matching.words.tokens import SITE, SITE_NAME, plain_words, words_with_capitals
from bot.matching.words.windows import Unit

SHORTEST_PREFIX = 3
LONGEST_DISTANCE = 99
LONGEST_REGEX = 500
LONGEST_PHRASE = 50

_QUOTES = '"«»“”„‟'
_CLOSING = '"»“”‟'
_SINGLE = "'‘’‚‛‹›`"  # quotes too, except where they join letters
_LETTERS = r"[^\W\d_]{2}"  # a slash between words is a sign, the one of «и/или» or «км/ч» is not
_REGEX = r"(?i:re):[ ]*/(?P<pattern>(?:[^\\/\n]|\\[^\n])*)(?:(?P<slash>/)(?P<flags>\w*))?"
_FILTERS = "in|в|у|since|с|з|until|до|history|история|історія|order|порядок"
# What holds a part together, in the languages of the people who type it.
_UNITS = {
    "head": Unit.HEAD,
    "начало": Unit.HEAD,
    "початок": Unit.HEAD,
    "sentence": Unit.SENTENCE,
    "предложение": Unit.SENTENCE,
    "речення": Unit.SENTENCE,
}
_PIECE = re.compile(
    rf"""(?P<line>[\r\n]+)|(?P<space>[\s{INVISIBLE}]+)
    |(?P<regex>{_REGEX})
    |(?P<slashless_regex>(?i:re):|(?i:re)[ ]+:?[ ]*/(?=[^\s/\d])[^\n/]*/)
    |(?P<unit>(?i:{"|".join(_UNITS)}):[ ]?(?=\S))
    |(?P<filter>(?i:{_FILTERS}):(?=\S|[ ]@))
    |(?P<link>(?i:[a-z][a-z0-9+.-]{{1,15}}://|www\.|[a-z0-9-]{{1,63}}(?:\.[a-z0-9-]{{1,63}}){{0,8}}\.[a-z]{{2,24}}/)\S*
        |[\w.+-]{{1,64}}@[\w-]{{1,63}}\.\w\S*|{SITE_NAME}(?::\d|[/?\#]\S)\S*)
    |(?P<quote>(?:«(?P<nested>(?:[^«»\r\n]|«[^«»\r\n]*»)*)»
        |[{_QUOTES}](?P<inside>[^{_QUOTES}\r\n]*)(?P<closing>[{_CLOSING}]?)
        |(?<!\w)[{_SINGLE}](?P<single>(?:[^{_SINGLE}{_QUOTES}\r\n]|(?<=\w)['’](?=\w))+)[{_SINGLE}](?!\w)
        )(?:~(?P<gap>\d*(?:\.\d+)?))?)
    |(?P<near>(?:~[^\S\r\n]*|/(?=\d)|(?i:near)[/~])(?P<distance>\d*(?:\.\d+)?))
    |(?P<target>[#@](?P<name>\w*))
    |(?P<minus>[-−–—‐‑﹣➖]{{1,2}}\ufe0f?)
    |(?P<sign>[(),;/]|\|+|&+)
    |(?P<word>=?[^\W_](?:[^\s{_QUOTES}()|~,;*/+]|(?<=\d),(?=\d)
        |(?<!{_LETTERS})/(?=\S)|/(?!{_LETTERS}|\d|\s+\S)|\+(?![^\W\d_]))*)(?P<star>\*?)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_SIGNS = {"(": "open", ")": "close", "|": "or", "/": "or", "&": "and", ",": "comma", ";": "comma"}
_OPERATORS = {
    **dict.fromkeys(("AND", "И", "І", "ТА"), "and"),
    **dict.fromkeys(("OR", "ИЛИ", "АБО"), "or"),
    **dict.fromkeys(("NOT", "НЕ"), "not"),
}
_FOREIGN_OPERATOR = re.compile("XOR|NOR|NAND|ANDNOT|WITHIN")
_NEAR = re.compile(r"O?NEAR\d*")
_RUN = re.compile(r"[^\s(),;|&~/-][^\s(),;|&~/]*")
_SITE = re.compile(rf"(?<![^\W_]){SITE}")
_ONE_LETTER = re.compile(r"(?<=\w)\?(?=\w)")
# Signs that look like operators; all others, and emoji, are passed over.
_MEANINGFUL = set("=*<>[]{}^\\")
_IN_PHRASE = re.compile(rf"[^\s{INVISIBLE}]+")
# The rest of a quote on the next lines, up to a sign that touches the last word of it.
_CLOSED_LATER = re.compile(rf"[\r\n][^{_QUOTES}]*(?<=[^\s{_QUOTES}])[{_CLOSING}](?!\w)")
_SIGN_IN_PHRASE = re.compile(r"[|()~]")
_KEYCAP = re.compile("[0-9#*]\ufe0f?\u20e3")
# Before each line of a pasted list: dashes, which elsewhere would exclude, stars and numbers.
_BULLET = re.compile(r"^[^\S\r\n]*(?:[-–—*+]|\d{1,3}[.)])[^\S\r\n]+")
_LINE = re.compile(r"[^\r\n]+")
_WIDE = str.maketrans(
    "".join(map(chr, range(0xFF01, 0xFF5F))) + "、。「」『』", "".join(map(chr, range(0x21, 0x7F))) + ',.""""'
)


class Lexeme(NamedTuple):
    """One sign or part of a query."""

    kind: str  # "part", "near", "not", "and", "unit", "end", or a value of _SIGNS
    position: int  # in the source, from 1
    text: str  # as typed
    node: Node | None = None  # what a part means
    distance: int = 0  # of a near
    unit: Unit | None = None

    @property
    def end(self) -> int:
        """The character of the source after it, from 0."""
        return self.position - 1 + len(self.text)


def lex(source: str) -> list[Lexeme]:
    """Split a query; raises QueryError. A line break is a comma, except beside a sign that wants more."""
    source = _plain(source)
    operators = _has_operators(source)
    lexemes: list[Lexeme] = []
    sizes: dict[str, int] = {}  # of the expressions
    for piece in _PIECE.finditer(source):
        lexeme = None if _is_hyphen(piece, lexemes) else _lexeme(piece, operators=operators)
        if lexeme is None:
            continue
        if isinstance(lexeme.node, Pattern):
            sizes[lexeme.node.source] = program(lexeme.node.source).weight
            if sum(sizes.values()) > MOST_IN_QUERY:
                raise QueryError("regexes_too_large", lexeme.position)
        if lexeme.kind in {"or", "near", "and", "close"} and lexemes and lexemes[-1].kind == "line":
            lexemes.pop()
        if lexeme.kind == "line" and lexemes and lexemes[-1].kind in {"or", "near", "and", "not", "open", "line"}:
            continue
        lexemes.append(lexeme)
    return lexemes


def _has_operators(source: str) -> bool:
    """Tell whether word operators count: they do not in a query all in capitals, unless signs mark all its words."""
    rest = re.sub(_REGEX, " ", source)
    if any(c.islower() for c in rest):
        return True
    runs = [run for run in _RUN.findall(rest) if run not in _OPERATORS and not run.isdigit()]
    return all(run[0] in "=#@" for run in runs) and bool(runs or rest != source)


def _is_hyphen(piece: re.Match[str], before: list[Lexeme]) -> bool:
    """Tell whether a minus touches what stands before it, as in #covid-19: there it excludes nothing."""
    touched = before[-1] if piece.lastgroup == "minus" and before else None
    return touched is not None and touched.kind in {"part", "close"} and touched.end == piece.start()


def _lexeme(piece: re.Match[str], *, operators: bool) -> Lexeme | None:
    position, text = piece.start() + 1, piece[0]
    match piece.lastgroup:
        case "star":
            return _word(piece, position, operators=operators)
        case "regex" | "quote" | "target" as name:
            return Lexeme(kind="part", position=position, text=text, node=_PARSERS[name](piece, position))
        case "near":
            return Lexeme(kind="near", position=position, text=text, distance=_number(piece["distance"], position))
        case "minus":
            if not _next(piece).strip():
                raise QueryError("loose_minus", position)
            return Lexeme(kind="not", position=position, text=text)
        case "sign" | "line" | "unit" as name:
            unit = _UNITS.get(text.strip().rstrip(":").lower())
            return Lexeme(kind=_SIGNS.get(text[0], name), position=position, text=text, unit=unit)
        case "link" | "slashless_regex" as code:
            raise QueryError(code, position)
        case "filter":
            raise QueryError("filter", position, sign=text)
        case "other":
            _pass_over(piece, position)
    return None


def _plain(source: str) -> str:
    """Return a query of the same length without fullwidth signs, keycaps and what stands before the lines of a list."""
    if "re:" not in source.lower():  # in an expression they mean themselves
        source = source.translate(_WIDE)
    source = _KEYCAP.sub(_blank, source)
    lines = [line for line in _LINE.findall(source) if line.strip()]
    marks = [_BULLET.match(line) for line in lines]
    if not all(marks) or (len(lines) == 1 and not lines[0].strip()[0].isdigit()):
        return source  # one line with a dash may be meant as an exclusion
    return _LINE.sub(lambda line: _BULLET.sub(_blank, line[0], count=1), source)


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _next(piece: re.Match[str]) -> str:
    """Return the character after a piece; empty at the end."""
    return piece.string[piece.end() : piece.end() + 1]


def _word(piece: re.Match[str], position: int, *, operators: bool) -> Lexeme:
    typed = piece["word"]
    if operators and typed.isupper() and not piece["star"]:
        if typed in _OPERATORS:
            return Lexeme(kind=_OPERATORS[typed], position=position, text=typed)
        if _NEAR.fullmatch(typed):
            raise QueryError("missing_distance", position, limit=LONGEST_DISTANCE)
        if _FOREIGN_OPERATOR.fullmatch(typed):
            raise QueryError("unknown_operator", position, sign=typed)
    one_letter = _ONE_LETTER.search(typed)
    if one_letter:
        raise QueryError("question_mark", position + one_letter.start())
    if piece["star"] and (_next(piece).isalnum() or _next(piece) in set("_#@=*")):
        raise QueryError("misplaced_star", position + len(typed))
    items = _words(piece[0], position)
    if len(items) > LONGEST_PHRASE:
        raise QueryError("long_phrase", position, limit=LONGEST_PHRASE)
    node: Node = items[0] if len(items) == 1 else Phrase(tuple(items))
    return Lexeme(kind="part", position=position, text=piece[0], node=node)


def _words(typed: str, position: int) -> list[Word | Prefix]:
    """Read one run of letters; a hyphen, dot or slash in it separates words that must stand together."""
    site = _SITE.search(typed)
    if site and site["page"]:
        raise QueryError("link", position + site.start())
    exact = typed.startswith("=")
    words = words_with_capitals(typed) if exact else plain_words(typed)
    if not words:
        raise QueryError("unknown_sign", position, sign=typed[:1])
    items: list[Word | Prefix] = [Word(word, exact) for word in words]
    if typed.endswith("*"):
        if exact:
            raise QueryError("misplaced_star", position + len(typed) - 1)
        letters = words[-1]
        if len(letters) < SHORTEST_PREFIX:
            raise QueryError("short_prefix", position, limit=SHORTEST_PREFIX)
        items[-1] = Prefix(letters)
    return items


def _phrase(piece: re.Match[str], position: int) -> Phrase:
    name = next(name for name in ("nested", "inside", "single") if piece[name] is not None)
    if name == "inside" and not piece["closing"]:
        raise _unpaired_quote(piece, position)
    offset = piece.start(name) + 1
    sign = _SIGN_IN_PHRASE.search(piece[name])
    if sign:
        raise QueryError("sign_in_quotes", offset + sign.start(), sign=sign[0])
    items: list[Word | Prefix] = []
    for run in _IN_PHRASE.finditer(piece[name]):
        # punctuation of a pasted sentence does not matter
        if plain_words(run[0]):
            items += _words(run[0], offset + run.start())
    if not items:
        raise QueryError("empty_quote", position)
    if len(items) > LONGEST_PHRASE:
        raise QueryError("long_phrase", position, limit=LONGEST_PHRASE)
    gap = 0 if piece["gap"] in {None, "0"} else _number(piece["gap"], piece.start("gap"))
    return Phrase(tuple(items), gap if len(items) > 1 else 0)


def _unpaired_quote(piece: re.Match[str], position: int) -> QueryError:
    if piece[0][0] in "»”":
        return QueryError("unopened_quote", position)
    is_closed_later = _CLOSED_LATER.match(piece.string, piece.end())
    return QueryError("quote_over_lines" if is_closed_later else "unclosed_quote", position)


def _number(digits: str, position: int) -> int:
    counting = digits.lstrip("0")
    if not re.fullmatch("[0-9]+", digits) or not 0 < int(counting[:4] or 0) <= LONGEST_DISTANCE:
        raise QueryError("missing_distance", position, limit=LONGEST_DISTANCE)
    return int(counting)


def _target(piece: re.Match[str], position: int) -> Tag | Mention:
    name = fold(piece["name"]).lower
    if not re.fullmatch(r"\w+", name):
        raise QueryError("lone_sign", position, sign=piece[0][0])
    return Tag(name) if piece[0][0] == "#" else Mention(name)


def _regex(piece: re.Match[str], position: int) -> Pattern:
    if not piece["slash"]:
        raise QueryError("unclosed_regex", position)
    source, flags = piece["pattern"], set(piece["flags"])
    # the flags `gium` change nothing here; but `m` changes what ^ and $ mean
    if flags - set("gium") or ("m" in flags and re.search(r"[$^]", source)) or _next(piece) == "/":
        raise QueryError("glued_regex", piece.end("slash") + 1)
    if len(source) > LONGEST_REGEX:
        raise QueryError("regex_too_large", position)
    try:
        boundless = program(source).matches_nothing()
    except RefusedRegexError as error:
        place = position if error.place is None else piece.start("pattern") + 1 + error.place
        raise QueryError(error.code, place, **error.arguments) from error
    if boundless:
        raise QueryError("boundless_regex", position)
    return Pattern(source)


_PARSERS: dict[str, Callable[[re.Match[str], int], Node]] = {"regex": _regex, "quote": _phrase, "target": _target}


def _pass_over(piece: re.Match[str], position: int) -> None:
    """Accept a sign without a meaning; raises QueryError for one that seems to have one."""
    sign = piece[0]
    before_word = _next(piece).isalnum()
    if sign == "*":
        raise QueryError("misplaced_star", position)
    if sign == "=":
        is_quote = _next(piece) in (*_QUOTES, *_SINGLE)
        raise QueryError("exact_phrase" if is_quote else "lone_sign", position, sign="=")
    if sign in _SINGLE and before_word:
        raise QueryError("unclosed_quote", position)
    if sign in _MEANINGFUL or (sign == "!" and before_word):
        raise QueryError("unknown_sign", position, sign=sign)
