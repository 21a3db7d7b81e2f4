"""Spans of a text, in Python characters: merged, cut out of one another, and the ends of sentences. Pure."""

import re
from collections.abc import Iterable, Iterator

Span = tuple[int, int]
_SENTENCE_END = re.compile(r"[.!?…][.!?…\"'»”)\]]*(?=\s)|\n")


def merge_spans(spans: Iterable[Span], *, apart: int = 0) -> tuple[Span, ...]:
    """Return spans sorted, with those made one that are at most so many characters apart."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start - merged[-1][1] <= apart:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple(merged)


def subtract_spans(span: Span, holes: Iterable[Span]) -> Iterator[Span]:
    """Yield the rest of a span without the holes, which are sorted."""
    start, end = span
    for first, last in holes:
        if first >= end:
            break
        if start < first:
            yield start, first
        start = max(start, last)
    if start < end:
        yield start, end


def sentence_ends(text: str, start: int, stop: int | None = None) -> Iterator[int]:
    """Yield where sentences and lines end in a part of a text; an end right before `stop` is not seen."""
    stop = len(text) if stop is None else stop
    return (found.end() for found in _SENTENCE_END.finditer(text, start, stop))
