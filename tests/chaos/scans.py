"""A seed comes in; a service that relays scans is killed again and again, and what was not shown once goes out.

Some of the posts are photos and albums, which the people want with their alerts. In the end each page was shown once to
each of them, whatever was cut off on its way down or up.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from bot.sandbox import User
from tests.chaos.deliveries import WORDS, Deliveries, Outcome
from tests.chaos.settling import Rounds, missing
from tests.kit import SOMETHING_DUE

WITH_SCANS = 0.3  # of the posts
PAGES = (1, 2, 3, 5)
METHODS = ("SaveFilePart", "UploadMedia", "SendMedia", "SendMultiMedia")
TROUBLES = ("hold", "lose", "error", "flood")
TRIED_AGAIN = 400  # rounds; a file whose download was cut off is tried again after 30 s, then after 60 s
ON_ITS_WAY = f"{SOMETHING_DUE} UNION ALL SELECT 1 FROM media WHERE state = 'wanted'"  # noqa: S608 - our own constant


class Scans(Deliveries):
    """One run whose posts have files too."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.pages: list[bytes] = []

    def _no_storms(self) -> None:
        super()._no_storms()
        with closing(sqlite3.connect(self.service.settings.database_path)) as db, db:
            db.execute("UPDATE chats SET media = 1 WHERE kind = 'user'")

    def _post(self) -> None:
        if self.random.random() > WITH_SCANS:
            super()._post()
            return
        self.outcome.posts += 1
        pages = [f"{self.outcome.posts}/{number}".encode() for number in range(self.random.choice(PAGES))]
        self.pages += pages
        photos = [self.service.sandbox.world.media.photo(page) for page in pages]
        text = f"Пожар {self.outcome.posts}: {' '.join(self.random.choices(WORDS, k=12))}"
        channel, push = self.random.choice(self.channels), self.random.random() < 0.8
        if len(photos) > 1:
            channel.album(photos, text, push=push)
        else:
            channel.post(text, media=photos[0], push=push)

    def _trouble(self) -> None:
        if self.random.random() < 0.5:
            super()._trouble()
            return
        faults, method, what = self.service.sandbox.faults, self.random.choice(METHODS), self.random.choice(TROUBLES)
        if what == "hold":
            faults.hold(method)
        elif what == "lose":
            faults.lose_reply(method, times=self.random.randint(1, 2))
        elif what == "error":
            faults.answer(method, "RPC_CALL_FAIL", code=500, times=2)
        else:
            faults.flood_wait(method, 1, times=1)

    async def _settle(self) -> None:
        await super()._settle()
        with closing(sqlite3.connect(f"file:{self.service.settings.database_path}?mode=ro", uri=True)) as db:

            async def on_its_way() -> list[str]:
                return [str(row) for row in db.execute(ON_ITS_WAY)]

            await missing(Rounds(self.service.sandbox), on_its_way, rounds=TRIED_AGAIN)
        await Rounds(self.service.sandbox).more(3)  # for what comes twice

    def _compare(self) -> None:
        super()._compare()
        for person in self.people:
            self.outcome.differences += self._differences_of_pages(person)
        strays = list((self.service.settings.data_dir / "media").glob("coming-*"))
        self.outcome.differences += [f"left behind: {stray.name}" for stray in strays]

    def _differences_of_pages(self, person: User) -> Iterator[str]:
        media = [message.media for message in self._shown(person)]
        shown = Counter(map(self._content, (each.photo for each in media if each is not None)))
        self.outcome.pages += shown.total()
        yield from (f"{person.id}: never shown: {page!r}" for page in self.pages if page not in shown)
        yield from (f"{person.id}: shown {times} times: {page!r}" for page, times in shown.items() if times > 1)

    def _content(self, photo: object) -> bytes:
        names = (getattr(photo, name) for name in ("id", "access_hash", "file_reference"))
        return self.service.sandbox.world.media.find(*names).data


async def deliver_scans(seed: int, folder: Path, *, kills: int) -> Outcome:
    """Run one in an empty folder."""
    return await Scans(seed=seed, folder=folder, kills=kills).run()
