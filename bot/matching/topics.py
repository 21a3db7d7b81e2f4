"""Topics in TOML files, as `bot/topics/README.md` describes them; errors name the file and the line."""

import re
import tomllib
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeAlias

from bot.errors import SettingsError
from bot.matching.engine.compiled import Compiled, verify
from bot.matching.query.parser import parse
from bot.matching.query.refusals import MESSAGES, QueryError
from bot.matching.word_lists import NAME, UnknownListError, expand
from bot.matching.words.tokens import analyse

_SUFFIX = ".toml"
# With their defaults.
_KEYS: dict[str, object] = {"query": None, "in": [], "default": False, "lists": {}, "matches": [], "rejects": []}
_SHARED = f"lists{_SUFFIX}"  # beside the topics: lists for all of them
_NAME = re.compile(r"(?![/@])[^:\n]{1,64}")  # as in the chat
_WHERE = re.compile(r"\(at line (\d+), column \d+\)")
_OPENING = r"\"{3}\n?|'{3}\n?|\"|'"
# One character as TOML writes it; a backslash at the end of a line swallows the blanks after it.
_SIGN = re.compile(r"(?P<nothing>\\[ \t]*\n\s*)|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}|\\.|[^\\]")
_LARGEST = 1 << 20  # bytes
_SHOWN = 40  # characters of an example in an error
Check: TypeAlias = Callable[[str], object]  # of a query; raises QueryError


class TopicError(SettingsError):
    """A topic file that cannot be used; the message names the file and the line."""

    def __init__(self, name: str, line: int, reason: str) -> None:
        super().__init__(f"{name}{_SUFFIX}, line {line}: {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicFile:
    """A topic as its file defines it, with examples of what it matches."""

    name: str  # of the file, without the suffix
    query: str  # with its lists written out
    limits: tuple[str, ...]  # names of the channels and channel groups that it is limited to; none: all
    default: bool  # whether pairing subscribes the owner to it
    matches: tuple[str, ...]  # texts that must match
    rejects: tuple[str, ...]  # texts that must not
    source: str  # the whole file


@cache
def builtin_topics() -> tuple[TopicFile, ...]:
    """Return the built-in topics, sorted by name. Their queries are not tried, which takes 0.3 s: tests do that."""
    return _read_folder(resources.files("bot.topics"), builtin_lists(), _trusted)


def builtin_names() -> tuple[str, ...]:
    """Return the names of the built-in topics, without reading them."""
    return tuple(sorted(_name_of(file) for file in resources.files("bot.topics").iterdir() if _is_topic(file)))


@cache
def builtin_lists() -> Mapping[str, str]:
    """Return the word lists that every topic file may name."""
    return _shared_lists(resources.files("bot.topics"), {}, _trusted)


def _trusted(query: str) -> None:
    """Do not try a query: it is ours."""


def _shared_lists(folder: Traversable, shared: Mapping[str, str], check: Check = parse) -> Mapping[str, str]:
    file = folder / _SHARED
    if not file.is_file():
        return shared
    name = _name_of(file)
    content = _content(name, file)
    return _lists(name, content, _values(name, content), shared, check)


def read_folder(folder: Traversable) -> tuple[TopicFile, ...]:
    """Return the topics of the `NAME.toml` files of a folder, by name; () without the folder. Raises TopicError."""
    return _read_folder(folder, _shared_lists(folder, builtin_lists()), parse) if folder.is_dir() else ()


def _read_folder(folder: Traversable, lists: Mapping[str, str], check: Check) -> tuple[TopicFile, ...]:
    found: dict[str, TopicFile] = {}
    files = [(_name_of(file), file) for file in folder.iterdir() if _is_topic(file)]
    for name, file in sorted(files, key=itemgetter(0)):
        if name.casefold() in found:
            raise TopicError(name, 1, "another file has this name in other letters; names are one whatever their case")
        found[name.casefold()] = read_topic(name, _content(name, file), lists, check)
    return tuple(found.values())


def _is_topic(file: Traversable) -> bool:
    """Tell whether a file holds a topic; a dot begins hidden files, such as macOS puts beside copies."""
    name = file.name.lower()
    return name.endswith(_SUFFIX) and name != _SHARED and not name.startswith(".")


def _name_of(file: Traversable) -> str:
    """Return the name of a topic as the chat writes it: macOS takes й apart, and spaces are easily doubled."""
    return " ".join(unicodedata.normalize("NFC", file.name[: -len(_SUFFIX)]).split())


def read_topic(name: str, content: str, shared: Mapping[str, str] | None = None, check: Check = parse) -> TopicFile:
    """Read one topic file, which may name its own lists and shared ones; raises TopicError."""
    if not _NAME.fullmatch(name):
        raise TopicError(name, 1, "name the file as the topic: up to 64 characters, no colon, no / or @ in front")
    values = _values(name, content)

    def wrong(key: str, reason: str) -> TopicError:
        return TopicError(name, _line(content, key) if key in values else 1, reason)

    unknown = next((key for key in values if key not in _KEYS), None)
    if unknown is not None:
        raise wrong(unknown, f"unknown key {unknown}; there are {', '.join(sorted(_KEYS))}")
    query, limits, default, _, matches, rejects = (values.get(key, empty) for key, empty in _KEYS.items())
    queries = query if isinstance(query, dict) else {"query": query}
    if not queries or not all(isinstance(text, str) for text in queries.values()):
        raise wrong("query", "query must be a text in quotes, or several with a name each")
    if not isinstance(default, bool):
        raise wrong("default", "default must be true or false")
    for key, texts in (("in", limits), ("matches", matches), ("rejects", rejects)):
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise wrong(key, f"{key} must be a list of texts in quotes")
    lists = _lists(name, content, values, shared or {}, check)
    whole = "\n".join(_expanded(name, content, key, text, lists, check=check) for key, text in queries.items())
    return TopicFile(
        name=name,
        query=whole,
        limits=tuple(limits),
        default=default,
        matches=tuple(matches),
        rejects=tuple(rejects),
        source=content,
    )


def _lists(
    name: str, content: str, values: Mapping[str, Any], shared: Mapping[str, str], check: Check
) -> dict[str, str]:
    """Return the lists of a file and the shared ones; raises TopicError for one that is none."""
    lists = values.get("lists", {})
    if not isinstance(lists, dict):
        raise TopicError(
            name, _line(content, "lists"), "lists must be a table: [lists], and below it a name and a text"
        )
    for key, text in lists.items():
        if not NAME.fullmatch(key) or not isinstance(text, str):
            raise TopicError(name, _line(content, key), "a list has a name of letters and a text in quotes")
    known = {**shared, **lists}
    for key, text in lists.items():
        _expanded(name, content, key, text, known, check=check)
    return known


def _values(name: str, content: str) -> dict[str, Any]:
    try:
        return tomllib.loads(content)
    except RecursionError:
        raise TopicError(name, 1, "it is nested too deeply") from None
    except tomllib.TOMLDecodeError as error:
        where = _WHERE.search(str(error))
        last = content.count("\n") + 1
        raise TopicError(name, int(where[1]) if where else last, _WHERE.sub("", str(error)).strip()) from error


def _expanded(  # noqa: PLR0913 - a text, what it may name, and where it stands
    name: str, content: str, key: str, query: str, lists: Mapping[str, str], *, check: Check
) -> str:
    """Return a query with its lists written out; raises TopicError where it cannot be read."""
    try:
        expanded = expand(query, lists)
    except UnknownListError as error:
        line, _ = _place(content, key, error.offset)
        raise TopicError(name, line, f"there is no list ${error.name}, or it holds itself") from None
    try:
        check(expanded.text)
    except QueryError as error:
        line, place = _place(content, key, expanded.typed_offset(error.position - 1))
        raise TopicError(name, line, MESSAGES[error.code].format(position=place, **error.arguments)) from error
    return expanded.text


def check_examples(topic: TopicFile, compiled: Compiled) -> None:
    """Raise TopicError where a query misses an example or finds a counter-example."""
    for key, texts in (("matches", topic.matches), ("rejects", topic.rejects)):
        for text in texts:
            if (verify(compiled, analyse(text)) is None) == (key == "matches"):
                reason = "the query does not find" if key == "matches" else "the query finds"
                line = _line_of_example(topic.source, key, text)
                raise TopicError(topic.name, line, f"{reason} “{text[:_SHOWN]}”: change the one or the other")


def _content(name: str, file: Traversable) -> str:
    if isinstance(file, Path) and file.exists() and not (file.is_file() or file.is_dir()):  # a pipe is waited for
        raise TopicError(name, 1, "it is not a file")
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST + 1)
    except OSError as error:
        raise TopicError(name, 1, f"it cannot be read: {error.strerror}") from None
    if len(content) > _LARGEST:
        raise TopicError(name, 1, f"it has more than {_LARGEST >> 10} KB: split it into several topics")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise TopicError(name, line, "not in UTF-8; save the file in UTF-8") from None


def _line(content: str, key: str) -> int:
    before = re.split(rf"^[ \t]*\[?{re.escape(key)}\b", content, maxsplit=1, flags=re.MULTILINE)[0]
    return before.count("\n") + 1


def _place(content: str, key: str, offset: int) -> tuple[int, int]:
    """Find a character of a text in quotes: the line of the file, and the place in that line, both from 1."""
    content = content.replace("\r\n", "\n")  # as TOML reads it
    opening = re.search(rf"^[ \t]*[\"']?{re.escape(key)}[\"']?[ \t]*=[ \t]*({_OPENING})", content, re.MULTILINE)
    if opening is None:
        return _line(content, key), 1
    at = opening.end()
    if opening[1].startswith("'"):  # backslashes mean themselves
        at += offset
    else:
        signs = (sign for sign in _SIGN.finditer(content, at) if sign["nothing"] is None)
        at = next(islice(signs, offset, None)).start()
    return content.count("\n", 0, at) + 1, at - content.rfind("\n", 0, at)


def _line_of_example(content: str, key: str, text: str) -> int:
    """Find an example among those of its key; one that is written with escapes is blamed on the key."""
    first = _line(content, key)
    start = sum(map(len, content.splitlines(keepends=True)[: first - 1]))
    at = content.find(text.split("\n", maxsplit=1)[0], start)
    return first if at < 0 else content.count("\n", 0, at) + 1
