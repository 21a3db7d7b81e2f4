"""Inflection: a word of a query comes in, every form a post may write it in goes out."""

import re
from collections.abc import Iterable
from functools import cached_property

from pymorphy3 import MorphAnalyzer
from pymorphy3.analyzer import Parse

from bot.matching.english import english_forms
from bot.matching.folding import fold

_UKRAINIAN = re.compile("[іїєґ']")
_CYRILLIC = re.compile("[\u0400-\u04ff]+(?:'[\u0400-\u04ff]+)*")
_LATIN = re.compile("[a-z]+")
# Readings less likely than this are not meant, even inside a phrase: «по» is hardly ever a surname.
_LEAST_SCORE = 0.1
_MASCULINE = ("", "а", "у", "ом", "е", "ов", "ам", "ами", "ах")
_TAKES_I = "гкхжчшщ"  # after these letters the plural ends in и, after others in ы
_VERB = {"VERB", "INFN", "PRTF", "PRTS", "GRND"}


class Inflector:
    """Forms of words in Russian, Ukrainian and English.

    The dictionaries (50 MB, 0.1 s) are loaded by the first word that needs them, so a process that only reads saved
    forms never pays for them.
    """

    def forms(self, word: str, *, in_phrase: bool = False) -> frozenset[str]:
        """Return every form of a folded word, itself among them.

        Alone, a word that is a dictionary form means that entry only: «сбой» is not the imperative of «сбоить». In a
        phrase it may be any likely reading: «белые списки» finds «белый список».
        """
        if _LATIN.fullmatch(word):
            return english_forms(word)
        if not _CYRILLIC.fullmatch(word):
            return frozenset({word})
        ukrainian = _known(self._ukrainian.parse(word))
        if _UKRAINIAN.search(word):
            readings = ukrainian or self._ukrainian.parse(word)
            return self._expand(word, _meant(word, readings, in_phrase=in_phrase), self._ukrainian)
        russian = _known(self._russian.parse(word))
        forms = frozenset({word})
        if russian or not ukrainian:
            forms |= self._russian_forms(word, russian, in_phrase=in_phrase)
        return forms | self._expand(word, _meant(word, ukrainian, in_phrase=in_phrase), self._ukrainian)

    @cached_property
    def _russian(self) -> MorphAnalyzer:
        return MorphAnalyzer(lang="ru")

    @cached_property
    def _ukrainian(self) -> MorphAnalyzer:
        return MorphAnalyzer(lang="uk")

    def _russian_forms(self, word: str, known: list[Parse], *, in_phrase: bool) -> frozenset[str]:
        if known:
            return self._expand(word, _meant(word, known, in_phrase=in_phrase), self._russian)
        guesses = self._russian.parse(word)
        own = [reading for reading in guesses if _folded(reading.normal_form) == word]
        if own:
            return self._expand(word, own, self._russian)
        # A guess that is not the word's own base form is mostly wrong: «чебурнет» would be a form of «чебурнуть».
        nouns = [reading for reading in guesses if "NOUN" in reading.tag]
        return self._expand(word, nouns, self._russian) if nouns else _masculine(word)

    def _expand(self, word: str, readings: Iterable[Parse], analyzer: MorphAnalyzer) -> frozenset[str]:
        forms = {word}
        for reading in readings:
            forms.update(_folded(form.word) for form in reading.lexeme)
            if reading.tag.POS in _VERB:
                for twin in _reflexive(reading.normal_form, analyzer):
                    forms.update(_folded(form.word) for form in twin.lexeme)
        return frozenset(forms)


def _known(readings: list[Parse]) -> list[Parse]:
    return [reading for reading in readings if reading.is_known]


def _meant(word: str, readings: list[Parse], *, in_phrase: bool) -> list[Parse]:
    own = [reading for reading in readings if _folded(reading.normal_form) == word]
    if in_phrase:
        return [reading for reading in readings if reading.score >= _LEAST_SCORE] or own
    return own or readings


def _reflexive(infinitive: str, analyzer: MorphAnalyzer) -> list[Parse]:
    """Return «отключиться» for «отключить»: posts say of a thing that it switched off."""
    twins = {infinitive + "ся", infinitive + "сь"}
    return [
        reading
        for twin in sorted(twins)
        for reading in analyzer.parse(twin)
        if reading.is_known and reading.normal_form == twin
    ]


def _masculine(word: str) -> frozenset[str]:
    plural = word + ("и" if word[-1] in _TAKES_I else "ы")
    return frozenset({word + ending for ending in _MASCULINE} | {plural})


def _folded(form: str) -> str:
    return fold(form).lower
