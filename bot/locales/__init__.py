"""Translations of what the bot says. The English text in the code is the key.

The `.po` files are compiled in memory at first use, so that no build step can be forgotten.
"""

import gettext
from dataclasses import dataclass
from functools import cache
from importlib import resources
from io import BytesIO

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

DOMAIN = "channelwatch"
LANGUAGES = ("en", "ru", "uk")
LANGUAGE_NAMES = {each: str(Locale(each).get_language_name()).capitalize() for each in LANGUAGES}  # each in its own
# Speakers of these languages mostly read Russian more readily than English; in a chat we ask them.
RATHER_IN_RUSSIAN = ("be", "kk")
PHONES = {"": "en", "ru": "ru", "uk": "uk", **dict.fromkeys(RATHER_IN_RUSSIAN, "ru")}  # by code; "": of any other


@dataclass(frozen=True, slots=True, kw_only=True)
class Translator:
    """The texts of one language."""

    language: str  # one of LANGUAGES
    catalogue: gettext.NullTranslations

    def gettext(self, message: str) -> str:
        """Translate an English text; one that is in no catalogue stays English."""
        return self.catalogue.gettext(message)

    def ngettext(self, one: str, many: str, n: int) -> str:
        """Translate an English text, in the plural form that the language has for the number `n`."""
        return self.catalogue.ngettext(one, many, n)


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for it, which the extractor knows
    """Mark an English text for translation where it stands in a table; the reader of the table translates it."""
    return message


def plain_code(code: str) -> str:
    """Return the language of a code without its country: `ru-RU` and `RU` are `ru`."""
    return code.lower().replace("_", "-").partition("-")[0]


@cache
def translator(language: str) -> Translator:
    """Return the translator of a language code (`ru`, `ru-RU`); of English for languages without a catalogue."""
    spoken = plain_code(language)
    if spoken not in LANGUAGES:
        spoken = LANGUAGES[0]
    return Translator(language=spoken, catalogue=_compile(spoken))


@cache
def _compile(language: str) -> gettext.NullTranslations:
    source = resources.files(__name__).joinpath(language, "LC_MESSAGES", f"{DOMAIN}.po")
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(source.read_bytes()), locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
