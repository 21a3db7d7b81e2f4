"""How much two versions of a text differ, and by which words.

A change is small where nobody would call it news: the folded words are the same (but for punctuation, spaces, capitals,
ё, links), or one word differs by two letters at most, has five letters or more, begins alike («недоступен» is not
«доступен») and is neither a number nor a name («Ираке» is not «Иране»).
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from enum import Enum
from typing import NamedTuple

from bot.matching.similarity.words import common_ends
from bot.matching.words.tokens import Document, analyse
from bot.text.markup import Piece, Text, bold

SHORTEST_TYPO = 5  # letters; in a shorter word one letter makes another word
MOST_LETTERS = 2  # by which a misspelt word differs
AROUND = 80  # characters that are shown before and after a change
MOST_CHANGES = 40  # that are marked one by one; Telegram takes 100 entities, and confetti is no help
MOST_PAIRS = 40_000  # of equal words; a post has 10,000 at most, and a text made of two words would take seconds
_WORD = re.compile(r"\s*(?:https?://\S+|\w+(?:[-'’.,]\w+)*|[^\w\s]+)")
_Run = tuple[int, int]  # indexes of the first word and of the one after the last


class Weight(Enum):
    """Degrees of change."""

    NONE = 0  # at most formatting or media
    SMALL = 1  # punctuation or a typo
    WORDS = 2  # other words


class _Change(NamedTuple):
    old: _Run
    new: _Run


def fingerprint(document: Document) -> str:
    """Return a hash of the folded words of a text (32 hex digits), the same wherever the text is posted."""
    words = document.indexed or document.text.strip()
    return hashlib.blake2b(words.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def weigh(before: str, after: str) -> Weight:
    """Tell how much a text has changed."""
    if before == after:
        return Weight.NONE
    old, new = analyse(before), analyse(after)
    start, end = common_ends(old.tokens, new.tokens)
    gone, come = old.tokens[start : len(old.tokens) - end], new.tokens[start : len(new.tokens) - end]
    letters = "".join(gone)
    is_respaced = letters == "".join(come) and letters.isalpha()  # words joined or split; but «5 5» is not «55»
    if gone == come or is_respaced:
        return Weight.SMALL
    if len(gone) == len(come) == 1 and _is_typo(gone[0], come[0]):
        is_name = all(document.shape(start)[0].isupper() for document in (old, new))
        return Weight.WORDS if is_name else Weight.SMALL
    return Weight.WORDS


def difference(before: str, after: str) -> Text:
    """Return the changes word by word, with some words around: insertions in bold, deletions struck through."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    changes = _changes([word.strip() for word in old], [word.strip() for word in new])
    text, end = Text(), 0
    for number, change in enumerate(changes):
        text.add(_shortened("".join(new[end : change.new[0]]), after=number > 0, before=True))
        text.add(*_pieces("".join(old[slice(*change.old)]), "".join(new[slice(*change.new)])))
        end = change.new[1]
    return text.add(_shortened("".join(new[end:]), after=True, before=False))


def _is_typo(gone: str, come: str) -> bool:
    is_long = min(len(gone), len(come)) >= SHORTEST_TYPO
    is_word = not any(character.isdigit() for character in gone + come)
    return is_long and is_word and gone[0] == come[0] and _distance(gone, come) <= MOST_LETTERS


def _distance(one: str, other: str) -> int:
    """Count the letters to insert, delete or replace; exact up to MOST_LETTERS."""
    if abs(len(one) - len(other)) > MOST_LETTERS:
        return MOST_LETTERS + 1
    row = list(range(len(other) + 1))
    for number, letter in enumerate(one, 1):
        above, row = row, [number]
        for place, facing in enumerate(other, 1):
            row.append(min(above[place] + 1, row[-1] + 1, above[place - 1] + (letter != facing)))
    return row[-1]


def _changes(old: Sequence[str], new: Sequence[str]) -> list[_Change]:
    """Return the replaced, deleted or inserted runs; of a text written anew, one from the first change to the last."""
    start, end = common_ends(old, new)
    gone, come = old[start : len(old) - end], new[start : len(new) - end]
    whole = _Change((start, len(old) - end), (start, len(new) - end))
    counts = Counter(come)
    if sum(counts[word] for word in gone) > MOST_PAIRS:
        return [whole]
    codes = SequenceMatcher(None, gone, come, autojunk=False).get_opcodes()
    runs = [(i, i_end, j, j_end) for tag, i, i_end, j, j_end in codes if tag != "equal"]
    if len(runs) > MOST_CHANGES:
        return [whole]
    return [_Change((start + i, start + i_end), (start + j, start + j_end)) for i, i_end, j, j_end in runs]


def _pieces(deleted: str, inserted: str) -> Iterator[str | Piece]:
    """Yield the pieces of a deletion and an insertion; the spaces before them are unformatted."""
    gone, come = deleted.lstrip(), inserted.lstrip()
    yield deleted[: len(deleted) - len(gone)]
    yield Piece(text=gone, kind="strike")
    is_glued = gone and len(come) == len(inserted) and gone[-1].isalnum() and come[:1].isalnum()
    yield " " if is_glued else inserted[: len(inserted) - len(come)]
    yield bold(come)


def _shortened(same: str, *, after: bool, before: bool) -> str:
    """Shorten unchanged text, which comes `after` a change, `before` one or both, to some words beside them."""
    if len(same) <= AROUND * (after + before):
        return same
    head = same[:AROUND].rsplit(maxsplit=1)[0] if after else ""
    tail = same[-AROUND:].split(maxsplit=1)[-1] if before else ""
    return f"{head} … {tail}" if head and tail else f"{head}… {tail}".rstrip()
