"""The dossier of a case, as `export` writes it."""

import hashlib
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import available_timezones

from bot.cli.output import ended_by_reader, whole_file
from bot.dossier.formats import DossierFormat
from bot.dossier.making import make
from bot.errors import SettingsError
from bot.locales import LANGUAGES
from bot.models.people import EVERYTHING
from bot.settings import load_settings
from bot.store import cases
from bot.store.cases import Case
from bot.store.database import Reader, open_read_only


async def write_dossier(  # noqa: PLR0913 - likewise
    name: str, how: DossierFormat, output: Path | None, *, language: str, zone: str, now: datetime
) -> None:
    """Write the dossier of a case."""
    if language not in LANGUAGES:
        raise SettingsError(f"--language {language}: there are {', '.join(LANGUAGES)}")
    if zone not in available_timezones():
        raise SettingsError(f"--zone {zone}: it is none; one is called Europe/Berlin, for example")
    settings = load_settings()
    async with open_read_only(settings.database_path) as database:
        case = await case_named(database, name)
        made = await make(
            database,
            case.id,
            how,
            folder=settings.media_path,
            viewer=EVERYTHING,
            language=language,
            time_zone=zone,
            now=now,
        )
    assert made is not None  # noqa: S101 - it was there a moment ago
    place = output or (None if not sys.stdout.isatty() else Path(made.name))
    if place is None:
        with ended_by_reader():
            sys.stdout.buffer.write(made.content)
        return
    with whole_file(place) as out:
        out.write(made.content)
    sys.stderr.write(f"{place}: {len(made.content)} bytes, SHA-256 {hashlib.sha256(made.content).hexdigest()}\n")


async def case_named(database: Reader, name: str) -> Case:
    """Return the case of a name. Raises SettingsError where there is none."""
    case = await cases.find(database, name)
    if case is None:
        raise SettingsError(f"--case: there is no case «{name}»; /cases in the chat lists them")
    return case
