"""The forms of a word in Russian, Ukrainian and English."""

import re
from functools import cached_property
from importlib.util import find_spec
from weakref import WeakValueDictionary

from pymorphy3 import MorphAnalyzer
from pymorphy3.analyzer import Parse

from bot.matching.words.english import english_forms
from bot.matching.words.folding import fold

_UKRAINIAN = re.compile("[іїєґ']")
_CYRILLIC = re.compile("[\u0400-\u04ff]+(?:'[\u0400-\u04ff]+)*")
_LATIN = re.compile("[a-z]+")
_LONGEST = 50  # letters of a word that is inflected
# Less likely readings do not count even in a phrase: «по» is hardly ever a surname.
_LEAST_SCORE = 0.1
_MASCULINE = ("", "а", "у", "ом", "е", "ов", "ам", "ами", "ах")
_SHORTEST_BASE = 4  # letters of an unknown noun, below which an ending may as well belong to it
_SHORTEST_NOUN = 3
_TAKES_I = "гкхжчшщ"  # after these letters the plural ends in и, after others in ы
_CONSONANTS = "бвгджзклмнпрстфхцчшщ"
_VERB = {"VERB", "INFN", "PRTF", "PRTS", "GRND"}
_INFLECTED = {"NOUN", "ADJF", "INFN"}  # base forms whose other forms can be guessed
_NAMES = {"телеграмм"}  # the dictionary takes them for a form of another word alone


class Inflector:
    """Forms of words in Russian, Ukrainian and English.

    The first word that needs them loads the dictionaries (50 MB, 0.1 s), which all inflectors share as long as one of
    them is there; saved forms need none. The Ukrainian one is optional, as its licence is another: without it a
    Ukrainian word has the form in which it is typed.
    """

    def __init__(self, *, has_ukrainian: bool | None = None) -> None:
        self.has_ukrainian = find_spec("pymorphy3_dicts_uk") is not None if has_ukrainian is None else has_ukrainian

    def forms(self, word: str, *, in_phrase: bool = False) -> frozenset[str]:
        """Return every form of a folded word, itself included.

        Alone, a word that is a dictionary form means that entry only: «сбой» is not the imperative of «сбоить». In a
        phrase it may be any likely reading: «белые списки» finds «белый список».
        """
        if len(word) > _LONGEST:
            return frozenset({word})
        if _LATIN.fullmatch(word):
            return english_forms(word)
        if not _CYRILLIC.fullmatch(word) or self.lacks_forms(word):
            return frozenset({word})
        languages = self._readings(word, in_phrase=in_phrase)
        expanded = (_expand(reading, analyzer) for analyzer, readings in languages for reading in readings)
        forms = frozenset({word}.union(*expanded))
        if not self._is_unknown_noun(word, languages):
            return forms
        plural = word + ("и" if word[-1] in _TAKES_I else "ы")
        return forms | {word + ending for ending in _MASCULINE} | {plural}

    def bases(self, word: str, *, in_phrase: bool = False) -> tuple[str, ...]:
        """Return the base forms of a folded word, the likeliest first: «банки» is банк and банка.

        Ukrainian ones only of a word that Russian does not know: else they are mostly accidents.
        """
        inflected = len(word) <= _LONGEST and _CYRILLIC.fullmatch(word)
        languages = self._readings(word, in_phrase=in_phrase) if inflected else []
        meant = next((readings for _, readings in languages if readings), [])
        return tuple(dict.fromkeys(_folded(reading.normal_form) for reading in meant)) or (word,)

    def lacks_forms(self, word: str) -> bool:
        """Tell whether a folded word has no forms here for want of the Ukrainian dictionary."""
        return not self.has_ukrainian and _UKRAINIAN.search(word) is not None

    def known(self, word: str) -> list[Parse]:
        """Return every reading of a folded word in the dictionaries."""
        if not _CYRILLIC.fullmatch(word):
            return []
        ukrainian = _known(self._parse_ukrainian(word))
        return ukrainian if _UKRAINIAN.search(word) else _known(self._russian.parse(word)) + ukrainian

    @cached_property
    def _russian(self) -> MorphAnalyzer:
        return _analyzer("ru")

    @cached_property
    def _ukrainian(self) -> MorphAnalyzer:
        return _analyzer("uk") if self.has_ukrainian else self._russian  # of which nothing is asked then

    def _parse_ukrainian(self, word: str) -> list[Parse]:
        return self._ukrainian.parse(word) if self.has_ukrainian else []

    def _readings(self, word: str, *, in_phrase: bool) -> list[tuple[MorphAnalyzer, list[Parse]]]:
        """Return the readings of a word in Russian and in Ukrainian; guesses where no dictionary knows it."""
        ukrainian = _known(self._parse_ukrainian(word))
        if _UKRAINIAN.search(word):
            readings = ukrainian or self._parse_ukrainian(word)
            return [(self._ukrainian, _meant(word, readings, in_phrase=in_phrase))]
        russian = _meant(word, _known(self._russian.parse(word)), in_phrase=in_phrase)
        # «телеграм» is in the Ukrainian dictionary alone, and Russian posts say «телеграма»
        if not russian and (not ukrainian or _is_masculine(word, ukrainian)):
            russian = _guessed(word, self._russian)
        return [(self._russian, russian), (self._ukrainian, _meant(word, ukrainian, in_phrase=in_phrase))]

    def _is_unknown_noun(self, word: str, languages: list[tuple[MorphAnalyzer, list[Parse]]]) -> bool:
        """Tell whether a word is to be declined as a masculine noun, for want of a better reading."""
        if word in _NAMES:
            return True
        if _UKRAINIAN.search(word):
            return not any(readings for _, readings in languages)
        (_, russian), (_, ukrainian) = languages
        if any(each.is_known or _is_own(each, word) for each in russian):
            return False
        return _is_masculine(word, ukrainian) if ukrainian else word[-1] in _CONSONANTS


_analyzers: WeakValueDictionary[str, MorphAnalyzer] = WeakValueDictionary()  # by language


def _analyzer(language: str) -> MorphAnalyzer:
    analyzer = _analyzers.get(language)
    if analyzer is None:
        analyzer = _analyzers[language] = MorphAnalyzer(lang=language)
    return analyzer


def _expand(reading: Parse, analyzer: MorphAnalyzer) -> set[str]:
    forms = {_folded(form.word) for form in reading.lexeme}
    if reading.tag.POS in _VERB:  # posts say of a thing that it switched off: «отключиться» too for «отключить»
        for reflexive in (reading.normal_form + "ся", reading.normal_form + "сь"):
            twins = (each for each in _known(analyzer.parse(reflexive)) if each.normal_form == reflexive)
            forms.update(_folded(form.word) for twin in twins for form in twin.lexeme)
    return forms


def _guessed(word: str, analyzer: MorphAnalyzer) -> list[Parse]:
    """Return the readings of an unknown word that can be trusted."""
    guesses = analyzer.parse(word)
    own = [reading for reading in guesses if _is_own(reading, word) and reading.tag.POS in _INFLECTED]
    if own:
        return own
    # A guess that is not the word's own base form is mostly wrong: «чебурнет» would be a form of «чебурнуть», «скам»
    # one of «ска». Only an ending can tell that it is another form: «чебурнета», «чебурнетом».
    nouns = [reading for reading in guesses if "NOUN" in reading.tag]
    if word[-1] not in _CONSONANTS:
        return nouns
    bases = {word.removesuffix(ending) for ending in _MASCULINE if len(word) - len(ending) >= _SHORTEST_BASE}
    return [reading for reading in nouns if _folded(reading.normal_form) in bases]


def _is_masculine(word: str, readings: list[Parse]) -> bool:
    """Tell whether a word is a masculine noun in its base form, of a kind that Russian may have borrowed too."""
    nouns = [reading for reading in readings if _is_own(reading, word) and {"NOUN", "masc"} in reading.tag]
    return bool(nouns) and len(word) >= _SHORTEST_NOUN and word[-1] in _CONSONANTS + "й"


def _is_own(reading: Parse, word: str) -> bool:
    return _folded(reading.normal_form) == word


def _known(readings: list[Parse]) -> list[Parse]:
    return [reading for reading in readings if reading.is_known]


def _meant(word: str, readings: list[Parse], *, in_phrase: bool) -> list[Parse]:
    own = [reading for reading in readings if _is_own(reading, word)]
    if in_phrase:
        return [reading for reading in readings if reading.score >= _LEAST_SCORE] or own or readings
    return own or readings


def _folded(form: str) -> str:
    return fold(form).lower
