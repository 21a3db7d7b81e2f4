"""The dossier of a case, as `export` writes it."""

import shutil
import sys
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.cli.locale_options import need_language, need_zone
from bot.cli.output import ended_by_reader, whole_file
from bot.dossier.assembly import make
from bot.dossier.formats import DossierFormat
from bot.errors import SettingsError
from bot.models.people import EVERYTHING
from bot.settings import load_settings
from bot.store import cases
from bot.store.cases import Case
from bot.store.database import Reader, open_read_only


async def write_dossier(  # noqa: PLR0913 - of what, where to, and how it looks
    name: str, how: DossierFormat, output: Path | None, *, language: str, zone: str, now: datetime
) -> None:
    """Write the dossier of a case."""
    need_language(language)
    need_zone(zone)
    settings = load_settings()
    with TemporaryDirectory() as folder:
        written = Path(folder) / "dossier"
        async with open_read_only(settings.database_path) as database:
            made = await make(
                database,
                (await case_named(database, name)).id,
                how,
                written,
                folder=settings.media_path,
                viewer=EVERYTHING,
                language=language,
                time_zone=zone,
                now=now,
            )
        assert made is not None  # noqa: S101 - it was there a moment ago
        place = output or (None if not sys.stdout.isatty() else Path(made.name))
        with written.open("rb") as content:
            if place is None:
                with ended_by_reader():
                    shutil.copyfileobj(content, sys.stdout.buffer)
                return
            with whole_file(place) as out:
                shutil.copyfileobj(content, out)
    sys.stderr.write(f"{place}: {made.size} bytes, SHA-256 {made.sha256.hex()}\n")


async def case_named(database: Reader, name: str) -> Case:
    """Return the case of a name. Raises SettingsError where there is none."""
    case = await cases.find(database, name)
    if case is None:
        raise SettingsError(f"--case: there is no case «{name}»; /cases in the chat lists them")
    return case
