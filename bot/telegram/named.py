"""An answer or a push comes in with whom it names; out goes who wrote a message, by the name that was seen.

The message itself holds a number only, and a name is changed at a touch: what was seen is evidence, kept with the post.
"""

from collections.abc import Mapping
from itertools import chain

from telethon import utils
from telethon.tl import TLObject, types

Named = Mapping[int, TLObject]  # people and channels by marked id
NOBODY: Named = {}


def named_in(answer: TLObject) -> Named:
    """Return the people and channels that an answer names; a push in its short form names none."""
    known = chain(getattr(answer, "users", ()), getattr(answer, "chats", ()))
    return {utils.get_peer_id(each): each for each in known}


def attach(update: TLObject, named: Named) -> None:
    """Keep with an update whom its push names, where and as Telethon will once it has come to it."""
    update._entities = named  # noqa: SLF001 - Telethon's own, which a test pins


def attached(update: TLObject) -> Named:
    """Return whom the push, or the answer to Telethon, named that an update came with."""
    found: Named = getattr(update, "_entities", NOBODY)
    return found


def sender(message: types.Message, named: Named) -> str | None:
    """Say who wrote a message: the signature of a post, or the name of whoever speaks in a supergroup.

    That may be a person, a channel that somebody speaks as, or, for an anonymous admin, the rank they carry or the
    supergroup itself (https://core.telegram.org/constructor/chatAdminRights). None where nobody is named.
    """
    if message.post_author:
        return str(message.post_author)
    return name_of(message.from_id or (None if message.post else message.peer_id), named)


def name_of(peer: TLObject | None, named: Named) -> str | None:
    """Return the name of a person, or the title of a channel; None where it is not among the named."""
    known = None if peer is None else named.get(utils.get_peer_id(peer))
    return utils.get_display_name(known) or None
