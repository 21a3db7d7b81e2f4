"""Where a network withholds a channel, and why, in the words of a chat. Pure."""

import re
from collections.abc import Iterable
from functools import lru_cache

from babel import Locale

from bot.locales import N_, Translator
from bot.models import Withholding, Withholdings
from bot.text.markup import one_line

_MOST, _LONGEST, _TEXT = 5, 40, 200  # places that are named; UTF-16 units of a foreign word, of Telegram's text
# https://core.telegram.org/constructor/restrictionReason: several are joined by a dash, countries among them.
_PLATFORMS = {
    "all": N_("all apps"),
    "android": "Android",
    "ios": "iOS",
    "macos": "macOS",
    "wp": "Windows Phone",
    "web": N_("browsers"),
}
_REASONS = {
    "copyright": N_("copyright"),
    "law": N_("the law there"),
    "porn": N_("pornography"),
    "sensitive": N_("for adults"),
    "spam": N_("spam"),
    "terms": N_("terms of use"),
    "violence": N_("violence"),
}


def show_withholdings(found: Withholdings, t: Translator, *, quoted: bool = False) -> str:
    """List places with their reasons: «iOS – copyright; all apps, Russia – the law there»; `quoted`: with its text."""
    shown = [_show(each, t, quoted=quoted) for each in found[:_MOST]]
    return "; ".join(shown) + (f" +{len(found) - _MOST}" if len(found) > _MOST else "")


def _show(each: Withholding, t: Translator, *, quoted: bool) -> str:
    places = ", ".join(_places(each.platform.split("-"), t))
    reason = t.gettext(_REASONS[each.reason]) if each.reason in _REASONS else one_line(each.reason, _LONGEST)
    text = one_line(each.text, _TEXT)
    return f"{places} – {reason}" + (f" («{text}»)" if quoted and text else "")


def _places(words: Iterable[str], t: Translator) -> Iterable[str]:
    for word in words:
        if word in _PLATFORMS:
            yield t.gettext(_PLATFORMS[word])
        elif re.fullmatch("[a-z]{2}", word):
            yield _countries(t.language).get(word.upper(), word)
        else:
            yield one_line(word, _LONGEST)


@lru_cache(maxsize=8)
def _countries(language: str) -> dict[str, str]:
    return dict(Locale.parse(language).territories)
