"""Inflection: a word of a query comes in, every form a post may write it in goes out."""

import re
from functools import cached_property

from pymorphy3 import MorphAnalyzer
from pymorphy3.analyzer import Parse

from bot.matching.english import english_forms
from bot.matching.folding import fold

_UKRAINIAN = re.compile("[іїєґ']")
_CYRILLIC = re.compile("[\u0400-\u04ff]+(?:'[\u0400-\u04ff]+)*")
_LATIN = re.compile("[a-z]+")
_LONGEST = 50  # letters; what is longer is no word, and would have long forms
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
        if len(word) > _LONGEST:
            return frozenset({word})
        if _LATIN.fullmatch(word):
            return english_forms(word)
        if not _CYRILLIC.fullmatch(word):
            return frozenset({word})
        languages = self._readings(word, in_phrase=in_phrase)
        if not any(readings for _, readings in languages):
            return _masculine(word)
        expanded = (_expand(reading, analyzer) for analyzer, readings in languages for reading in readings)
        return frozenset({word}.union(*expanded))

    def bases(self, word: str, *, in_phrase: bool = False) -> tuple[str, ...]:
        """Return the base forms of what a folded word is taken for, the likeliest first: «банки» is банк and банка.

        Of a word that Russian knows, Ukrainian readings are not told; they are mostly accidents.
        """
        inflected = len(word) <= _LONGEST and _CYRILLIC.fullmatch(word)
        languages = self._readings(word, in_phrase=in_phrase) if inflected else []
        meant = next((readings for _, readings in languages if readings), [])
        return tuple(dict.fromkeys(_folded(reading.normal_form) for reading in meant)) or (word,)

    def known(self, word: str) -> list[Parse]:
        """Return every reading that the dictionaries have of a folded word; none for a word they do not know."""
        if not _CYRILLIC.fullmatch(word):
            return []
        ukrainian = _known(self._ukrainian.parse(word))
        return ukrainian if _UKRAINIAN.search(word) else _known(self._russian.parse(word)) + ukrainian

    @cached_property
    def _russian(self) -> MorphAnalyzer:
        return MorphAnalyzer(lang="ru")

    @cached_property
    def _ukrainian(self) -> MorphAnalyzer:
        return MorphAnalyzer(lang="uk")

    def _readings(self, word: str, *, in_phrase: bool) -> list[tuple[MorphAnalyzer, list[Parse]]]:
        """Return what a word is taken for in Russian and in Ukrainian; nothing where nobody can guess."""
        ukrainian = _known(self._ukrainian.parse(word))
        if _UKRAINIAN.search(word):
            readings = ukrainian or self._ukrainian.parse(word)
            return [(self._ukrainian, _meant(word, readings, in_phrase=in_phrase))]
        russian = _meant(word, _known(self._russian.parse(word)), in_phrase=in_phrase)
        if not (russian or ukrainian):
            russian = _guessed(word, self._russian)
        return [(self._russian, russian), (self._ukrainian, _meant(word, ukrainian, in_phrase=in_phrase))]


def _expand(reading: Parse, analyzer: MorphAnalyzer) -> set[str]:
    forms = {_folded(form.word) for form in reading.lexeme}
    if reading.tag.POS in _VERB:
        for twin in _reflexive(reading.normal_form, analyzer):
            forms.update(_folded(form.word) for form in twin.lexeme)
    return forms


def _reflexive(infinitive: str, analyzer: MorphAnalyzer) -> list[Parse]:
    """Return «отключиться» for «отключить»: posts say of a thing that it switched off."""
    twins = (infinitive + "ся", infinitive + "сь")
    return [each for twin in twins for each in _known(analyzer.parse(twin)) if each.normal_form == twin]


def _guessed(word: str, analyzer: MorphAnalyzer) -> list[Parse]:
    guesses = analyzer.parse(word)
    own = [reading for reading in guesses if _folded(reading.normal_form) == word]
    # A guess that is not the word's own base form is mostly wrong: «чебурнет» would be a form of «чебурнуть».
    return own or [reading for reading in guesses if "NOUN" in reading.tag]


def _known(readings: list[Parse]) -> list[Parse]:
    return [reading for reading in readings if reading.is_known]


def _meant(word: str, readings: list[Parse], *, in_phrase: bool) -> list[Parse]:
    own = [reading for reading in readings if _folded(reading.normal_form) == word]
    if in_phrase:
        return [reading for reading in readings if reading.score >= _LEAST_SCORE] or own or readings
    return own or readings


def _masculine(word: str) -> frozenset[str]:
    plural = word + ("и" if word[-1] in _TAKES_I else "ы")
    return frozenset({word + ending for ending in _MASCULINE} | {plural})


def _folded(form: str) -> str:
    return fold(form).lower
