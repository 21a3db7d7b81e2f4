"""chatlists.checkChatlistInvite: the slug of a shared folder comes in; its chats go out."""

from telethon.tl import TLObject, functions
from telethon.tl import types as tl

from bot.sandbox.dispatcher import Caller
from bot.sandbox.services.base import Service, handles
from bot.sandbox.world.view import Cast


class ChatlistsService(Service):
    """Links to chat folders."""

    @handles(functions.chatlists.CheckChatlistInviteRequest)
    def check(self, request: functions.chatlists.CheckChatlistInviteRequest, caller: Caller) -> TLObject:
        """Say what a folder holds; nobody here has taken one over."""
        me = self.person(caller)
        folder = self.world.folder(request.slug)
        cast = Cast(me)
        cast.add(*(peer.marked for peer in folder.peers))
        peers = [peer.peer() for peer in folder.peers]
        title = tl.TextWithEntities(folder.title, [])
        return tl.chatlists.ChatlistInvite(title, peers, cast.chats, cast.users)
