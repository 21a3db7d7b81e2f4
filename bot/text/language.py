"""Which language a text is in, as far as its letters and commonest words tell. Pure."""

import re

_CYRILLIC, _LATIN = re.compile(r"[\u0400-\u04ff]"), re.compile(r"[A-Za-z]")
_RUSSIAN, _UKRAINIAN = re.compile("[ыэёЫЭЁ]"), re.compile("[іїєґІЇЄҐ]")
_HARD_SIGN = re.compile("[ъЪ]")  # common in Bulgarian
# Letters of neighbours: Belarusian, Serbian, Macedonian, Kazakh, Tatar.
_ANOTHER = re.compile("[ўђјљњћџѓќѕәғқңөұүһҗЎЂЈЉЊЋЏЃЌЅӘҒҚҢӨҰҮҺҖ]")
_ENGLISH = re.compile(
    r"\b(?:the|of|and|to|in|is|for|on|with|at|by|from|was|are|that|it|as|be|has|will)\b", re.IGNORECASE
)
_WORD = re.compile(r"[^\W\d_]+")
_LEAST = 0.12  # of the words of an English text are among the commonest
_EXAMINED = 2000  # characters


def language_of(text: str) -> str | None:
    """Return the code of a text's language, `ru`, `uk` or `en`; None where it is another one, or cannot be told."""
    text = text[:_EXAMINED]
    cyrillic, latin = len(_CYRILLIC.findall(text)), len(_LATIN.findall(text))
    if cyrillic > latin:
        return _of_cyrillic(text)
    words = len(_WORD.findall(text))
    return "en" if words and len(_ENGLISH.findall(text)) >= _LEAST * words else None


def _of_cyrillic(text: str) -> str | None:
    if _ANOTHER.search(text):
        return None
    russian, ukrainian = len(_RUSSIAN.findall(text)), len(_UKRAINIAN.findall(text))
    if ukrainian > russian:
        return "uk"
    return "ru" if russian or not _HARD_SIGN.search(text) else None
