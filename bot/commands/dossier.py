"""The dossier of a case, or a picture of a post: ordered by a tap, made in a process apart, sent once it is there."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from bot.commands import post as post_screen
from bot.commands.context import Context, FileOrder, RenderingOrder, Reply, Request, change, failure
from bot.commands.lookup import need_case
from bot.commands.registry import tap
from bot.commands.rights import Need
from bot.dossier.assembly import MOST_ON_PAPER, MOST_PICTURES, DossierError, MadeFile, make, make_rendering
from bot.dossier.formats import DossierFormat
from bot.errors import FatalError
from bot.locales import N_, translator
from bot.locales.locale import show_size
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
    DossierFormat.PDF: N_(
        "A PDF holds {posts} posts, fewer where they are long or often edited. Take the HTML page, or split the case."
    ),
    DossierFormat.PICTURES: N_("These would be more than {pictures} pictures. Split the case."),
}
_TOO_LONG = N_("This is too much text for such a file. Take the CSV table, or split the case.")
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
    return Reply(note=context.own.gettext("I am making it. The file will be here in a few seconds."), order=order)


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
    return Reply(note=context.own.gettext("I am making it. The picture will be here in a few seconds."), order=order)


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
        try:
            with TemporaryDirectory() as folder:
                place = Path(folder) / "dossier"
                made = await self._made(order, peer, place)
                if not isinstance(made, str):
                    upload = Upload(kind="document", path=place, sha256=made.sha256, mime=made.mime, name=made.name)
                    remote = await self._sender.upload(peer, upload)
                    caption = Outgoing(text=f"SHA-256 {made.sha256.hex()}")
                    await self._sender.send_files(peer, caption, [(remote, random_id)], reply_to=reply_to)
                    return
        except OSError:  # no room for the file
            log.exception("a file could not be sent", order=order)
            made = failure(translator(order.language))
        await self._sender.send(peer, Outgoing(text=made), random_id=random_id, reply_to=reply_to)

    async def _made(self, order: FileOrder | RenderingOrder, peer: Peer, place: Path) -> MadeFile | str:
        """Write what was ordered to a place, or return a sentence on why there is none."""
        t = translator(order.language)
        try:
            made = await self._make(order, peer, place)
        except DossierError as error:
            return t.gettext(_TOO_MUCH.get(error.how, _TOO_LONG)).format(posts=MOST_ON_PAPER, pictures=MOST_PICTURES)
        except SearchError as error:
            log.warning("a file could not be made in time", order=order, reason=str(error))
            return t.gettext("The dossier took too long. On the server it can be made with: channelwatch export --case")
        except FatalError:
            raise
        except Exception:  # of the disk, or of what a post says
            log.exception("a file could not be made", order=order)
            return failure(t)
        if made is not None and made.size > LARGEST:
            line = t.gettext(
                "The file takes {size}, too much for a chat. Take the Excel table, split the case, or make it on the "
                "server: channelwatch export --case"
            )
            return line.format(size=show_size(made.size, t))
        return made or t.gettext("This case no longer exists.")

    async def _make(self, order: FileOrder | RenderingOrder, peer: Peer, place: Path) -> MadeFile | None:
        run = partial(
            self._makers.run,
            who=peer,
            within=WITHIN,
            folder=self._folder,
            language=order.language,
            time_zone=order.time_zone,
        )
        if isinstance(order, RenderingOrder):
            return await run(make_rendering, order.channel_id, order.message_id, place)
        viewer = Viewer(chat_id=order.viewer)
        return await run(make, order.case_id, order.format, place, viewer=viewer, now=self._clock())
