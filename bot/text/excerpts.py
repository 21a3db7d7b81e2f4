"""Parts of a post around its matches: for an alert its key sentence and passages, for a list one line. Pure."""

import re
from collections.abc import Sequence

from bot.parts import clip_spans
from bot.text.formatted import FormattedText
from bot.text.markup import units
from bot.text.spans import Span, merge_spans, sentence_ends

FIRST_GLANCE = 200  # characters of a message that a lock screen shows
BEFORE, AFTER = 120, 200  # characters of a long sentence that are shown around the match
BEYOND = 300  # characters of its paragraph that a passage goes on after the match
NEAR = 60  # characters between two passages that are shown rather than left out
GAP = "\n…\n"
_SPACE = re.compile(r"\s")


def find_key_sentence(post: FormattedText, spans: Sequence[Span]) -> FormattedText | None:
    """Return the sentence of the first match; None where a reader of the post meets it at first glance anyway."""
    if not spans or spans[0][1] <= FIRST_GLANCE:
        return None
    (first, last), text = spans[0], post.text
    end = next(sentence_ends(text, last, last + AFTER + 1), None)
    if end is None:
        end = len(text) if len(text) - last <= AFTER else _word_before(text, last, last + AFTER)
    return post.cut(_sentence_start(text, first, BEFORE), end).strip()


def cut_fragments(post: FormattedText, spans: Sequence[Span], *, room: int) -> FormattedText:
    """Return the passages around all matches, with «…» for the rest; the first of them where `room` units are few."""
    text = post.text
    parts: list[FormattedText] = []
    used, end = len("……"), 0
    for start, stop in merge_spans((_around(text, span) for span in spans), apart=NEAR):
        part = post.cut(start, stop).strip()
        used += units(part.text) + len(GAP)
        if parts and used > room:
            break
        parts += (FormattedText(GAP if parts else "… " if text[:start].strip() else ""), part)
        end = stop
    return FormattedText.joined([*parts, FormattedText(" …" if text[end:].strip() else "")])


def cut_excerpt(
    text: str, spans: Sequence[Span], *, room: int, one_sentence: bool = False
) -> tuple[str, tuple[Span, ...]]:
    """Return the text around the first match, at most `room` characters and an ellipsis at each end, on one line.

    It begins with the sentence of the match, or where that is far with the words before the match, and ends with
    that sentence if only one is wanted. With it come the spans that lie in it, counted from its beginning.
    """
    first, last = spans[0] if spans else (0, 0)
    start = _sentence_start(text, first, room // 2)
    # Behind the end of a sentence comes white space, of which a line break belongs to that sentence.
    is_sentence = not start or text[start - 1 : start] == "\n" or text[start : start + 1].isspace()
    before = text[start:first] if spans else text
    start += len(before) - len(before.lstrip())
    stop = next(sentence_ends(text, max(last, start + 1)), len(text)) if one_sentence else len(text)
    end = stop if stop - start <= room else _word_before(text, max(last, start + room // 2), start + room)
    closing = "…" if text[end:stop].strip() else ""
    end = max(len(text[:end].rstrip()), min(last, end))
    opening = "" if is_sentence and (one_sentence or not text[:start].strip()) else "…"
    kept = ((a + len(opening), b + len(opening)) for a, b in clip_spans(spans, start, end))
    return f"{opening}{_SPACE.sub(' ', text[start:end])}{closing}", tuple(kept)


def _around(text: str, span: Span) -> Span:
    """Choose the paragraph of a match where it is short, else whole sentences of it, else words."""
    first, last = span
    start = text.rfind("\n", 0, first) + 1
    if last - start > FIRST_GLANCE:
        start = _sentence_start(text, first, BEFORE)
    end = text.find("\n", last)
    end = len(text) if end < 0 else end
    if end - last > BEYOND:
        sentences = list(sentence_ends(text, last, last + BEYOND + 1))
        end = sentences[-1] if sentences else _word_before(text, last, last + BEYOND)
    return start, end


def _sentence_start(text: str, first: int, most: int) -> int:
    """Return where the sentence of a match begins, or a word where that is more than `most` characters before."""
    farthest = max(0, first - most)
    ends = list(sentence_ends(text, farthest, first))
    if ends or not farthest:
        return ends[-1] if ends else 0
    found = _SPACE.search(text, farthest, first)
    return found.end() if found else farthest


def _word_before(text: str, start: int, stop: int) -> int:
    return max((found.start() for found in _SPACE.finditer(text, start, stop)), default=stop)
