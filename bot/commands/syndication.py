"""The addresses at which readers of news fetch a topic: each chat has its own, which nobody guesses."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from bot.commands.context import Context, Reply, Request, message, writes
from bot.commands.lookup import show_topic, topic_by_id
from bot.commands.registry import outdated, tap
from bot.commands.rights import Need
from bot.dossier.syndication import SyndicationFormat
from bot.models.outgoing import Outgoing
from bot.store import meta
from bot.store.database import Reader, Transaction
from bot.text.buttons import button
from bot.text.markup import Text, code

SECRET, URL = "syndication_secret", "syndication_url"  # rows of `meta`; no URL: nothing is served
_DIGITS = 32  # of a signature: 128 bits
_PATH = re.compile(rf"/([0-9a-f]{{{_DIGITS}}})/(\d{{1,15}})-(\d{{1,15}})\.({'|'.join(SyndicationFormat)})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Syndicated:
    """A topic as one chat sees it, in one format."""

    topic_id: int
    chat_id: int
    format: SyndicationFormat

    async def path(self, db: Reader) -> str:
        """Return the path of its address."""
        return f"/{await self._signature(db)}/{self.topic_id}-{self.chat_id}.{self.format}"

    @classmethod
    async def read(cls, db: Reader, path: str) -> "Syndicated | None":
        """Return what a path names; None where it is no address of the chat, or none any more."""
        found = _PATH.fullmatch(path)
        if found is None:
            return None
        signature, topic_id, chat_id, how = found.groups()
        named = cls(topic_id=int(topic_id), chat_id=int(chat_id), format=SyndicationFormat(how))
        return named if hmac.compare_digest(signature, await named._signature(db)) else None

    async def _signature(self, db: Reader) -> str:
        secret, renewed = await meta.get(db, SECRET), await meta.get(db, _renewals(self.chat_id))
        key = secret if isinstance(secret, bytes) else secrets.token_bytes(_DIGITS)
        named = f"{self.topic_id}-{self.chat_id}-{renewed if isinstance(renewed, int) else 0}"
        return hmac.new(key, named.encode(), hashlib.sha256).hexdigest()[:_DIGITS]


def _renewals(chat_id: int) -> str:
    """Return the row of `meta` that counts how often a chat has changed its addresses."""
    return f"{SECRET}_{chat_id}"


async def is_served(db: Reader) -> bool:
    """Tell whether readers of news can fetch topics here."""
    return bool(await meta.get(db, URL))


@tap("rss", Need.LOOK, r"\d{1,15}")
async def rss(request: Request, context: Context) -> Reply:
    """Say at which addresses readers of news fetch a topic for this chat."""
    shown = await _addresses(context.database, int(request.argument), context)
    return Reply(messages=(shown,), secret=True)


@tap("rss_new", Need.CHAT, r"\d{1,15}")
@writes
async def renew(request: Request, context: Context, tx: Transaction) -> Reply:
    """Give this chat other addresses for all its topics; the earlier ones end."""
    key = _renewals(context.chat.id)
    renewed = await meta.get(tx, key)
    await meta.put(tx, key, (renewed if isinstance(renewed, int) else 0) + 1)
    return Reply(edit=await _addresses(tx, int(request.argument), context), secret=True)


async def _addresses(db: Reader, topic_id: int, context: Context) -> Outgoing:
    topic, t = await topic_by_id(db, topic_id, context), context.t
    url = await meta.get(db, URL)
    if not isinstance(url, str) or not url:
        raise outdated(context)
    line = t.gettext("{topic} for a reader of news. Whoever has an address reads along, so keep it to yourselves:")
    text = Text().line(line, topic=show_topic(topic, t))
    for how in SyndicationFormat:
        named = Syndicated(topic_id=topic.id, chat_id=context.chat.id, format=how)
        text.add("\n", code(url + await named.path(db)), "\n")
    new = button(t.gettext("Other addresses; these end"), "rss_new", topic.id)
    return message(text, ((new,),) if context.may(Need.CHAT) else ())
