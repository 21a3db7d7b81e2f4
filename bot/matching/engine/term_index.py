"""An index of values by the words of terms: one look-up a word of a document."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from bot.matching.engine.plan import Term

_HEAD = 3  # letters by which prefixes are looked up; the query language allows no shorter ones

K = TypeVar("K")
T = TypeVar("T")


_MOST_KNOWN = 1 << 15  # words whose values are remembered


class _Known(dict[str, tuple[T, ...]]):
    """The values of words that were seen, also of those without any: prefixes cost more than all else."""

    def __init__(self, look_up: Callable[[str], tuple[T, ...]]) -> None:
        super().__init__()
        self._look_up = look_up

    def __missing__(self, word: str) -> tuple[T, ...]:
        if len(self) >= _MOST_KNOWN:
            self.clear()
        values = self[word] = self._look_up(word)
        return values


class TermIndex(Generic[T]):
    """Values by the words of terms; capitals do not count."""

    def __init__(self) -> None:
        self._known: _Known[T] = _Known(self._look_up)
        self._by_form: dict[str, tuple[T, ...]] = {}
        self._by_prefix: dict[str, tuple[T, ...]] = {}
        self._prefixes: dict[str, tuple[str, ...]] = {}  # by their first letters

    def add(self, term: Term, value: T) -> None:
        """Add a value under a term."""
        self._known.clear()
        new = term.forms.difference(self._by_form)
        for form in term.forms - new:
            self._by_form[form] += (value,)
        self._by_form.update(dict.fromkeys(new, (value,)))  # one tuple for all forms that have no other value
        for prefix in term.prefixes:
            if prefix not in self._by_prefix:
                _put(self._prefixes, prefix[:_HEAD], prefix)
            _put(self._by_prefix, prefix, value)

    def remove(self, term: Term, value: T) -> None:
        """Remove a value from under a term."""
        self._known.clear()
        for form in term.forms:
            _drop(self._by_form, form, value)
        for prefix in term.prefixes:
            _drop(self._by_prefix, prefix, value)
            if prefix not in self._by_prefix:
                _drop(self._prefixes, prefix[:_HEAD], prefix)

    def find(self, words: Sequence[str]) -> Iterator[T]:
        """Yield the values under these words, once for each word."""
        # all in C: a loop over the words would cost half as much as splitting the text into them
        return chain.from_iterable(filter(None, map(self._values_of, words)))

    def places(self, words: Sequence[str]) -> dict[T, list[int]]:
        """Return the values under these words, with the indexes of their words, in order."""
        places: dict[T, list[int]] = {}
        for index, values in enumerate(map(self._values_of, words)):
            for value in values or ():
                found = places.setdefault(value, [])
                if not found or found[-1] != index:  # the value may stand under the word and under its beginning
                    found.append(index)
        return places

    @property
    def _values_of(self) -> Callable[[str], tuple[T, ...] | None]:
        return self._known.__getitem__ if self._prefixes else self._by_form.get

    def _look_up(self, word: str) -> tuple[T, ...]:
        values = self._by_form.get(word, ())
        prefixes = self._prefixes.get(word[:_HEAD])
        if prefixes is None or not word.startswith(prefixes):
            return values
        return (*values, *(value for each in prefixes if word.startswith(each) for value in self._by_prefix[each]))


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
