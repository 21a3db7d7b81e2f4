"""stories.*: what channels show for a day; looking there marks nothing as seen."""

from telethon.tl import TLObject, functions
from telethon.tl import types as tl

from bot.sandbox.dispatcher import Caller
from bot.sandbox.services.base import RpcService, handles
from bot.sandbox.world import Channel
from bot.sandbox.world.view import Cast


class StoriesService(RpcService):
    """The stories of channels."""

    @handles(functions.stories.GetPeerMaxIDsRequest)
    def get_max_ids(self, request: functions.stories.GetPeerMaxIDsRequest, caller: Caller) -> list[TLObject]:
        """Return the highest number of a story that each peer shows now."""
        me = self.person(caller)
        peers = [self.peer(me, named) for named in request.id]
        now = self.world.hub.clock()
        return [
            peer.stories.summary(now) if isinstance(peer, Channel) and peer.open_to(me) else tl.RecentStory()
            for peer in peers
        ]

    @handles(functions.stories.GetPeerStoriesRequest)
    def get_stories(self, request: functions.stories.GetPeerStoriesRequest, caller: Caller) -> TLObject:
        """Return the stories that a peer shows now."""
        me = self.person(caller)
        channel = self.channel(me, request.peer)
        channel.history(me)  # refused where he may not read
        cast = Cast(me)
        cast.add(channel.marked)
        shown = channel.stories.active(self.world.hub.clock())
        return tl.stories.PeerStories(tl.PeerStories(channel.peer(), shown), cast.chats, cast.users)
