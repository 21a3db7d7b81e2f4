"""Queries and names of topics that are typed in a shell, compiled."""

from bot.errors import SettingsError
from bot.matching.engine.compiled import Compiled, compile_query
from bot.matching.query.parser import parse
from bot.matching.query.refusals import QueryError
from bot.matching.topics import builtin_names, builtin_topics, read_folder
from bot.matching.words.inflection import Inflector
from bot.settings import load_settings

SHELL_WORDS = ", ".join(builtin_names())


class UnknownTopicError(SettingsError):
    """There is no such topic."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"unknown topic «{name}»: there are {', '.join(known)}")
        self.known = known  # names


def compile_queries(names: list[str] | None, query: str | None) -> dict[str, Compiled]:
    """Compile one query, named `query`, or topics from files, all where none is named; raises SettingsError."""
    if query is not None and names:
        raise SettingsError("--topic and --query cannot be combined: use one of them")
    sources = {"query": query} if query is not None else _topic_queries(names)
    inflector = Inflector()
    try:
        return {name: compile_query(parse(source), inflector) for name, source in sources.items()}
    except QueryError as error:
        raise SettingsError(f"the query cannot be read: {error}") from None


def _topic_queries(names: list[str] | None) -> dict[str, str]:
    """Return queries by their topics: ours and the newsroom's, which take the place of ours of that name."""
    own = read_folder(load_settings().topics_path)
    known = {topic.name.casefold(): topic for topic in (*builtin_topics(), *own)}
    wanted = [" ".join(name.casefold().split()) for name in names or known]
    unknown = next((name for name, folded in zip(names or known, wanted, strict=True) if folded not in known), None)
    if unknown is not None:
        raise UnknownTopicError(unknown, [topic.name for topic in known.values()])
    return {known[name].name: known[name].query for name in wanted}
