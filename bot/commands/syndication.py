"""The addresses at which readers of news fetch a topic or a saved search: each chat has its own, not to be guessed."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum

from bot.commands.context import CommandError, Context, Reply, Request, message, writes
from bot.commands.lookup import show_topic, topic_by_id
from bot.commands.registry import outdated, tap
from bot.commands.rights import Need
from bot.dossier.syndication import SyndicationFormat
from bot.models.outgoing import Button, Outgoing
from bot.models.people import Viewer
from bot.search.filters import FilterError, read
from bot.search.searcher import scope_of
from bot.store import meta, saved_searches, topics
from bot.store.database import Reader, Transaction
from bot.text.buttons import button
from bot.text.markup import Piece, Text, bold, code, one_line

SECRET, URL = "syndication_secret", "syndication_url"  # rows of `meta`; no URL: nothing is served
_DIGITS = 32  # of a signature: 128 bits
_LONGEST = 80  # UTF-16 units of a search


class SyndicatedKind(StrEnum):
    """What is fetched, by its letter in an address."""

    TOPIC = "t"
    SEARCH = "s"  # saved by the chat


_NAMED = rf"[{''.join(SyndicatedKind)}]\d{{1,15}}"
_PATH = re.compile(rf"/([0-9a-f]{{{_DIGITS}}})/({_NAMED})-(\d{{1,15}})\.({'|'.join(SyndicationFormat)})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Syndicated:
    """A topic or a saved search as one chat sees it, in one format."""

    kind: SyndicatedKind
    id: int  # of the topic or the search
    chat_id: int
    format: SyndicationFormat

    @property
    def name(self) -> str:
        """The name that all its formats share."""
        return f"{self.kind}{self.id}-{self.chat_id}"

    async def path(self, db: Reader) -> str:
        """Return the path of its address."""
        return f"/{await self._signature(db)}/{self.name}.{self.format}"

    @classmethod
    async def read(cls, db: Reader, path: str) -> "Syndicated | None":
        """Return what a path names; None where it is no address of the chat, or none any more."""
        found = _PATH.fullmatch(path)
        if found is None:
            return None
        signature, named, chat_id, how = found.groups()
        kind, id_ = SyndicatedKind(named[0]), int(named[1:])
        syndicated = cls(kind=kind, id=id_, chat_id=int(chat_id), format=SyndicationFormat(how))
        is_right = hmac.compare_digest(signature, await syndicated._signature(db))  # however many digits are right
        return syndicated if is_right else None

    async def _signature(self, db: Reader) -> str:
        secret, renewed = await meta.get(db, SECRET), await meta.get(db, _renewals(self.chat_id))
        key = secret if isinstance(secret, bytes) else secrets.token_bytes(_DIGITS)
        named = f"{self.name}-{renewed if isinstance(renewed, int) else 0}"
        return hmac.new(key, named.encode(), hashlib.sha256).hexdigest()[:_DIGITS]


def _renewals(chat_id: int) -> str:
    """Return the row of `meta` that counts how often a chat has changed its addresses."""
    return f"{SECRET}_{chat_id}"


async def news_buttons(db: Reader, kind: SyndicatedKind, id_: int, context: Context) -> tuple[Button, ...]:
    """Offer the addresses of a topic or a saved search, where readers of news can fetch them for this chat."""
    if not await meta.get(db, URL) or not await _is_fetched(db, kind, id_, context):
        return ()
    return (button(context.t.gettext("RSS"), "rss", f"{kind}{id_}"),)


@tap("rss", Need.LOOK, _NAMED)
async def rss(request: Request, context: Context) -> Reply:
    """Say at which addresses readers of news fetch a topic or a saved search for this chat."""
    shown = await _addresses(context.database, request.argument, context)
    return Reply(messages=(shown,), secret=True)


@tap("rss_new", Need.CHAT, _NAMED)
@writes
async def renew(request: Request, context: Context, tx: Transaction) -> Reply:
    """Give this chat other addresses for all that it has; the earlier ones end."""
    key = _renewals(context.chat.id)
    renewed = await meta.get(tx, key)
    await meta.put(tx, key, (renewed if isinstance(renewed, int) else 0) + 1)
    return Reply(edit=await _addresses(tx, request.argument, context), secret=True)


async def _addresses(db: Reader, named: str, context: Context) -> Outgoing:
    kind, id_, t = SyndicatedKind(named[0]), int(named[1:]), context.t
    shown = await _show(db, kind, id_, context)
    url = await meta.get(db, URL)
    if not isinstance(url, str) or not url:
        raise outdated(context)
    if not await _is_fetched(db, kind, id_, context):
        raise CommandError(t.gettext("It is kept to other chats, so this one gets no address."))
    line = t.gettext("{name} for programs that read news (RSS); the first address fits most of them.")
    warning = t.gettext("Anyone who has an address can read along, so keep it to yourselves:")
    text = Text().line(line, name=shown).line(warning)
    for how in SyndicationFormat:
        syndicated = Syndicated(kind=kind, id=id_, chat_id=context.chat.id, format=how)
        text.add("\n", code(url + await syndicated.path(db)), "\n")
    new = button(t.gettext("Other addresses; these end"), "rss_new", named)
    return message(text, ((new,),) if context.offers(Need.CHAT) else ())


async def _is_fetched(db: Reader, kind: SyndicatedKind, id_: int, context: Context) -> bool:
    """Tell whether there is something to fetch: an owner in private sees more than a chat that only reads."""
    viewer = Viewer(chat_id=context.chat.id)
    if kind is SyndicatedKind.TOPIC:
        return await topics.get(db, id_, viewer) is not None
    saved = await saved_searches.get(db, context.chat.id, id_)
    if saved is None:
        return False
    try:
        await scope_of(db, read(saved.typed, now=context.now, zone=context.chat.time_zone).filters, viewer)
    except FilterError:
        return False
    return True


async def _show(db: Reader, kind: SyndicatedKind, id_: int, context: Context) -> Piece:
    """Write the name of a topic or a saved search. Raises CommandError where it is gone."""
    if kind is SyndicatedKind.TOPIC:
        return show_topic(await topic_by_id(db, id_, context), context.t)
    saved = await saved_searches.get(db, context.chat.id, id_)
    if saved is None:
        raise outdated(context)
    return bold(one_line(saved.typed, _LONGEST))
