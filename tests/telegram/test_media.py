"""What may share an album, and which files an error names."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from telethon.tl import TLObject, types
from telethon.tl.alltlobjects import LAYER

from bot.errors import TelegramError, Verdict
from bot.models.outgoing import Upload
from bot.telegram.media import is_outdated, kind_of_album, outdated_among

NOW = datetime(2025, 3, 10, tzinfo=UTC)


def enclosure(*attributes: TLObject, layer: int = LAYER) -> Upload:
    document = types.Document(1, 2, b"", NOW, "video/mp4", 3, 2, attributes=list(attributes))
    media = types.MessageMediaDocument(document=document)
    raw = bytes(types.Message(5, types.PeerChannel(1), NOW, "", media=media))
    return Upload(kind="document", path=Path("x"), sha256=b"x", mime="video/mp4", file_id=1, raw=raw, layer=layer)


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        ([], "document"),
        ([types.DocumentAttributeFilename("order.pdf")], "document"),
        ([types.DocumentAttributeVideo(3.0, 640, 480)], "visual"),
        ([types.DocumentAttributeVideo(3.0, 640, 480, round_message=True)], None),
        ([types.DocumentAttributeVideo(3.0, 640, 480), types.DocumentAttributeAnimated()], None),
        ([types.DocumentAttributeAudio(3)], "audio"),
        ([types.DocumentAttributeAudio(3, voice=True)], None),
    ],
    ids=["file", "named", "video", "note", "animation", "sound", "voice"],
)
def test_files_share_albums_with_their_like(attributes: list[TLObject], kind: str | None) -> None:
    assert kind_of_album(enclosure(*attributes)) == kind


def test_a_photo_goes_with_videos_and_what_cannot_be_read_is_a_document() -> None:
    photo = Upload(kind="photo", path=Path("x"), sha256=b"x", mime="image/jpeg")
    assert kind_of_album(photo) == "visual"
    assert kind_of_album(enclosure(types.DocumentAttributeVideo(3.0, 640, 480), layer=1)) == "document"


@pytest.mark.parametrize(
    ("error", "numbers"),
    [
        ("FILE_REFERENCE_2_EXPIRED", [2]),
        ("FILE_REFERENCE_0_INVALID", [0]),
        ("FILE_REFERENCE_EXPIRED", [0, 1, 2]),
        ("FILE_REFERENCE_7_EXPIRED", [0, 1, 2]),
    ],
)
def test_an_error_names_the_file_whose_reference_has_expired_or_none(error: str, numbers: list[int]) -> None:
    refusal = TelegramError(error, code=400, verdict=Verdict.DROP)
    assert is_outdated(refusal)
    assert list(outdated_among(refusal, 3)) == numbers
