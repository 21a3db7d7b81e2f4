"""An index of values by the words of terms: one look-up a word of a document."""

from collections.abc import Iterator, Sequence
from itertools import chain
from operator import itemgetter
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from bot.matching.engine.plan import Term

_HEAD = 3  # letters by which prefixes are looked up; the query language allows no shorter ones
_head = itemgetter(slice(_HEAD))

K = TypeVar("K")
T = TypeVar("T")


class TermIndex(Generic[T]):
    """Values by the words of terms; capitals do not count."""

    def __init__(self) -> None:
        self._by_form: dict[str, tuple[T, ...]] = {}
        self._by_prefix: dict[str, tuple[T, ...]] = {}
        self._prefixes: dict[str, tuple[str, ...]] = {}  # by their first letters

    def add(self, term: Term, value: T) -> None:
        """Add a value under a term."""
        alone = (value,)  # one tuple for all forms that have no other value
        for form in term.forms:
            others = self._by_form.get(form)
            self._by_form[form] = (*others, value) if others else alone
        for prefix in term.prefixes:
            if prefix not in self._by_prefix:
                _put(self._prefixes, prefix[:_HEAD], prefix)
            _put(self._by_prefix, prefix, value)

    def remove(self, term: Term, value: T) -> None:
        """Remove a value from under a term."""
        for form in term.forms:
            _drop(self._by_form, form, value)
        for prefix in term.prefixes:
            _drop(self._by_prefix, prefix, value)
            if prefix not in self._by_prefix:
                _drop(self._prefixes, prefix[:_HEAD], prefix)

    def find(self, words: Sequence[str]) -> Iterator[T]:
        """Yield the values under these words, once for each word."""
        # all in C: a loop over the words would cost half as much as splitting the text into them
        found = chain.from_iterable(filter(None, map(self._by_form.get, words)))
        return chain(found, (value for _, value in self._by_prefixes(words))) if self._prefixes else found

    def places(self, words: Sequence[str]) -> dict[T, list[int]]:
        """Return the values under these words, with the indexes of their words, in order."""
        places: dict[T, list[int]] = {}
        for index, values in enumerate(map(self._by_form.get, words)):
            if values is not None:
                for value in values:
                    places.setdefault(value, []).append(index)
        if self._prefixes:
            for index, value in self._by_prefixes(words):  # the value may stand under the word itself, too
                places[value] = sorted({*places.get(value, ()), index})
        return places

    def _by_prefixes(self, words: Sequence[str]) -> Iterator[tuple[int, T]]:
        """Yield the values under prefixes of these words, with the index of the word."""
        for index, prefixes in enumerate(map(self._prefixes.get, map(_head, words))):
            if prefixes is not None and (word := words[index]).startswith(prefixes):
                for prefix in prefixes:
                    if word.startswith(prefix):
                        for value in self._by_prefix[prefix]:
                            yield index, value


def _put(table: dict[K, tuple[T, ...]], key: K, value: T) -> None:
    table[key] = (*table.get(key, ()), value)


def _drop(table: dict[K, tuple[T, ...]], key: K, value: T) -> None:
    rest = tuple(other for other in table[key] if other != value)
    if rest:
        table[key] = rest
    else:
        del table[key]


class TermPool:
    """The terms of many queries: equal ones are one object, freed with the last query that has it."""

    def __init__(self) -> None:
        self._terms: WeakValueDictionary[tuple[frozenset[str], frozenset[str], str], Term] = WeakValueDictionary()

    def shared(self, forms: frozenset[str], prefixes: frozenset[str], capitals: str) -> Term:
        """Return the one term of these words."""
        term = self._terms.get((forms, prefixes, capitals))
        if term is None:
            term = self._terms[forms, prefixes, capitals] = Term(forms, prefixes, capitals)
        return term
