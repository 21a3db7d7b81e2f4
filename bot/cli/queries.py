"""Queries that are typed in a shell: words come in, compiled queries go out, or one line that says what to mend."""

from bot.errors import SettingsError
from bot.matching.forms import Inflector
from bot.matching.matcher import Compiled, compile_query
from bot.matching.query import QueryError, parse
from bot.matching.topics import builtin_topics

SHELL_WORDS = ", ".join(topic.name for topic in builtin_topics())


def compiled(names: list[str] | None, query: str | None) -> dict[str, Compiled]:
    """Compile one query, named `query`, or built-in topics, all where none is named; raises SettingsError."""
    if query is not None and names:
        raise SettingsError("--topic and --query exclude each other: give one of them")
    known = {topic.name: topic.query for topic in builtin_topics()}
    if unknown := set(names or ()) - known.keys():
        raise SettingsError(f"unknown topic «{min(unknown)}»: the built-in ones are {SHELL_WORDS}")
    sources = {"query": query} if query is not None else {name: known[name] for name in names or known}
    inflector = Inflector()
    try:
        return {name: compile_query(parse(source), inflector) for name, source in sources.items()}
    except QueryError as error:
        raise SettingsError(f"the query cannot be read: {error}") from None
