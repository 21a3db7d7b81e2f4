"""Many regular expressions run on one text at once."""

from collections import Counter

import re2

from bot.matching.engine.regex import Program, legible, mark_boundaries, options, program
from bot.text.spans import Span

_SET_SIZE = 100
_SET_LARGEST = 300_000


class RegexSet:
    """Many expressions, tried on a text a hundred at once; one large set would outgrow its automaton.

    A new expression runs alone until it is packed: making a set takes half a millisecond for each expression in it, and
    everything else waits meanwhile, since RE2 keeps Python's lock.
    """

    def __init__(self) -> None:
        self._uses: Counter[str] = Counter()
        self._programs: dict[str, Program] = {}
        self._alone: set[str] = set()
        self._sets: list[_Set] = []

    def add(self, source: str) -> None:
        """Add a use of an expression."""
        self._uses[source] += 1
        self._programs[source] = program(source)
        if not any(source in each.sources for each in self._sets):
            self._alone.add(source)

    def remove(self, source: str) -> None:
        """Remove a use of an expression."""
        self._uses[source] -= 1
        if self._uses[source]:
            return
        del self._uses[source], self._programs[source]
        self._alone.discard(source)
        for each in self._sets[:]:  # a set of which most is unused gives its memory back
            left = self._uses.keys() & each.sources
            if 2 * len(left) < len(each.sources):
                self._sets.remove(each)
                self._alone |= left

    def pack(self, *, at_least: int = 1) -> None:
        """Make sets of the expressions that run alone, if there are `at_least` so many."""
        if len(self._alone) < at_least:
            return
        programs = [self._programs[source] for source in sorted(self._alone)]
        for marked in (False, True):
            self._sets += map(_Set, _packed([each for each in programs if each.marked == marked]))
        self._alone.clear()

    def spans(self, text: str) -> dict[str, list[Span]]:
        """Return the spans of each expression that matches, in Python characters of the text."""
        if not self._uses:
            return {}
        readable = legible(text)
        marked = mark_boundaries(readable) if any(each.marked for each in self._sets) else ""
        hits = [source for each in self._sets for source in each.hits(marked if each.marked else readable)]
        found = {source: self._programs[source].spans(text) for source in (*hits, *self._alone) if source in self._uses}
        return {source: spans for source, spans in found.items() if spans}


def _packed(programs: list[Program]) -> list[list[Program]]:
    packs: list[list[Program]] = []
    size = 0
    for each in programs:
        size += each.size
        if not packs or len(packs[-1]) == _SET_SIZE or size > _SET_LARGEST:
            packs.append([])
            size = each.size
        packs[-1].append(each)
    return packs


class _Set:
    """Up to a hundred programs in one automaton, all with or all without marked boundaries."""

    def __init__(self, programs: list[Program]) -> None:
        self.sources = [each.source for each in programs]
        self.marked = programs[0].marked
        # ample, in bytes: an automaton without room for twenty of its states reports no hit at all
        memory = (4 << 20) + 200 * sum(each.size for each in programs)
        self._set = re2.Set.SearchSet(options(memory))
        for each in programs:
            self._set.Add(each.rewritten)
        self._set.Compile()

    def hits(self, text: str) -> list[str]:
        """Return the expressions that match a legible text, with marked boundaries if they are `marked`."""
        return [self.sources[index] for index in self._set.Match(text) or ()]
