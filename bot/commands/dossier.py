"""The dossier of a case, or a picture of a post: ordered by a tap, made in a process apart, sent once it is there."""

import asyncio
import hashlib
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from bot.commands import post as post_screen
from bot.commands.context import Context, FileOrder, RenderingOrder, Reply, Request, change, failure
from bot.commands.lookup import need_case
from bot.commands.registry import tap
from bot.commands.rights import Need
from bot.dossier.formats import DossierFormat
from bot.dossier.making import (
    DossierError,
    MadeFile,
    make,
    make_rendering,
)
from bot.errors import FatalError
from bot.locales import N_, translator
from bot.models import Clock
from bot.models.outgoing import Outgoing, Peer, Upload
from bot.models.people import Viewer
from bot.search.pool import SearchError, Searches
from bot.telegram.sender import Sender
from bot.text.buttons import CHANNEL, button, rows_of
from bot.text.markup import Text, bold, one_line

log = structlog.get_logger(__name__)

WITHIN = 120.0  # s in which a dossier is made
LARGEST = 48 << 20  # bytes that a phone is sent
_NAME = 60  # UTF-16 units
_TOO_MUCH = {
    DossierFormat.PDF: N_("A PDF holds {n} posts at most. Take the HTML page, or split the case."),
    DossierFormat.PICTURES: N_("These would be more than {n} pictures. Split the case."),
}
_LABELS = {
    DossierFormat.PDF: N_("PDF, to print"),
    DossierFormat.HTML: N_("HTML page"),
    DossierFormat.XLSX: N_("Excel table"),
    DossierFormat.CSV: N_("CSV table"),
    DossierFormat.JSONL: N_("JSON Lines"),
    DossierFormat.PICTURES: N_("Pictures, ZIP"),
}


@tap("dossier", Need.LOOK, rf"\d{{1,15}}(:({'|'.join(DossierFormat)}))?")
async def dossier(request: Request, context: Context) -> Reply:
    """Offer the formats of a dossier; with one in the data, order it."""
    number, _, how = request.argument.partition(":")
    case, t = await need_case(context.database, int(number), context), context.t
    if not how:
        offered = [button(t.gettext(label), "dossier", case.id, each) for each, label in _LABELS.items()]
        line = t.gettext("Dossier of «{name}»: all versions, what changed, files and sources. In which format?")
        text = Text().say(line, name=bold(one_line(case.name, _NAME)))
        return change(text, (*rows_of(offered, 2), (button(t.gettext("Back"), "case", case.id, 0),)))
    order = FileOrder(
        case_id=case.id,
        format=DossierFormat(how),
        viewer=context.viewer.chat_id,
        language=t.language,
        time_zone=context.chat.time_zone,
    )
    return Reply(note=context.own.gettext("I am making it. The file comes in some seconds."), order=order)


@tap("picture", Need.LOOK, rf"{CHANNEL}:-?\d{{1,10}}")
async def picture(request: Request, context: Context) -> Reply:
    """Order the picture of a post."""
    channel_id, message_id = map(int, request.argument.split(":"))
    first = (await post_screen.stored(channel_id, message_id, context))[0]
    order = RenderingOrder(
        channel_id=first.channel_id,
        message_id=first.message_id,
        language=context.t.language,
        time_zone=context.chat.time_zone,
    )
    return Reply(note=context.own.gettext("I am making it. The picture comes in some seconds."), order=order)


class Dossiers:
    """Makes the dossiers that are ordered, and sends them."""

    def __init__(self, sender: Sender, makers: Searches, folder: Path, *, clock: Clock) -> None:
        self._sender = sender
        self._makers = makers
        self._folder = folder  # of the blobs
        self._clock = clock

    async def bring(
        self, order: FileOrder | RenderingOrder, peer: Peer, *, random_id: int, reply_to: int | None
    ) -> None:
        """Send what was ordered, or say why there is none. Raises TelegramError."""
        made = await self._made(order, peer)
        try:
            if not isinstance(made, str):
                await self._send(made, peer, random_id=random_id, reply_to=reply_to)
                return
        except OSError:  # no room for the file
            log.exception("a file could not be sent", order=order)
            made = failure(translator(order.language))
        await self._sender.send(peer, Outgoing(text=made), random_id=random_id, reply_to=reply_to)

    async def _send(self, made: MadeFile, peer: Peer, *, random_id: int, reply_to: int | None) -> None:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "dossier"
            await asyncio.to_thread(path.write_bytes, made.content)
            digest = hashlib.sha256(made.content)
            upload = Upload(kind="document", path=path, sha256=digest.digest(), mime=made.mime, name=made.name)
            remote = await self._sender.upload(peer, upload)
        caption = Outgoing(text=f"SHA-256 {digest.hexdigest()}")
        await self._sender.send_files(peer, caption, [(remote, random_id)], reply_to=reply_to)

    async def _made(self, order: FileOrder | RenderingOrder, peer: Peer) -> MadeFile | str:
        """Return what was ordered, or a sentence on why there is none."""
        t = translator(order.language)
        try:
            made = await self._make(order, peer)
        except DossierError as error:
            return t.gettext(_TOO_MUCH[error.how]).format(n=error.most)
        except SearchError as error:
            log.warning("a file could not be made in time", order=order, reason=str(error))
            return t.gettext("The dossier took too long. On the server it can be made with: channelwatch export --case")
        except FatalError:
            raise
        except Exception:  # of the disk, or of what a post says
            log.exception("a file could not be made", order=order)
            return failure(t)
        if made is not None and len(made.content) > LARGEST:
            return t.gettext("The file is too large for a chat. On the server: channelwatch export --case")
        return made or t.gettext("This case no longer exists.")

    async def _make(self, order: FileOrder | RenderingOrder, peer: Peer) -> MadeFile | None:
        run = partial(
            self._makers.run,
            who=peer,
            within=WITHIN,
            folder=self._folder,
            language=order.language,
            time_zone=order.time_zone,
        )
        if isinstance(order, RenderingOrder):
            return await run(make_rendering, order.channel_id, order.message_id)
        viewer = Viewer(chat_id=order.viewer)
        return await run(make, order.case_id, order.format, viewer=viewer, now=self._clock())
