"""Built-in topics: TOML files come in, checked topics go out, or an error that names the file and the line.

A file is `NAME.toml` with `title` and `description` (tables by language), `default` (whether a new chat is subscribed),
`query`, and `matches` and `rejects`: texts the query must and must not find, which the tests hold it to.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from bot.matching.query import QueryError, parse

_LANGUAGES = ("en", "ru")
_WHERE = re.compile(r"\(at line (\d+), column \d+\)")


class TopicError(Exception):
    """A topic file cannot be used; the message names the file and the line."""

    def __init__(self, name: str, line: int, reason: str) -> None:
        super().__init__(f"{name}.toml, line {line}: {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A query with what people see of it."""

    name: str  # stable; lower case
    title: Mapping[str, str]  # by language
    description: Mapping[str, str]  # one sentence, by language
    query: str
    default: bool  # whether pairing subscribes the owner to it
    matches: tuple[str, ...]  # texts it must find
    rejects: tuple[str, ...]  # texts it must not find


@cache  # reading them takes 16 ms, and pairing asks inside a transaction
def builtin_topics() -> tuple[Topic, ...]:
    """Return the topics that come with the program, by name; raises TopicError."""
    files = [file for file in resources.files("bot.topics").iterdir() if file.name.endswith(".toml")]
    return tuple(
        read_topic(file.name.removesuffix(".toml"), file.read_text(encoding="utf-8"))
        for file in sorted(files, key=lambda file: file.name)
    )


def read_topic(name: str, content: str) -> Topic:
    """Read one topic file; raises TopicError."""
    try:
        values = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        where = _WHERE.search(str(error))
        last = content.count("\n") + 1
        raise TopicError(name, int(where[1]) if where else last, _WHERE.sub("", str(error)).strip()) from error
    return _File(name, content, values).topic()


class _File:
    """The values of one file, with the lines to blame."""

    def __init__(self, name: str, content: str, values: dict[str, object]) -> None:
        self._name = name
        self._content = content
        self._values = values

    def topic(self) -> Topic:
        for key in self._values:
            if key not in Topic.__slots__ or key == "name":
                raise self._error(key, f"unknown key {key}")
        return Topic(
            name=self._name,
            title=self._by_language("title"),
            description=self._by_language("description"),
            query=self._query(),
            default=self._flag("default"),
            matches=self._texts("matches"),
            rejects=self._texts("rejects"),
        )

    def _query(self) -> str:
        query = self._values.get("query")
        if not isinstance(query, str):
            raise self._error("query", "query must be a text")
        try:
            parse(query)
        except QueryError as error:
            # a text of several lines begins on the line after its quotes
            several = query.count("\n") > 0
            line = self._line("query") + several + query.count("\n", 0, error.position - 1)
            raise TopicError(self._name, line, str(error)) from error
        return query

    def _by_language(self, key: str) -> dict[str, str]:
        value = self._values.get(key)
        if not isinstance(value, dict) or not all(isinstance(value.get(language), str) for language in _LANGUAGES):
            raise self._error(key, f"{key} must have a text for each of {', '.join(_LANGUAGES)}")
        return {str(language): str(text) for language, text in value.items()}

    def _flag(self, key: str) -> bool:
        value = self._values.get(key)
        if not isinstance(value, bool):
            raise self._error(key, f"{key} must be true or false")
        return value

    def _texts(self, key: str) -> tuple[str, ...]:
        value = self._values.get(key)
        if not isinstance(value, list) or not value or not all(isinstance(text, str) for text in value):
            raise self._error(key, f"{key} must be a list of texts")
        return tuple(value)

    def _line(self, key: str) -> int:
        before = re.split(rf"^[ \t]*\[?{re.escape(key)}\b", self._content, maxsplit=1, flags=re.MULTILINE)[0]
        return before.count("\n") + 1

    def _error(self, key: str, reason: str) -> TopicError:
        return TopicError(self._name, self._line(key) if key in self._values else 1, reason)
