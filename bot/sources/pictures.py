"""Reads the text in photos of posts that have few words of their own, in the channels where people want that.

Downloads bring the photos to the disk; Tesseract reads them, one at a time; what it has read becomes a part of the
post, which is matched and may alert people, once. A photo stays wanted until it is read or given up.
"""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import structlog

from bot.models import Clock
from bot.pipeline.ingest import Ingest
from bot.runtime import tesseract
from bot.runtime.supervisor import TURN, Beat, no_beat
from bot.runtime.tesseract import WITHIN, PictureError, Tesseract
from bot.store import pictures
from bot.store.blobs import Blobs
from bot.store.database import Database, Subject
from bot.store.pictures import WantedPicture

log = structlog.get_logger(__name__)

LOOK_EVERY = 30.0  # s between two looks for what is to be tried again
FIND_EVERY = 600.0  # s between two looks for the program, where it is not there
PAUSE = timedelta(minutes=2)  # after a failed attempt; longer than one may take
MOST_ATTEMPTS = 3


class Pictures:
    """Reads pictures in some languages, by Tesseract's codes."""

    def __init__(  # noqa: PLR0913 - the parts it is made of
        self,
        database: Database,
        ingest: Ingest,
        folder: Path,
        languages: Sequence[str],
        *,
        clock: Clock,
        within: float = WITHIN,
    ) -> None:
        self._database = database
        self._ingest = ingest
        self._blobs = Blobs(folder)
        self._languages = languages
        self._clock = clock
        self._within = within
        self._engine: Tesseract | None = None

    async def run(self, beat: Beat = no_beat) -> None:
        """Read for ever; where nobody wants that, or the program is not there, wait until that changes."""
        changes = self._database.changes
        while True:
            beat(FIND_EVERY + self._within + TURN)
            follows, files = changes.revision(Subject.FOLLOWS), changes.revision(Subject.MEDIA)
            if not await pictures.are_wanted(self._database) or not await self.prepare():
                await changes.wait(Subject.FOLLOWS, follows, FIND_EVERY)
            elif not await self.read_next():
                await changes.wait(Subject.MEDIA, files, LOOK_EVERY)

    async def prepare(self) -> bool:
        """Find the program; return whether it is there."""
        self._engine = self._engine or await tesseract.find(self._languages)
        if self._engine is None:
            log.warning("no text is read in pictures: install tesseract", languages="+".join(self._languages))
        return self._engine is not None

    async def read_next(self) -> bool:
        """Try one photo; return False where there is none to try now."""
        now = self._clock()
        picture = await pictures.next_due(self._database, now)
        if picture is None or self._engine is None:
            return False
        if picture.sha256 is None:
            await self._leave(picture, picture.file_reason or "gone")
        elif picture.known is not None:
            await self._ingest.store_picture(picture, picture.known, picture.known_engine or "")
        else:
            await self._database.write(lambda tx: pictures.put_off(tx, picture, until=now + PAUSE))
            await self._read(picture, self._engine, picture.sha256)
        return True

    async def _read(self, picture: WantedPicture, engine: Tesseract, sha256: bytes) -> None:
        try:
            text = await engine.read(self._blobs.path(sha256), within=self._within)
        except PictureError as error:
            log.info("a picture could not be read", version=picture.version_id, reason=error.reason)
            if picture.attempts + 1 >= MOST_ATTEMPTS:
                await self._leave(picture, error.reason)
                return
            until, reason = self._clock() + PAUSE, error.reason
            await self._database.write(lambda tx: pictures.put_off(tx, picture, until=until, reason=reason))
        else:
            await self._ingest.store_picture(picture, text, engine.name)

    async def _leave(self, picture: WantedPicture, reason: str) -> None:
        await self._database.write(lambda tx: pictures.leave(tx, picture, reason))
