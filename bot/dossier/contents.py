"""What a dossier holds: the posts of a case with all their versions, files and sources, read from the store."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.models import StoredPost
from bot.models.captures import Capture
from bot.store import captures, channels, ledger, media, posts
from bot.store.blobs import Blobs
from bot.store.cases import Case, CasePost
from bot.store.channels import Channel
from bot.store.database import Reader
from bot.store.ledger import LedgerTurn
from bot.store.media import FileState, MediaFile

MOST_EMBEDDED = 20 << 20  # bytes of all pictures that a dossier shows; of the others it gives name and SHA-256
LARGEST = 5 << 20  # bytes of one
_PICTURES = {b"\xff\xd8\xff": "jpg", b"\x89PNG": "png"}  # by their first bytes, whatever a channel says they are


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierFile:
    """A file of a version; a picture that is shown has a path."""

    file: MediaFile
    picture: Path | None
    ending: str = ""  # of a picture


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierVersion:
    """What a message said at one time."""

    post: StoredPost
    sha256: bytes  # of the bytes in which it came
    files: tuple[DossierFile, ...]


Messages = tuple[tuple[DossierVersion, ...], ...]  # of a post: each with all versions, the oldest first


def now_of(versions: Sequence[DossierVersion]) -> DossierVersion:
    """Return a message as it is now, or was last."""
    return next((each for each in versions if each.post.is_current), versions[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierPost:
    """A post of a case."""

    saved: CasePost
    messages: Messages
    capture: Capture | None  # the last one of its public page
    turns: tuple[LedgerTurn, ...]  # when its messages vanished, and were seen again

    @property
    def first(self) -> StoredPost:
        """The first message as it is now, or was last."""
        return now_of(self.messages[0]).post


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """All that is known of a case at one moment."""

    case: Case
    posts: tuple[DossierPost, ...]  # in the order in which they were posted
    sources: tuple[Channel, ...]
    made_at: datetime


async def sources_of(db: Reader, saved: Sequence[CasePost]) -> tuple[Channel, ...]:
    """Return the channels of posts, the one of the first first."""
    found = [await channels.get(db, channel_id) for channel_id in dict.fromkeys(each.channel_id for each in saved)]
    return tuple(each for each in found if each is not None)


async def each_post(db: Reader, saved: Sequence[CasePost], folder: Path) -> AsyncIterator[DossierPost]:
    """Yield the posts of a case with all that is known of each; `folder` is that of the blobs."""
    pictures = ShownPictures(Blobs(folder))
    for each in saved:
        messages = await messages_of(db, each.channel_id, each.message_id, pictures)
        capture = await captures.of_post(db, each.channel_id, each.message_id)
        ids = [versions[0].post.message_id for versions in messages]
        turns = tuple(await ledger.turns_of(db, each.channel_id, ids))
        yield DossierPost(saved=each, messages=messages, capture=capture, turns=turns)


async def messages_of(db: Reader, channel_id: int, message_id: int, pictures: "ShownPictures") -> Messages:
    """Return the messages of the post to which a message belongs, which is stored, the lowest number first."""
    (one,) = await posts.current(db, channel_id, [message_id])
    items = await posts.by_key(db, channel_id, one.key)
    every = [await posts.versions(db, item.channel_id, item.message_id) for item in items]
    ids = [version.version_id for versions in every for version in versions]
    hashes = await posts.hashes_of(db, ids)
    files: dict[int, list[MediaFile]] = {}
    for file in await media.of_versions(db, ids):
        files.setdefault(file.version_id, []).append(file)
    return tuple(_versions(each, hashes, files, pictures) for each in every)


def _versions(
    found: Sequence[StoredPost], hashes: dict[int, bytes], files: dict[int, list[MediaFile]], pictures: "ShownPictures"
) -> tuple[DossierVersion, ...]:
    return tuple(
        DossierVersion(
            post=each,
            sha256=hashes[each.version_id],
            files=tuple(map(pictures.show, files.get(each.version_id, ()))),
        )
        for each in found
    )


class ShownPictures:
    """Chooses the pictures that are shown, as long as there is room."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._shown: dict[bytes, str] = {}
        self._left = MOST_EMBEDDED

    def show(self, file: MediaFile) -> DossierFile:
        """Return a file, with its path where it is a picture for which there is room."""
        sha256, size = file.sha256, file.size or 0
        if sha256 is None or file.state is not FileState.KEPT or size > LARGEST or not self._blobs.has(sha256):
            return DossierFile(file=file, picture=None)
        if sha256 not in self._shown:
            with self._blobs.path(sha256).open("rb") as content:
                beginning = content.read(4)
            ending = next((ending for first, ending in _PICTURES.items() if beginning.startswith(first)), "")
            if not ending or size > self._left:
                return DossierFile(file=file, picture=None)
            self._shown[sha256] = ending
            self._left -= size
        return DossierFile(file=file, picture=self._blobs.path(sha256), ending=self._shown[sha256])
