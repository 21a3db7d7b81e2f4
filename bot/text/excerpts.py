"""A post and the places that matched come in, the passages that an alert shows go out. Pure."""

import re
from collections.abc import Iterable, Sequence

from bot.text.formatted import Passage
from bot.text.markup import units

FIRST_GLANCE = 200  # characters of a message that a lock screen shows
BEFORE, AFTER = 120, 200  # characters of a long sentence that are shown around the match
BEYOND = 300  # characters of its paragraph that a passage goes on after the match
NEAR = 60  # characters between two passages that are shown rather than left out
GAP = "\n…\n"
_BOUNDARY = re.compile(r"[.!?…][.!?…\"'»”)\]]*(?=\s)|\n")
_SPACE = re.compile(r"\s")
_Range = tuple[int, int]


def key_sentence(post: Passage, spans: Sequence[_Range]) -> Passage | None:
    """Take the sentence of the first match; None where a reader of the post meets it at first glance anyway."""
    if not spans or spans[0][1] <= FIRST_GLANCE:
        return None
    (first, last), text = spans[0], post.text
    found = _BOUNDARY.search(text, last, last + AFTER + 1)
    is_whole = found is not None or len(text) - last <= AFTER
    end = (found.end() if found else len(text)) if is_whole else _word_before(text, last, last + AFTER)
    return post.cut(_sentence_start(text, first), end).strip()


def passages(post: Passage, spans: Sequence[_Range], *, room: int) -> Passage:
    """Take what stands around all that matched, with «…» for the rest; the first of it where `room` units are few."""
    text = post.text
    parts: list[Passage] = []
    used, end = len("……"), 0
    for start, stop in _merged(_around(text, span) for span in spans):
        part = post.cut(start, stop).strip()
        used += units(part.text) + len(GAP)
        if parts and used > room:
            break
        parts += (Passage(GAP if parts else "… " if text[:start].strip() else ""), part)
        end = stop
    return Passage.joined([*parts, Passage(" …" if text[end:].strip() else "")])


def _around(text: str, span: _Range) -> _Range:
    """Choose the paragraph of a match where it is short, else whole sentences of it, else words."""
    first, last = span
    start = text.rfind("\n", 0, first) + 1
    if last - start > FIRST_GLANCE:
        start = _sentence_start(text, first)
    end = text.find("\n", last)
    end = len(text) if end < 0 else end
    if end - last > BEYOND:
        sentences = [found.end() for found in _BOUNDARY.finditer(text, last, last + BEYOND + 1)]
        end = sentences[-1] if sentences else _word_before(text, last, last + BEYOND)
    return start, end


def _merged(ranges: Iterable[_Range]) -> list[_Range]:
    found: list[_Range] = []
    for start, end in sorted(ranges):
        if found and start - found[-1][1] <= NEAR:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _sentence_start(text: str, first: int) -> int:
    """Find where the sentence of a match begins, or the words before it where that is far."""
    farthest = max(0, first - BEFORE)
    found = [boundary.end() for boundary in _BOUNDARY.finditer(text, farthest, first)]
    if found or not farthest:
        return found[-1] if found else 0
    return _word_after(text, farthest, first)


def _word_after(text: str, start: int, stop: int) -> int:
    found = _SPACE.search(text, start, stop)
    return found.end() if found else start


def _word_before(text: str, start: int, stop: int) -> int:
    return max((found.start() for found in _SPACE.finditer(text, start, stop)), default=stop)
