"""Topics kept in TOML files: read and checked, or refused with the file and the line.

`bot/topics/README.md` tells people how to write one.
"""

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import islice
from operator import itemgetter

from bot.errors import SettingsError
from bot.matching.engine.compiled import Compiled, verify
from bot.matching.query.parser import parse
from bot.matching.query.refusals import MESSAGES, QueryError
from bot.matching.words.tokens import analyse

_SUFFIX = ".toml"
_KEYS = {"query", "default", "matches", "rejects"}
_NAME = re.compile(r"(?![/@])[^:\n]{1,64}")  # what the chat takes for the name of a topic, too
_WHERE = re.compile(r"\(at line (\d+), column \d+\)")
_OPENING = r"\"{3}\n?|'{3}\n?|\"|'"
# One character as it is written in quotes; a backslash that ends a line swallows what is blank after it.
_SIGN = re.compile(r"(?P<nothing>\\[ \t]*\n\s*)|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}|\\.|[^\\]")
_SHOWN = 40  # characters of an example in an error


class TopicError(SettingsError):
    """A topic file cannot be used; the message names the file and the line."""

    def __init__(self, name: str, line: int, reason: str) -> None:
        super().__init__(f"{name}{_SUFFIX}, line {line}: {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicFile:
    """A named query with the examples it is held to."""

    name: str  # that of its file
    query: str
    default: bool  # whether pairing subscribes the owner to it
    matches: tuple[str, ...]  # texts it must find
    rejects: tuple[str, ...]  # texts it must not find
    source: str  # the whole file


@cache  # reading them takes 16 ms
def builtin_topics() -> tuple[TopicFile, ...]:
    """Return the topics that come with the program, by name; raises TopicError."""
    return read_folder(resources.files("bot.topics"))


def builtin_names() -> tuple[str, ...]:
    """Return the names of the topics that come with the program, without reading them."""
    return tuple(sorted(_name_of(file) for file in resources.files("bot.topics").iterdir() if _is_topic(file)))


def read_folder(folder: Traversable) -> tuple[TopicFile, ...]:
    """Return the topics of a folder's `NAME.toml` files, by name; none where there is no folder; raises TopicError."""
    if not folder.is_dir():
        return ()
    found: dict[str, TopicFile] = {}
    files = [(_name_of(file), file) for file in folder.iterdir() if _is_topic(file)]
    for name, file in sorted(files, key=itemgetter(0)):
        if name.casefold() in found:
            raise TopicError(name, 1, "another file has this name in other letters; names are one whatever their case")
        found[name.casefold()] = read_topic(name, _content(name, file))
    return tuple(found.values())


def _is_topic(file: Traversable) -> bool:
    """Tell topic files from others; those that begin with a dot are hidden ones, such as macOS puts beside copies."""
    return file.name.lower().endswith(_SUFFIX) and not file.name.startswith(".")


def _name_of(file: Traversable) -> str:
    """Return the name of a topic as the chat would write it: macOS takes й apart, and spaces are easily doubled."""
    return " ".join(unicodedata.normalize("NFC", file.name[: -len(_SUFFIX)]).split())


def read_topic(name: str, content: str) -> TopicFile:
    """Read one topic file; raises TopicError."""
    if not _NAME.fullmatch(name):
        raise TopicError(name, 1, "name the file as the topic: up to 64 characters, no colon, no / or @ in front")
    try:
        values = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        where = _WHERE.search(str(error))
        last = content.count("\n") + 1
        raise TopicError(name, int(where[1]) if where else last, _WHERE.sub("", str(error)).strip()) from error
    return _File(name, content, values).topic()


def check_examples(topic: TopicFile, compiled: Compiled) -> None:
    """Raise TopicError where a query finds an example that it must not find, or the other way round."""
    for key, texts in (("matches", topic.matches), ("rejects", topic.rejects)):
        for text in texts:
            if (verify(compiled, analyse(text)) is None) == (key == "matches"):
                reason = "the query does not find" if key == "matches" else "the query finds"
                line = _line_of_example(topic.source, key, text)
                raise TopicError(topic.name, line, f"{reason} “{text[:_SHOWN]}”: change the one or the other")


class _File:
    """The values of one file, with the lines to blame."""

    def __init__(self, name: str, content: str, values: dict[str, object]) -> None:
        self._name = name
        self._content = content
        self._values = values

    def topic(self) -> TopicFile:
        for key in self._values:
            if key not in _KEYS:
                raise self._error(key, f"unknown key {key}; there are {', '.join(sorted(_KEYS))}")
        return TopicFile(
            name=self._name,
            query=self._query(),
            default=self._flag("default"),
            matches=self._texts("matches"),
            rejects=self._texts("rejects"),
            source=self._content,
        )

    def _query(self) -> str:
        query = self._values.get("query")
        if not isinstance(query, str):
            raise self._error("query", "query must be a text in quotes")
        try:
            parse(query)
        except QueryError as error:
            line, place = _place(self._content, "query", error.position - 1)
            reason = MESSAGES[error.code].format(position=place, **error.arguments)
            raise TopicError(self._name, line, reason) from error
        return query

    def _flag(self, key: str) -> bool:
        value = self._values.get(key, False)
        if not isinstance(value, bool):
            raise self._error(key, f"{key} must be true or false")
        return value

    def _texts(self, key: str) -> tuple[str, ...]:
        value = self._values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            raise self._error(key, f"{key} must be a list of texts in quotes")
        return tuple(value)

    def _error(self, key: str, reason: str) -> TopicError:
        return TopicError(self._name, _line(self._content, key) if key in self._values else 1, reason)


def _content(name: str, file: Traversable) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise TopicError(name, 1, f"it cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = file.read_bytes()[: error.start].count(b"\n") + 1
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
