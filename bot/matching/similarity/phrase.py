"""The few words by which to find elsewhere what a text says: Telegram's own search wants all of them. Pure."""

import re
from collections.abc import Sequence

from bot.matching.query.tree import AllOf, AnyOf, Near, Node, Phrase, Prefix, Tag, Within, Word
from bot.matching.similarity.words import FILLERS
from bot.text.excerpts import cut_excerpt
from bot.text.spans import Span

MOST = 4  # words: each one more leaves fewer posts
_SENTENCE = 300  # characters
_SHORTEST = 3  # letters of a word that tells something
_WORD = re.compile(r"\w+")


def phrase_of(text: str, spans: Sequence[Span] = ()) -> str:
    """Return the most telling words of a text in their order: those that matched, then names, then the longest."""
    sentence, found = cut_excerpt(text, spans, room=_SENTENCE, one_sentence=True)
    words: dict[str, tuple[bool, bool, int]] = {}  # whether it matched, whether it may be a name, its length
    for each in _WORD.finditer(sentence):
        is_match = any(start < each.end() and each.start() < end for start, end in found)
        if is_match or (len(each[0]) >= _SHORTEST and each[0].casefold() not in FILLERS):
            is_name = bool(each.start()) and (each[0][0].isupper() or each[0].isdecimal())
            words.setdefault(each[0], (is_match, is_name, len(each[0])))
    chosen = set(sorted(words, key=words.__getitem__, reverse=True)[:MOST])
    return " ".join(word for word in words if word in chosen)


def phrase_of_query(root: Node) -> str:
    """Return the words that a query demands; of alternatives the first. Empty where it has none."""
    return " ".join(dict.fromkeys(_words(root)[:MOST]))


def _words(node: Node) -> list[str]:
    match node:
        case AnyOf(items):
            return next(filter(None, map(_words, items)), [])
        case AllOf(items) | Phrase(items):
            parts: tuple[Node, ...] = items
        case Near(left, right):
            parts = (left, right)
        case Within(part):
            parts = (part,)
        case _:
            return _word(node)
    return [word for part in parts for word in _words(part)]


def _word(node: Node) -> list[str]:
    if isinstance(node, Word | Prefix):
        return [node.text]
    return [f"#{node.name}"] if isinstance(node, Tag) else []
