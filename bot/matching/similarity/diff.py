"""How much two wordings of a post differ, and by which words. Pure.

A change is small where nobody would call it news. That is: the words are the same once folded (punctuation, spaces,
capitals, ё, links), or one word is spelt otherwise: by two letters at most, in a word of five letters or more that
begins alike («недоступен» is not «доступен») and is neither a number nor a name («Ираке» is not «Иране»).
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from enum import Enum
from typing import NamedTuple

from bot.matching.words.tokens import Document, analyse
from bot.text.markup import Piece, Text, bold

SHORTEST_TYPO = 5  # letters; one letter makes another word of a shorter one
MOST_LETTERS = 2  # by which a misspelt word differs
AROUND = 80  # characters that are shown before and after a change
MOST_CHANGES = 40  # that are shown apart; Telegram takes 100 entities, and confetti is no help
MOST_PAIRS = 40_000  # of equal words; a post has 10,000 at most, and a text made of two words would take seconds
_WORD = re.compile(r"\s*(?:https?://\S+|\w+(?:[-'’.,]\w+)*|[^\w\s]+)")
_Run = tuple[int, int]  # first and end of a run of words


class Weight(Enum):
    """How much a text has changed."""

    NONE = 0  # not at all; what has is formatting or media
    SMALL = 1  # punctuation or a typo
    WORDS = 2  # in its words


class _Change(NamedTuple):
    old: _Run
    new: _Run


def fingerprint(document: Document) -> str:
    """Name a text by its folded words, so that the same text posted elsewhere has the same name."""
    words = document.indexed or document.text.strip()
    return hashlib.blake2b(words.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def weigh(before: str, after: str) -> Weight:
    """Tell how much a text has changed."""
    if before == after:
        return Weight.NONE
    old, new = analyse(before), analyse(after)
    (old_start, old_end), (new_start, new_end) = _unlike(old.tokens, new.tokens)
    gone, come = old.tokens[old_start:old_end], new.tokens[new_start:new_end]
    if gone == come or _same_letters(gone, come):
        return Weight.SMALL
    if len(gone) == len(come) == 1 and not (_is_name(old, old_start) and _is_name(new, new_start)):
        return Weight.SMALL if _is_typo(gone[0], come[0]) else Weight.WORDS
    return Weight.WORDS


def difference(before: str, after: str) -> Text:
    """Write what has changed, word by word: inserted in bold, deleted struck through, and some words around it."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    changes = _changes([word.strip() for word in old], [word.strip() for word in new])
    text, end = Text(), 0
    for number, change in enumerate(changes):
        text.add(_shortened("".join(new[end : change.new[0]]), after=number > 0, before=True))
        text.add(*_pieces("".join(old[slice(*change.old)]), "".join(new[slice(*change.new)])))
        end = change.new[1]
    return text.add(_shortened("".join(new[end:]), after=True, before=False))


def _unlike(old: Sequence[str], new: Sequence[str]) -> _Change:
    """Leave out what both begin and end with."""
    shorter = min(len(old), len(new))
    start = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    tail = next((i for i in range(shorter - start) if old[-1 - i] != new[-1 - i]), shorter - start)
    return _Change((start, len(old) - tail), (start, len(new) - tail))


def _same_letters(gone: Sequence[str], come: Sequence[str]) -> bool:
    """Tell whether words were only joined or split; «5 5» is not «55»."""
    letters = "".join(gone)
    return letters == "".join(come) and letters.isalpha()


def _is_name(document: Document, index: int) -> bool:
    return document.shape(index)[0].isupper()


def _is_typo(gone: str, come: str) -> bool:
    is_long = min(len(gone), len(come)) >= SHORTEST_TYPO
    is_word = not any(character.isdigit() for character in gone + come)
    return is_long and is_word and gone[0] == come[0] and _distance(gone, come) <= MOST_LETTERS


def _distance(one: str, other: str) -> int:
    """Count the letters to insert, delete or replace; more than a few are not counted to the end."""
    if abs(len(one) - len(other)) > MOST_LETTERS:
        return MOST_LETTERS + 1
    row = list(range(len(other) + 1))
    for number, letter in enumerate(one, 1):
        above, row = row, [number]
        for place, facing in enumerate(other, 1):
            row.append(min(above[place] + 1, row[-1] + 1, above[place - 1] + (letter != facing)))
    return row[-1]


def _changes(old: Sequence[str], new: Sequence[str]) -> list[_Change]:
    """Find what was replaced, deleted or inserted; of a text written anew, all between its first and last change."""
    whole = _unlike(old, new)
    (old_start, old_end), (new_start, new_end) = whole
    if whole == _Change((old_start, old_start), (new_start, new_start)):
        return []
    gone, come = old[old_start:old_end], new[new_start:new_end]
    often = Counter(come)
    if sum(often[word] for word in gone) > MOST_PAIRS:
        return [whole]
    matcher = SequenceMatcher(None, gone, come, autojunk=False)
    found = [
        _Change((old_start + i1, old_start + i2), (new_start + j1, new_start + j2))
        for tag, i1, i2, j1, j2 in matcher.get_opcodes()
        if tag != "equal"
    ]
    return found if len(found) <= MOST_CHANGES else [whole]


def _pieces(deleted: str, inserted: str) -> Iterator[str | Piece]:
    """Write what went and what came, the spaces before them unformatted."""
    gone, come = deleted.lstrip(), inserted.lstrip()
    yield deleted[: len(deleted) - len(gone)]
    yield Piece(text=gone, kind="strike")
    is_glued = gone and len(come) == len(inserted) and gone[-1].isalnum() and come[:1].isalnum()
    yield " " if is_glued else inserted[: len(inserted) - len(come)]
    yield bold(come)


def _shortened(same: str, *, after: bool, before: bool) -> str:
    """Shorten what has not changed to some words beside the changes that it comes after and before."""
    if len(same) <= AROUND * (after + before):
        return same
    head = same[:AROUND].rsplit(maxsplit=1)[0] if after else ""
    tail = same[-AROUND:].split(maxsplit=1)[-1] if before else ""
    return f"{head} … {tail}" if head and tail else f"{head}… {tail}".rstrip()
