"""The view of one account: messages and changes in TL, with the users and chats that they name."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from telethon.tl import TLObject
from telethon.tl import types as tl

from bot.sandbox.world.log import LoggedChange, UpdateKind
from bot.sandbox.world.messages import Message, peer_of
from bot.sandbox.world.peers import Account
from bot.sandbox.world.unknown import Unknown

_CHANNEL_BELOW = -1_000_000_000_000  # marked ids of channels


class Cast:
    """The users and chats that an answer names, as one account sees them."""

    def __init__(self, viewer: Account) -> None:
        self._viewer = viewer
        self._ids: set[int] = set()

    def add(self, *marked: int) -> None:
        """Add peers by their marked ids."""
        self._ids.update(marked)

    def add_messages(self, messages: Iterable[Message]) -> None:
        """Add all peers that these messages name."""
        for message in messages:
            self._ids |= message.mentioned_ids()

    def _shown(self, *, users: bool) -> list[TLObject]:
        peers = self._viewer.hub.peers
        return [peers[number].tl_for(self._viewer) for number in sorted(self._ids) if (number > 0) is users]

    @property
    def users(self) -> list[TLObject]:
        """The users."""
        return self._shown(users=True)

    @property
    def chats(self) -> list[TLObject]:
        """The basic groups and channels."""
        return self._shown(users=False)


def is_channel(marked: int) -> bool:
    """Tell whether a marked id is of a channel or supergroup."""
    return marked < _CHANNEL_BELOW


def message_tl(message: Message, viewer: Account, *, whole: bool = False) -> TLObject:
    """Return a message in TL as an account sees it; of a long post its beginning, unless all is asked for."""
    if message.unknown:
        return Unknown()
    head = {
        "id": message.id,
        "peer_id": peer_of(message.chat),
        "date": message.date,
        "out": message.sender_id == viewer.id or None,
        "post": message.post or None,
        "silent": message.silent or None,
        "from_id": _from_id(message),
        "reply_to": _reply_header(message),
        "pinned": message.pinned or None,
    }
    if message.action is not None:
        return tl.MessageService(action=message.action, **{**head, "pinned": None})
    return tl.Message(
        **head,
        message=message.text,
        entities=message.entities or None,
        media=message.media,
        rich_message=_rich(message, whole=whole),
        reply_markup=message.reply_markup,
        fwd_from=message.forward,
        post_author=message.signature,
        grouped_id=message.grouped,
        views=message.views,
        forwards=None if message.views is None else message.forwards,
        edit_date=message.edit_date,
        edit_hide=message.edit_hide or None,
        reactions=_reactions(message),
    )


def _rich(message: Message, *, whole: bool) -> tl.RichMessage | None:
    """Return the blocks of a long post, or the first with the photos and documents that these show."""
    rich, shown = message.rich, message.shown
    if rich is None or whole or shown is None or len(rich.blocks) <= shown:
        return rich
    blocks = rich.blocks[:shown]
    named = set(_numbers(blocks))
    photos, documents = ([file for file in files if file.id in named] for files in (rich.photos, rich.documents))
    return tl.RichMessage(blocks, photos, documents, rtl=rich.rtl, part=True)


def _numbers(node: object) -> Iterator[int]:
    if isinstance(node, int):
        yield node
    children = node if isinstance(node, list) else vars(node).values() if isinstance(node, TLObject) else ()
    for child in children:
        yield from _numbers(child)


def _reply_header(message: Message) -> TLObject | None:
    """Return the reply header; a message in a forum's topic answers at least the first of the topic."""
    if message.topic is None:
        top = message.thread if message.thread != message.reply_to else None
        return (
            tl.MessageReplyHeader(reply_to_msg_id=message.reply_to, reply_to_top_id=top) if message.reply_to else None
        )
    if message.reply_to is None:
        return tl.MessageReplyHeader(forum_topic=True, reply_to_msg_id=message.topic)
    return tl.MessageReplyHeader(forum_topic=True, reply_to_msg_id=message.reply_to, reply_to_top_id=message.topic)


def _from_id(message: Message) -> TLObject | None:
    """Return the author in groups; in private chats and of posts the chat implies it."""
    return None if message.chat > 0 or message.author is None else peer_of(message.author)


def _reactions(message: Message) -> TLObject | None:
    if not message.reactions:
        return None
    results = [tl.ReactionCount(tl.ReactionEmoji(emoji), count) for emoji, count in message.reactions.items()]
    return tl.MessageReactions(results)


def update_tl(change: LoggedChange, viewer: Account, store: Mapping[int, Message]) -> TLObject | None:
    """Return the update of a change; None where its message is deleted by now."""
    if change.kind is UpdateKind.DELETE:
        return _deleted(change)
    if change.kind in (UpdateKind.PIN, UpdateKind.UNPIN):
        return tl.UpdatePinnedChannelMessages(
            _bare(change.chat), list(change.ids), change.pts, change.count, pinned=change.kind is UpdateKind.PIN or None
        )
    message = store.get(change.ids[0])
    if message is None:
        return None
    if change.kind is UpdateKind.PAGE and isinstance(message.media, tl.MessageMediaWebPage):
        return tl.UpdateChannelWebPage(_bare(change.chat), message.media.webpage, change.pts, change.count)
    new = change.kind is UpdateKind.NEW
    if is_channel(change.chat):
        make = tl.UpdateNewChannelMessage if new else tl.UpdateEditChannelMessage
    else:
        make = tl.UpdateNewMessage if new else tl.UpdateEditMessage
    return make(message_tl(message, viewer), change.pts, change.count)


def _deleted(change: LoggedChange) -> TLObject:
    if is_channel(change.chat):
        return tl.UpdateDeleteChannelMessages(_bare(change.chat), list(change.ids), change.pts, change.count)
    return tl.UpdateDeleteMessages(list(change.ids), change.pts, change.count)


def _bare(marked: int) -> int:
    number: int = peer_of(marked).channel_id
    return number


def bundle(viewer: Account, updates: Sequence[TLObject], cast: Cast) -> TLObject:
    """Return updates with their users and chats; seq 0, since only their pts orders them."""
    return tl.Updates(list(updates), cast.users, cast.chats, viewer.hub.now(), 0)


def updates_for(viewer: Account, changes: Iterable[LoggedChange], extra: Sequence[TLObject] = ()) -> TLObject:
    """Return the Updates of changes for an account; `extra` updates go first."""
    cast = Cast(viewer)
    updates = list(extra)
    for change in changes:
        store = viewer.hub.peers[change.chat].store(viewer)
        cast.add(change.chat)
        cast.add_messages(store[number] for number in change.ids if number in store)
        update = update_tl(change, viewer, store)
        if update is not None:
            updates.append(update)
    return bundle(viewer, updates, cast)


class Difference(NamedTuple):
    """The content of a difference: new messages as they are now, and one update for each edited message."""

    new: list[Message]
    others: list[TLObject]  # updates


def difference_of(viewer: Account, changes: Sequence[LoggedChange]) -> Difference:
    """Return the difference that some changes make for an account."""
    latest = {
        (change.chat, change.ids[0]): change for change in changes if change.kind in (UpdateKind.NEW, UpdateKind.EDIT)
    }
    fresh = {(change.chat, change.ids[0]) for change in changes if change.kind is UpdateKind.NEW}
    sorted_out = Difference([], [])
    for change in changes:
        store = viewer.hub.peers[change.chat].store(viewer)
        key = change.chat, change.ids[0]
        if change.kind is UpdateKind.NEW:
            sorted_out.new.extend(filter(None, [store.get(change.ids[0])]))
        elif change.kind is not UpdateKind.EDIT or (latest[key] is change and key not in fresh):
            sorted_out.others.extend(filter(None, [update_tl(change, viewer, store)]))
    return sorted_out
