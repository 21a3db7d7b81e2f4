import pytest
from telethon import errors
from telethon.tl import functions, types

from tests.kit_bot import embedded_server


async def test_a_folder_shows_its_chats_to_who_has_the_link() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna = world.add_user("Anna")
        news, secret = world.add_channel("News", username="news_now"), world.add_channel("Secret")
        slug = world.add_folder("Agencies", [news, secret])
        client = await server.client(anna)
        folder = await client(functions.chatlists.CheckChatlistInviteRequest(slug))
        assert (folder.title.text, [peer.channel_id for peer in folder.peers]) == ("Agencies", [news.id, secret.id])
        assert {chat.title: type(chat) for chat in folder.chats} == {
            "News": types.Channel,
            "Secret": types.ChannelForbidden,
        }
        assert anna not in news.roster


async def test_an_unknown_folder_is_refused() -> None:
    async with embedded_server() as server:
        client = await server.client(server.sandbox.world.add_user("Anna"))
        with pytest.raises(errors.RPCError, match="INVITE_SLUG_EXPIRED"):
            await client(functions.chatlists.CheckChatlistInviteRequest("nothing"))


async def test_an_upgraded_group_points_to_the_supergroup_and_its_link_leads_there() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna, boris = world.add_user("Anna"), world.add_user("Boris")
        group = world.add_group("Desk", [anna])
        stranger, member = await server.client(boris), await server.client(anna)
        check = functions.messages.CheckChatInviteRequest(group.invite)
        assert (await stranger(check)).title == "Desk"
        assert isinstance((await member(check)).chat, types.Chat)
        supergroup = world.upgrade(group)
        (shell,) = (await member(functions.messages.GetChatsRequest([group.id]))).chats
        assert (shell.deactivated, shell.migrated_to.channel_id) == (True, supergroup.id)
        assert (await member(check)).chat.id == supergroup.id
        (message,) = await member.get_messages(types.PeerChannel(supergroup.id), limit=5)
        assert message.action == types.MessageActionChannelMigrateFrom("Desk", group.id)


async def test_a_deleted_channel_is_forbidden_to_who_was_in_it() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna = world.add_user("Anna")
        channel = world.add_channel("News", username="news_now", members=[anna])
        client = await server.client(anna)
        known = await client.get_input_entity("news_now")
        channel.dissolve()
        with pytest.raises(errors.ChannelPrivateError):
            await client.get_messages(known, limit=1)
        with pytest.raises(errors.UsernameNotOccupiedError):
            await client(functions.contacts.ResolveUsernameRequest("news_now"))
