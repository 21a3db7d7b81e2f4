"""channels.searchPosts and getChannelRecommendations: posts and channels that the caller does not know yet."""

from telethon.tl import TLObject, functions
from telethon.tl import types as tl

from bot.sandbox.dispatcher import Caller
from bot.sandbox.services.base import RpcService, handles, messages_with_cast, refuse_unbuilt
from bot.sandbox.world import Channel, Refused, User
from bot.sandbox.world.view import Cast

_WITHOUT_PREMIUM = 10  # similar channels
_STARS = 10  # for a search that is not free


class DiscoveryService(RpcService):
    """Searches in all public channels, of which an account with Premium has some for nothing each day, and suggestions.

    https://core.telegram.org/api/search#posts-tab, https://core.telegram.org/api/recommend.
    """

    @handles(functions.channels.CheckSearchPostsFloodRequest)
    def check_flood(self, request: functions.channels.CheckSearchPostsFloodRequest, caller: Caller) -> TLObject:
        """Say whether a search would be free; a query of today is."""
        return self._flood(self._searcher(caller), request.query or "")

    @handles(functions.channels.SearchPostsRequest)
    def search(self, request: functions.channels.SearchPostsRequest, caller: Caller) -> TLObject:
        """Return the posts of public channels with all words of a query, newest first."""
        me = self._searcher(caller)
        refuse_unbuilt(request)
        if not request.query:
            raise Refused("SEARCH_QUERY_EMPTY")
        before = self._flood(me, request.query)
        if not before.query_is_free:
            if not before.remains:
                wait = before.wait_till - int(self.world.hub.clock().timestamp())
                raise Refused(f"FLOOD_WAIT_{max(1, wait)}", 420)
            me.searched.add(request.query)
        words = request.query.casefold().split()
        found = [
            message
            for peer in self.world.hub.peers.values()
            if isinstance(peer, Channel) and peer.username and not peer.megagroup
            for message in peer.kept.oldest_first()
            if message.action is None and all(word in message.text.casefold() for word in words)
        ]
        found.sort(key=lambda message: (message.date, message.id), reverse=True)
        listed, cast = messages_with_cast(me, found[: request.limit])
        flood = self._flood(me, request.query)
        return tl.messages.MessagesSlice(len(found), listed, [], cast.chats, cast.users, search_flood=flood)

    def _searcher(self, caller: Caller) -> User:
        me = self.person(caller)
        if not me.premium:
            raise Refused("PREMIUM_ACCOUNT_REQUIRED", 403)
        return me

    def _flood(self, me: User, query: str) -> TLObject:
        remains = max(0, me.free_searches - len(me.searched))
        return tl.SearchPostsFlood(
            me.free_searches,
            remains,
            _STARS,
            query_is_free=query in me.searched or None,
            wait_till=None if remains else int(self.world.hub.clock().timestamp()) // 86_400 * 86_400 + 86_400,
        )

    @handles(functions.channels.GetChannelRecommendationsRequest)
    def recommend(self, request: functions.channels.GetChannelRecommendationsRequest, caller: Caller) -> TLObject:
        """Return the channels that are like one; without Premium the first ten."""
        me = self.person(caller)
        channel = self.channel(me, request.channel)
        channel.history(me)  # refused where he may not read
        shown = channel.similar if me.premium else channel.similar[:_WITHOUT_PREMIUM]
        cast = Cast(me)
        cast.add(*(each.marked for each in shown))
        by_id = {chat.id: chat for chat in cast.chats}
        chats = [by_id[each.id] for each in shown]
        if len(shown) < len(channel.similar):
            return tl.messages.ChatsSlice(len(channel.similar), chats)
        return tl.messages.Chats(chats)
