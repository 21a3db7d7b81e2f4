"""Options of commands on how words and times are written."""

from zoneinfo import ZoneInfo

from bot.errors import SettingsError
from bot.locales import LANGUAGES


def need_language(typed: str) -> None:
    """Raise SettingsError where there are no words in a language."""
    if typed not in LANGUAGES:
        raise SettingsError(f"--language: there is no «{typed}»; write one of {', '.join(LANGUAGES)}")


def need_zone(typed: str, option: str = "--zone") -> ZoneInfo:
    """Return the time zone of a name. Raises SettingsError where there is none."""
    try:
        return ZoneInfo(typed)
    except (LookupError, ValueError, OSError):  # it is looked for as a file
        raise SettingsError(f"{option}: there is no time zone «{typed}»; write one such as Europe/Moscow") from None
