"""A post and the places that matched come in, the passages that an alert shows go out. Pure."""

import re
from collections.abc import Sequence

from bot.delivery.passage import Passage

FIRST_GLANCE = 200  # characters of a message that a lock screen shows
BEFORE, AFTER = 120, 200  # characters of a long sentence that are shown around the match
_BOUNDARY = re.compile(r"[.!?…][.!?…\"'»”)\]]*(?=\s)|\n")
_SPACE = re.compile(r"\s")


def key_sentence(post: Passage, spans: Sequence[tuple[int, int]]) -> Passage | None:
    """Take the sentence of the first match; None where a reader of the post meets it at first glance anyway."""
    if not spans or spans[0][1] <= FIRST_GLANCE:
        return None
    text, (first, last) = post.text, spans[0]
    start = max((found.end() for found in _BOUNDARY.finditer(text, 0, first)), default=0)
    found = _BOUNDARY.search(text, last)
    end = found.end() if found else len(text)
    if first - start > BEFORE:
        start = _word_after(text, first - BEFORE, first)
    if end - last > AFTER:
        end = _word_before(text, last, last + AFTER)
    return post.cut(start, end)


def _word_after(text: str, start: int, stop: int) -> int:
    found = _SPACE.search(text, start, stop)
    return found.end() if found else start


def _word_before(text: str, start: int, stop: int) -> int:
    return max((found.start() for found in _SPACE.finditer(text, start, stop)), default=stop)
