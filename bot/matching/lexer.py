"""A typed query as signs and parts: source text comes in, lexemes go out, phone quotes and dashes understood."""

import re
from dataclasses import dataclass

from bot.matching.folding import INVISIBLE, fold
from bot.matching.refusals import QueryError
from bot.matching.regex import RefusedRegexError, program
from bot.matching.text import plain_words
from bot.matching.tree import Mention, Node, Pattern, Phrase, Prefix, Tag, Word

SHORTEST_PREFIX = 3
LONGEST_DISTANCE = 99
LONGEST_REGEX = 500

_QUOTES = '"«»“”„‟'
_PIECE = re.compile(
    rf"""(?P<line>[\r\n]+)|(?P<space>[\s{INVISIBLE}]+)
    |(?P<regex>re:/(?P<pattern>(?:[^\\/\n]|\\[^\n])*)(?P<slash>/?))
    |(?P<quote>[{_QUOTES}](?P<inside>[^{_QUOTES}]*)(?P<closing>[{_QUOTES}]?)(?:~(?P<gap>\d*))?)
    |(?P<near>(?:~|/|NEAR[/~])(?P<distance>\d*))
    |(?P<target>[#@](?P<name>\w*))
    |(?P<minus>[-−–—‐‑]{{1,2}})
    |(?P<sign>[()|,;])
    |(?P<word>=?[^\W_][^\s{_QUOTES}()|~,;*]*)(?P<star>\*?)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_SIGNS = {"(": "open", ")": "close", "|": "or", ",": "comma", ";": "comma"}
_OPERATORS = {"И": "and", "AND": "and", "ИЛИ": "or", "OR": "or", "НЕ": "not", "NOT": "not"}
_IN_PHRASE = re.compile(rf"[^\s{INVISIBLE}]+")
_SIGN_IN_PHRASE = re.compile(r"[|()~]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexeme:
    """One sign or part of a query."""

    kind: str  # "part", "near", "not", "and", or a value of _SIGNS
    position: int  # in the source, from 1
    text: str  # as typed
    node: Node | None = None  # what a part means
    joins: bool = False  # a plain word, which a particle before it takes into a phrase
    distance: int = 0  # of a near


def lex(source: str) -> list[Lexeme]:
    """Split a query; raises QueryError. A line break is a comma, except beside a sign that wants more."""
    # capitals alone are a way of writing, not operators
    operators = any(c.islower() for c in re.sub(r"re:/\S*", "", source))
    lexemes: list[Lexeme] = []
    for piece in _PIECE.finditer(source):
        lexeme = _lexeme(piece, operators=operators)
        if lexeme is None:
            continue
        if lexeme.kind in {"or", "near", "and", "close"} and lexemes and lexemes[-1].kind == "line":
            lexemes.pop()
        if lexeme.kind == "line" and lexemes and lexemes[-1].kind in {"or", "near", "and", "not", "open", "line"}:
            continue
        lexemes.append(lexeme)
    return lexemes


def _lexeme(piece: re.Match[str], *, operators: bool) -> Lexeme | None:
    position = piece.start() + 1
    kind, distance = "part", 0
    node: Node | None = None
    match piece.lastgroup:
        case "space":
            return None
        case "star":
            return _word(piece, position, operators=operators)
        case "regex":
            node = _regex(piece, position)
        case "quote":
            node = _phrase(piece, position)
        case "target":
            node = _target(piece, position)
        case "near":
            kind, distance = "near", _number(piece["distance"], position)
        case "minus":
            kind = _minus(piece, position)
        case "sign":
            kind = _SIGNS[piece[0]]
        case "line":
            kind = "line"
        case _:
            raise _unknown(piece, position)
    return Lexeme(kind=kind, position=position, text=piece[0], node=node, distance=distance)


def _word(piece: re.Match[str], position: int, *, operators: bool) -> Lexeme:
    typed = piece["word"]
    if operators and not piece["star"] and typed in _OPERATORS:
        return Lexeme(kind=_OPERATORS[typed], position=position, text=typed)
    after = piece.string[piece.end() : piece.end() + 1]
    if piece["star"] and (after.isalnum() or after in set("_#@=*")):
        raise QueryError("misplaced_star", position + len(typed))
    items = _words(piece[0], position)
    node: Node = items[0] if len(items) == 1 else Phrase(tuple(items))
    return Lexeme(kind="part", position=position, text=piece[0], node=node, joins=True)


def _words(typed: str, position: int) -> list[Word | Prefix]:
    """Read one run of letters; a hyphen, dot or slash inside it separates words that must stand together."""
    exact = typed.startswith("=")
    star = typed.endswith("*")
    found = plain_words(typed)
    if not found:
        raise QueryError("unknown_sign", position, sign=typed[:1])
    items: list[Word | Prefix] = [Word(shape, exact=True) if exact else Word(token) for token, shape in found]
    if star:
        if exact:
            raise QueryError("misplaced_star", position + len(typed) - 1)
        items[-1] = _prefix(found[-1][0], position)
    return items


def _prefix(letters: str, position: int) -> Prefix:
    if len(letters) < SHORTEST_PREFIX:
        raise QueryError("short_prefix", position, limit=SHORTEST_PREFIX)
    return Prefix(letters)


def _phrase(piece: re.Match[str], position: int) -> Phrase:
    if not piece["closing"]:
        raise QueryError("unclosed_quote", position)
    offset = piece.start("inside") + 1
    sign = _SIGN_IN_PHRASE.search(piece["inside"])
    if sign:
        raise QueryError("sign_in_quotes", offset + sign.start(), sign=sign[0])
    items: list[Word | Prefix] = []
    for run in _IN_PHRASE.finditer(piece["inside"]):
        # punctuation of a pasted sentence does not matter
        if plain_words(run[0]):
            items += _words(run[0], offset + run.start())
    if not items:
        raise QueryError("empty_quote", position)
    gap = 0 if piece["gap"] is None else _number(piece["gap"], position)
    return Phrase(tuple(items), gap if len(items) > 1 else 0)


def _number(digits: str, position: int) -> int:
    counting = digits.lstrip("0")
    if not digits.isascii() or not 0 < int(counting[:4] or 0) <= LONGEST_DISTANCE:
        raise QueryError("missing_distance", position, limit=LONGEST_DISTANCE)
    return int(counting)


def _target(piece: re.Match[str], position: int) -> Tag | Mention:
    name = fold(piece["name"]).lower
    if not re.fullmatch(r"\w+", name):
        raise QueryError("lone_sign", position, sign=piece[0][0])
    return Tag(name) if piece[0][0] == "#" else Mention(name)


def _minus(piece: re.Match[str], position: int) -> str:
    after = piece.string[piece.end() : piece.end() + 1]
    if not after or after.isspace():
        raise QueryError("loose_minus", position)
    return "not"


def _regex(piece: re.Match[str], position: int) -> Pattern:
    if not piece["slash"]:
        raise QueryError("unclosed_regex", position)
    source = piece["pattern"]
    if len(source) > LONGEST_REGEX:
        raise QueryError("refused_regex", position, reason=f"longer than {LONGEST_REGEX}")
    try:
        boundless = program(source).matches_nothing()
    except RefusedRegexError as error:
        raise QueryError("refused_regex", position, reason=str(error)) from error
    if boundless:
        raise QueryError("boundless_regex", position)
    return Pattern(source)


def _unknown(piece: re.Match[str], position: int) -> QueryError:
    if piece[0] == "*":
        return QueryError("misplaced_star", position)
    if piece[0] == "=":
        return QueryError("lone_sign", position, sign="=")
    return QueryError("unknown_sign", position, sign=piece[0])
