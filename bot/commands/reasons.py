"""Parts of a query, held against a text, come in; plain words for what was found and what was not go out."""

from collections.abc import Mapping, Sequence

from bot.commands.query_text import short
from bot.locales import N_, Translator
from bot.matching.explain.explain import Clause, ClauseKind, Reason
from bot.matching.explain.near_miss import failures, has_found, holders
from bot.text.markup import Text, bold

SHOWN_PARTS = 3  # of one query
_LONGEST_PART = 80  # characters of a part of a query
_LONGEST_WORDS = 40  # characters of what a part found
_SHOWN_WORDS = 4  # of what a part found

_FAILED: Mapping[Reason | None, str] = {
    Reason.ABSENT: N_("not found: {part}"),
    Reason.APART: N_("found, but too far apart: {part}"),
    Reason.EXCLUDED: N_("excluded by: {part}"),
}
_ONLY_ONCE = N_("found only once: {part}")
_NOT_TOGETHER = N_("found, but not side by side: {part}")


def why_not(root: Clause, t: Translator) -> Text:
    """Say what a query misses a text by."""
    if not has_found(root) and root.kind is ClauseKind.ANY:
        return Text().add(t.gettext("nothing of it is there"))
    failed = failures(root)
    text = _joined([failure(part, t) for part in failed[:SHOWN_PARTS]])
    more = len(failed) - SHOWN_PARTS
    return text.add(f"; +{more}") if more > 0 else text


def why(root: Clause, text: str) -> Text:
    """Say by which of its parts a query holds, each with the words that it found in `text`."""
    parts = list({part.query: part for part in holders(root)}.values())
    said = _joined([_holder(part, text) for part in parts[:SHOWN_PARTS]])
    more = len(parts) - SHOWN_PARTS
    return said.add(f"; +{more}") if more > 0 else said


def failure(part: Clause, t: Translator) -> Text:
    """Say why one part failed."""
    return Text().say(t.gettext(_sentence(part)), part=short(part.query, _LONGEST_PART))


def _sentence(part: Clause) -> str:
    if part.reason is Reason.APART and len({span for inside in part.parts for span in inside.spans}) == 1:
        return _ONLY_ONCE  # both its sides are the one word
    together = part.kind is ClauseKind.PHRASE and part.reason is Reason.APART
    return _NOT_TOGETHER if together else _FAILED[part.reason]


def _holder(part: Clause, text: str) -> Text:
    found = dict.fromkeys(" ".join(text[start:end].split())[:_LONGEST_WORDS] for start, end in part.spans)
    said = Text().add(short(part.query, _LONGEST_PART), ": ")
    return said.join(_joined([Text().add(bold(words)) for words in list(found)[:_SHOWN_WORDS]], ", "))


def _joined(texts: Sequence[Text], between: str = "; ") -> Text:
    whole = Text()
    for number, text in enumerate(texts):
        whole.add(between if number else "").join(text)
    return whole
