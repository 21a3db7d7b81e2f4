"""Names of languages, in each language of ours, by their codes of ISO 639-1."""

from functools import cache

from babel import Locale

from bot.locales import LANGUAGES, Translator

_CODE = 2  # letters


def language_name(code: str, t: Translator) -> str:
    """Return what a language is called in another one: «German»."""
    return str(Locale(t.language).languages.get(code, code))


def find_language(typed: str) -> str | None:
    """Return the code of a language by its code or its name in a language of ours; None: unknown."""
    return _codes().get(" ".join(typed.split()).casefold())


@cache
def _codes() -> dict[str, str]:
    names = dict[str, str]()
    for language in LANGUAGES:
        for code, name in Locale(language).languages.items():
            if len(code) == _CODE:
                names |= {code: code, str(name).casefold(): code}
    return names
