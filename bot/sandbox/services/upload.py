"""upload.*: files in parts, up and down."""

from telethon.tl import TLObject, functions
from telethon.tl import types as tl

from bot.sandbox.dispatcher import Caller
from bot.sandbox.services.base import RpcService, handles
from bot.sandbox.world import Refused

_STEP = 1024  # bytes; offsets are multiples of it
_MAX_PIECE = 1 << 20


class UploadService(RpcService):
    """Uploads and downloads."""

    @handles(functions.upload.SaveFilePartRequest)
    def save_part(self, request: functions.upload.SaveFilePartRequest, caller: Caller) -> bool:
        """Keep a part of a small file."""
        self.world.media.save_part(self.me(caller).id, request.file_id, request.file_part, request.bytes)
        return True

    @handles(functions.upload.SaveBigFilePartRequest)
    def save_big_part(self, request: functions.upload.SaveBigFilePartRequest, caller: Caller) -> bool:
        """Keep a part of a file over 10 MB."""
        self.world.media.save_part(self.me(caller).id, request.file_id, request.file_part, request.bytes)
        return True

    @handles(functions.upload.GetFileRequest)
    def get_file(self, request: functions.upload.GetFileRequest, _caller: Caller) -> TLObject:
        """Return a piece of a photo or document."""
        where = request.location
        if not isinstance(where, tl.InputPhotoFileLocation | tl.InputDocumentFileLocation):
            raise Refused("LOCATION_INVALID")
        if request.offset < 0 or (request.offset % _STEP and not request.precise):
            raise Refused("OFFSET_INVALID")
        if not 0 < request.limit <= _MAX_PIECE:
            raise Refused("LIMIT_INVALID")
        file = self.world.media.find(where.id, where.access_hash, where.file_reference)
        piece = file.data[request.offset : request.offset + request.limit]
        kind = tl.storage.FileJpeg() if isinstance(where, tl.InputPhotoFileLocation) else tl.storage.FileUnknown()
        return tl.upload.File(kind, int(file.date.timestamp()), piece)
