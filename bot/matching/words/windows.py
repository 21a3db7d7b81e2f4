"""The windows of a text in which the parts of a query have to stand together: paragraphs, sentences, the head.

A window is a bit: a set of windows is one number, whatever their count, and each token has the set of those that it
stands in.
"""

from bisect import bisect_left
from collections.abc import Sequence
from enum import StrEnum
from itertools import accumulate, pairwise

from bot.matching.words.tokens import WALL, Document
from bot.text.spans import sentence_ends

EVERYWHERE = -1  # the set of all windows
# Measured with queries of two words on labelled posts: of 65 right finds and 40 wrong ones in whole posts 54 and 28 are
# left in bare paragraphs, 59 and 29 with the headline, 64 and 32 with short posts whole.
_SHORT = 80  # words; a post of so many is one paragraph, whatever its blank lines
_HEADLINE = 25  # words; a longer first paragraph is no headline
_SENTENCE = 3  # words that make one
_HEAD = 45  # words of the first sentences, at most; the first sentence belongs to the head however long it is


class Unit(StrEnum):
    """What has to hold the parts of a query together."""

    PARAGRAPH = "paragraph"  # one paragraph, the headline with each of them; or a short post
    SENTENCE = "sentence"  # one sentence or two neighbours; or the head
    HEAD = "head"  # the first sentences


def is_divided(document: Document) -> bool:
    """Tell whether a text has several paragraphs that count."""
    return len(document.tokens) > _SHORT and document.has_walls


def windows(document: Document, unit: Unit) -> Sequence[int]:
    """Return for each token the set of windows it stands in."""
    if unit is Unit.PARAGRAPH:
        return _paragraphs(document)
    sentences = _sentences(document)
    head = _head(sentences)
    if unit is Unit.HEAD:
        return [1] * head + [0] * (len(sentences) - head)
    marks = [3 << number for number in sentences]  # each sentence with the one before and the one after it
    return [mark | 1 for mark in marks[:head]] + marks[head:]


def _paragraphs(document: Document) -> Sequence[int]:
    positions = document.positions
    steps = (after - before >= WALL for before, after in pairwise(positions))
    numbers = list(accumulate(steps, initial=0)) if positions else []
    headline = bisect_left(numbers, 1)
    if headline > _HEADLINE:
        headline = 0
    return [EVERYWHERE] * headline + [1 << number for number in numbers[headline:]]


def _sentences(document: Document) -> list[int]:
    """Return the number of the sentence of each token; one of a word or two («г.», «Breaking:») begins the next."""
    starts = [start for start, _ in document.spans]
    numbers: list[int] = []
    number = 0
    for end in sentence_ends(document.text, 0):
        first = bisect_left(starts, end)  # of the next sentence
        if len(numbers) + _SENTENCE <= first < len(starts):
            numbers += [number] * (first - len(numbers))
            number += 1
    return numbers + [number] * (len(starts) - len(numbers))


def _head(sentences: Sequence[int]) -> int:
    """Return how many tokens belong to the head."""
    if len(sentences) <= _HEAD:
        return len(sentences)
    return max(bisect_left(sentences, 1), bisect_left(sentences, sentences[_HEAD]))
