"""The addresses at which readers of news fetch a topic: each chat has its own, which nobody guesses."""

import hashlib
import hmac
import re
from dataclasses import dataclass

from bot.commands.context import Context, Reply, Request, message
from bot.commands.lookup import show_topic, topic_by_id
from bot.commands.registry import outdated, tap
from bot.commands.rights import Need
from bot.dossier.syndication import SyndicationFormat
from bot.store import meta
from bot.store.database import Reader
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

    def path(self, secret: bytes) -> str:
        """Return the path of its address."""
        return f"/{self._signature(secret)}/{self.topic_id}-{self.chat_id}.{self.format}"

    @classmethod
    def read(cls, path: str, secret: bytes) -> "Syndicated | None":
        """Return what a path names; None where we did not make it."""
        found = _PATH.fullmatch(path)
        if found is None:
            return None
        signature, topic_id, chat_id, how = found.groups()
        named = cls(topic_id=int(topic_id), chat_id=int(chat_id), format=SyndicationFormat(how))
        return named if hmac.compare_digest(signature, named._signature(secret)) else None

    def _signature(self, secret: bytes) -> str:
        return hmac.new(secret, f"{self.topic_id}-{self.chat_id}".encode(), hashlib.sha256).hexdigest()[:_DIGITS]


async def is_served(db: Reader) -> bool:
    """Tell whether readers of news can fetch topics here."""
    return bool(await meta.get(db, URL))


@tap("rss", Need.LOOK, r"\d{1,15}")
async def rss(request: Request, context: Context) -> Reply:
    """Say at which addresses readers of news fetch a topic for this chat."""
    db, topic = context.database, await topic_by_id(context.database, int(request.argument), context)
    url, secret = await meta.get(db, URL), await meta.get(db, SECRET)
    if not isinstance(url, str) or not isinstance(secret, bytes):
        raise outdated(context)
    line = context.t.gettext(
        "{topic} for a reader of news. Whoever has an address reads along, so keep it to yourselves:"
    )
    text = Text().line(line, topic=show_topic(topic, context.t))
    for how in SyndicationFormat:
        named = Syndicated(topic_id=topic.id, chat_id=context.chat.id, format=how)
        text.add("\n", code(url + named.path(secret)), "\n")
    return Reply(messages=(message(text),), secret=True)
