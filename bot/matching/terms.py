"""The words of many queries: a document comes in, the places where each of their terms stands go out."""

from collections import Counter
from typing import TypeAlias, TypeVar
from weakref import WeakValueDictionary

from bot.matching.plan import Term
from bot.matching.text import Document

_MOST_KNOWN = 50_000  # tokens whose terms are remembered
_HEAD = 3  # letters by which prefixes are looked up; the language allows no shorter ones

_Key: TypeAlias = tuple[frozenset[str], frozenset[str], str]
_Value = TypeVar("_Value")


class Terms:
    """A token leads to the terms it is a form of; terms that ask for the same are one."""

    def __init__(self) -> None:
        self._shared: WeakValueDictionary[_Key, Term] = WeakValueDictionary()
        self._uses: Counter[Term] = Counter()
        self._by_form: dict[str, tuple[Term, ...]] = {}
        self._by_head: dict[str, tuple[tuple[str, Term], ...]] = {}  # first letters → (prefix, term)
        self._known: dict[str, tuple[Term, ...]] = {}  # tokens met lately → their terms

    def shared(self, forms: frozenset[str], prefixes: frozenset[str], capitals: str) -> Term:
        """Return the one term that asks for this."""
        term = self._shared.get((forms, prefixes, capitals))
        if term is None:
            term = self._shared[forms, prefixes, capitals] = Term(forms, prefixes, capitals)
        return term

    def add(self, term: Term) -> None:
        """Count one more use of a term."""
        self._uses[term] += 1
        if self._uses[term] > 1:
            return
        self._known.clear()
        for form in term.forms:
            self._by_form[form] = (*self._by_form.get(form, ()), term)
        for prefix in term.prefixes:
            head = prefix[:_HEAD]
            self._by_head[head] = (*self._by_head.get(head, ()), (prefix, term))

    def remove(self, term: Term) -> None:
        """Count one use of a term less; without any it is forgotten."""
        self._uses[term] -= 1
        if self._uses[term]:
            return
        del self._uses[term]
        self._known.clear()
        for form in term.forms:
            _keep(self._by_form, form, [other for other in self._by_form[form] if other is not term])
        for head in {prefix[:_HEAD] for prefix in term.prefixes}:
            _keep(self._by_head, head, [pair for pair in self._by_head[head] if pair[1] is not term])

    def places(self, document: Document) -> dict[Term, list[int]]:
        """Return where each term stands: indexes of tokens, ascending; terms that stand nowhere are absent."""
        found: dict[Term, list[int]] = {}
        known = self._known
        for index, token in enumerate(document.tokens):
            terms = known.get(token)
            for term in self._terms_of(token) if terms is None else terms:
                if term in found:
                    found[term].append(index)
                else:
                    found[term] = [index]
        return found

    def _terms_of(self, token: str) -> tuple[Term, ...]:
        """Look up the terms that a token is a form of or begins like, and remember them: posts repeat their words."""
        begun = [term for prefix, term in self._by_head.get(token[:_HEAD], ()) if token.startswith(prefix)]
        terms = tuple(dict.fromkeys([*self._by_form.get(token, ()), *begun]))
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[token] = terms
        return terms


def _keep(table: dict[str, tuple[_Value, ...]], key: str, values: list[_Value]) -> None:
    if values:
        table[key] = tuple(values)
    else:
        del table[key]
