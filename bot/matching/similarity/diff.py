"""How much two versions of a text differ, and in which passages.

A change is small where nobody would call it news: the folded words are the same (but for punctuation, spaces, capitals,
ё, links), or one word differs by two letters at most, has five letters or more, begins alike («недоступен» is not
«доступен») and is neither a number nor a name («Ираке» is not «Иране»).
"""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import Enum
from itertools import zip_longest
from typing import NamedTuple

from bot.matching.similarity.words import common_ends
from bot.matching.words.tokens import Document, analyse
from bot.text.markup import Text, bold

SHORTEST_TYPO = 5  # letters; in a shorter word one letter makes another word
MOST_LETTERS = 2  # by which a misspelt word differs
AROUND, AROUND_OLD = 80, 40  # characters that are shown at most on either side of a change, as it is and as it was
MOST_CHANGES = 40  # that are marked one by one; Telegram takes 100 entities, and confetti is no help
MOST_PAIRS = 40_000  # of equal words; a post has 10,000 at most, and a text made of two words would take seconds
_WORD = re.compile(r"\s*(?:https?://\S+|\w+(?:[-'’.,]\w+)*|[^\w\s]+)")
_SENTENCE_END = re.compile(r"[.!?…]+[»”\"')\]]*(?:\s+|$)|\n+")
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


@dataclass(frozen=True, slots=True)
class ChangedPlace:
    """A passage of a text that has changed."""

    now: Text  # as it is, what was put into it in bold; empty where the whole text was removed
    before: str  # as it was, on one line; empty where nothing was there


def changed_places(before: str, after: str) -> list[ChangedPlace]:
    """Return the sentences that have changed, those first in which a number or a name did."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    changes = _changes([word.strip() for word in old], [word.strip() for word in new])
    groups: list[list[_Change]] = []
    for change in changes:
        if groups and _shares_sentence(new, groups[-1][-1].new, change.new):
            groups[-1].append(change)
        else:
            groups.append([change])
    groups.sort(key=lambda group: not any(_has_name(old, each.old) or _has_name(new, each.new) for each in group))
    return [ChangedPlace(_now(new, group), _before(old, group)) for group in groups]


def changed_words(before: str, after: str) -> tuple[Text, Text]:
    """Return two versions of a text whole, with the words in bold that only one of them has."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    changes = _changes([word.strip() for word in old], [word.strip() for word in new])
    return _emphasised(old, [each.old for each in changes]), _emphasised(new, [each.new for each in changes])


def word_runs(before: str, after: str) -> list[tuple[str, str]]:
    """Return two versions of a text in one: (kind, text) each, where the kind is same, gone or come.

    What is the same and what has come make the text after; spaces around what is gone are left out.
    """
    old, new = _WORD.findall(before), _WORD.findall(after)
    runs, at = list[tuple[str, str]](), 0
    for change in _changes([word.strip() for word in old], [word.strip() for word in new]):
        come, gone = "".join(new[slice(*change.new)]), "".join(old[slice(*change.old)])
        space = come[: len(come) - len(come.lstrip())]
        runs += ("same", "".join(new[at : change.new[0]]) + space), ("gone", gone.strip()), ("come", come[len(space) :])
        at = change.new[1]
    end = after[len("".join(new)) :]  # spaces behind the last word
    return [run for run in (*runs, ("same", "".join(new[at:]) + end)) if run[1]]


def _emphasised(words: Sequence[str], runs: Sequence[_Run]) -> Text:
    text, at = Text(), 0
    for start, end in runs:
        text.add("".join(words[at:start]), bold("".join(words[start:end])))
        at = end
    return text.add("".join(words[at:]))


def _shares_sentence(words: Sequence[str], run: _Run, following: _Run) -> bool:
    same = "".join(words[run[1] : following[0]])
    is_over = run[0] < run[1] and _ends_sentence(words[run[1] - 1])
    return not is_over and len(same) <= 2 * AROUND and _SENTENCE_END.search(same) is None


def _has_name(words: Sequence[str], run: _Run) -> bool:
    """Tell whether a number, or a name that does not begin a sentence, is in a run."""
    for at in range(*run):
        word = words[at].strip()
        begins = at == 0 or "\n" in words[at] or _ends_sentence(words[at - 1])
        if any(map(str.isdigit, word)) or (word[0].isupper() and not begins):
            return True
    return False


def _ends_sentence(word: str) -> bool:
    return not set(".!?…").isdisjoint(word)


def _now(words: Sequence[str], group: Sequence[_Change]) -> Text:
    text = Text().add(_lead("".join(words[: group[0].new[0]]), AROUND))
    for change, following in zip_longest(group, group[1:]):
        come = "".join(words[slice(*change.new)])
        bare = come.lstrip()
        text.add(come[: len(come) - len(bare)] if len(text) else "", bold(bare))
        if following is not None:
            text.add("".join(words[change.new[1] : following.new[0]]))
    return text.add(_tail(words, group[-1].new, AROUND))


def _before(words: Sequence[str], group: Sequence[_Change]) -> str:
    if all(change.old[0] == change.old[1] for change in group):
        return ""
    start, end = group[0].old[0], group[-1].old[1]
    lead, tail = _lead("".join(words[:start]), AROUND_OLD), _tail(words, (start, end), AROUND_OLD)
    return " ".join(f"{lead}{''.join(words[start:end])}{tail}".split())


def _lead(same: str, most: int) -> str:
    """Return the beginning of the sentence that goes on after a text; of a long one the last words."""
    begin = max((end.end() for end in _SENTENCE_END.finditer(same)), default=0)
    sentence = same[begin:].lstrip() if begin else same
    if len(sentence) <= most:
        return sentence
    return f"… {sentence[-most:].split(maxsplit=1)[-1]}"


def _tail(words: Sequence[str], run: _Run, most: int) -> str:
    """Return the end of the sentence that a run is in; of a long one the first words."""
    is_word = any(character.isalnum() for character in "".join(words[slice(*run)]))
    if is_word and _ends_sentence(words[run[1] - 1]):
        return ""
    same = "".join(words[run[1] :])
    end = _SENTENCE_END.search(same)
    sentence = same if end is None else same[: end.end()].rstrip()
    if len(sentence) <= most:
        return sentence
    return f"{sentence[:most].rsplit(maxsplit=1)[0]} …"


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
