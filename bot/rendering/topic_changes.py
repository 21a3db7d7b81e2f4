"""What is different of a topic since it was changed. Pure."""

from collections.abc import Iterable

from bot.locales import Translator
from bot.matching.similarity.diff import changed_words
from bot.models.topics import TopicState
from bot.rendering.post_text import show_changes
from bot.text.markup import LIMIT, Text, one_line, units

_LONGEST = 4 * LIMIT  # UTF-16 units of a query
_WORDS = 400  # likewise, of a list of words
_WHOLE = 500  # UTF-16 units of a query that is shown whole; of a longer one what has changed


def show_topic_change(before: TopicState, after: TopicState, t: Translator) -> Text:
    """Write what is different, each thing on a line: the query with its limits, and the words that are left out."""
    text, (old, new) = Text(), (one_line(state.source, _LONGEST) for state in (before, after))
    if old != new and max(units(old), units(new)) > _WHOLE:
        text.lines(show_changes(old, new, t))
    elif old != new:
        was, now = changed_words(old, new)
        text.line(t.gettext("was: {query}"), query=was).line(t.gettext("now: {query}"), query=now)
    excluded = [word for word in after.excluded if word not in before.excluded]
    included = [word for word in before.excluded if word not in after.excluded]
    if excluded:
        text.line(t.gettext("Now left out in all chats: {words}"), words=_listed(excluded))
    if included:
        text.line(t.gettext("No longer left out in all chats: {words}"), words=_listed(included))
    return text


def _listed(words: Iterable[str]) -> str:
    return one_line(", ".join(words), _WORDS)
