"""Threads of forums, as Telegram calls them: https://core.telegram.org/api/forum."""

from telethon import TelegramClient, functions, types

from bot.models.outgoing import Peer
from bot.telegram.convert import from_peer
from bot.telegram.rpc import ask


async def thread_title(client: TelegramClient, peer: Peer) -> str | None:
    """Return the title of the thread of an address; None where there is none. Raises TelegramError."""
    request = functions.messages.GetForumTopicsByIDRequest(from_peer(peer), [peer.thread_id])
    topics = (await ask(client(request))).topics
    return next((topic.title for topic in topics if isinstance(topic, types.ForumTopic)), None)
