import time

import pytest
from telethon.tl import types as tl

from bot.sandbox.world import Channel, MemberRole, Refused, User
from bot.sandbox.world.history import PageRequest
from bot.sandbox.world.messages import MessageDraft, Revision
from bot.sandbox.world.view import difference_of, message_tl

from .worlds import RecordedWorld


@pytest.fixture
def anna(recorded: RecordedWorld) -> User:
    return recorded.world.add_user("Anna")


@pytest.fixture
def channel(recorded: RecordedWorld, anna: User) -> Channel:
    made = recorded.world.add_channel("News", username="news_now", members=[anna])
    recorded.updates.all.clear()
    return made


def test_a_post_reaches_members_with_the_next_pts(recorded: RecordedWorld, anna: User, channel: Channel) -> None:
    stranger = recorded.world.add_user("Boris")
    post = channel.post("All is dark", entities=[tl.MessageEntityBold(0, 3)])
    (update,) = recorded.updates.to(anna.id)
    assert isinstance(update, tl.UpdateNewChannelMessage)
    assert (update.pts, update.pts_count, update.message.id) == (2, 1, post.id)
    assert update.message.post
    assert update.message.from_id is None
    assert recorded.updates.to(stranger.id) == []


def test_a_lost_push_moves_the_pts_all_the_same(recorded: RecordedWorld, anna: User, channel: Channel) -> None:
    channel.post("lost", push=False)
    channel.post("seen")
    assert [update.pts for update in recorded.updates.to(anna.id)] == [3]


def test_deleting_several_moves_the_pts_by_as_many(recorded: RecordedWorld, anna: User, channel: Channel) -> None:
    ids = [channel.post(str(number), push=False).id for number in range(3)]
    channel.delete(*ids)
    (update,) = recorded.updates.to(anna.id)
    assert (update.messages, update.pts, update.pts_count) == (ids, 7, 3)


def test_a_difference_says_what_is_now_and_each_edit_once(anna: User, channel: Channel) -> None:
    old = channel.post("old")
    pts = channel.log.pts
    channel.edit(old.id, "older")
    channel.edit(old.id, "oldest")
    gone, kept = channel.post("gone"), channel.post("first words")
    channel.edit(kept.id, "last words")
    channel.delete(gone.id)
    new, others = difference_of(anna, channel.log.since(pts, 100).changes)
    assert [message.text for message in new] == ["last words"]
    assert [type(update) for update in others] == [tl.UpdateEditChannelMessage, tl.UpdateDeleteChannelMessages]
    assert others[0].message.message == "oldest"


def test_a_reaction_is_a_hidden_edit_until_a_person_has_edited(anna: User, channel: Channel) -> None:
    post = channel.post("text")
    channel.react(post.id, "👍")
    channel.react(post.id, "👍", 2)
    shown = message_tl(post, anna)
    assert shown.edit_hide
    assert shown.edit_date
    assert [(found.reaction.emoticon, found.count) for found in shown.reactions.results] == [("👍", 3)]
    channel.edit(post.id, "other text")
    channel.react(post.id, "🔥")
    assert not message_tl(post, anna).edit_hide


def test_views_come_without_a_pts(recorded: RecordedWorld, anna: User, channel: Channel) -> None:
    post = channel.post("text")
    channel.set_views(post.id, 700)
    update = recorded.updates.to(anna.id)[-1]
    assert isinstance(update, tl.UpdateChannelMessageViews)
    assert (update.views, channel.log.pts) == (700, 2)
    channel.set_forwards(post.id, 12)
    update = recorded.updates.to(anna.id)[-1]
    assert isinstance(update, tl.UpdateChannelMessageForwards)
    assert (update.forwards, channel.log.pts) == (12, 2)


def test_a_loaded_preview_updates_its_page_and_moves_the_pts(
    recorded: RecordedWorld, anna: User, channel: Channel
) -> None:
    page = tl.WebPage(9, "https://e.org", "e.org", 0, title="Title")
    post = channel.post("https://e.org")
    channel.load(post.id, tl.MessageMediaWebPage(page))
    update = recorded.updates.to(anna.id)[-1]
    assert isinstance(update, tl.UpdateChannelWebPage)
    assert (update.channel_id, update.webpage, update.pts, update.pts_count) == (channel.id, page, 3, 1)
    assert message_tl(post, anna).media.webpage is page


def test_a_pin_is_an_update_and_a_service_message(recorded: RecordedWorld, anna: User, channel: Channel) -> None:
    post = channel.post("text")
    channel.pin(post.id)
    pinned, service = recorded.updates.to(anna.id)[-2:]
    assert isinstance(pinned, tl.UpdatePinnedChannelMessages)
    assert isinstance(service.message.action, tl.MessageActionPinMessage)
    assert service.message.reply_to.reply_to_msg_id == post.id
    assert message_tl(post, anna).pinned
    channel.unpin(post.id)
    assert not message_tl(post, anna).pinned


def test_an_album_shares_one_number(recorded: RecordedWorld, channel: Channel) -> None:
    photos = [recorded.world.media.photo(b"one"), recorded.world.media.photo(b"two")]
    first, second = channel.album(photos, "caption")
    assert first.grouped == second.grouped is not None
    assert (first.text, second.text, second.id) == ("caption", "", first.id + 1)


def test_a_forward_names_the_first_source(recorded: RecordedWorld, anna: User, channel: Channel) -> None:
    post = channel.post("text")
    other = recorded.world.add_channel("Echo", members=[anna])
    again = other.post(post.text, forward=other.post(post.text, forward=post))
    assert again.forward is not None
    assert (again.forward.from_id, again.forward.channel_post) == (channel.peer(), post.id)


def test_a_forward_of_an_admin_s_post_names_the_channel(recorded: RecordedWorld, anna: User, channel: Channel) -> None:
    channel.promote(anna)
    post = anna.sends(channel, "text")
    boris = recorded.world.add_user("Boris")
    copy = anna.sends(boris, post.text, forward=post)
    assert copy.forward is not None
    assert (copy.forward.from_id, copy.forward.channel_post) == (channel.peer(), post.id)
    assert message_tl(post, boris).from_id is None
    assert anna.id not in post.mentioned_ids()


def test_ids_may_be_given_and_go_on_from_there(channel: Channel) -> None:
    assert [channel.post(message_id=number).id for number in (40, 7, None)] == [40, 7, 41]
    assert [message.id for message in channel.kept.page(PageRequest())] == [41, 40, 7]


@pytest.mark.parametrize("public", [True, False])
def test_strangers_read_public_channels_only(recorded: RecordedWorld, *, public: bool) -> None:
    stranger = recorded.world.add_user("Boris")
    channel = recorded.world.add_channel("C", username="some_name" if public else None)
    assert channel.open_to(stranger) is public
    channel.ban(stranger)
    with pytest.raises(Refused, match="CHANNEL_PRIVATE"):
        channel.history(stranger)
    assert isinstance(channel.tl_for(stranger), tl.ChannelForbidden)


def test_a_channel_that_turns_private_is_closed_to_strangers(recorded: RecordedWorld, channel: Channel) -> None:
    stranger = recorded.world.add_user("Boris")
    invite = channel.make_private()
    assert not channel.open_to(stranger)
    assert recorded.world.by_invite(invite) is channel
    assert "news_now" not in recorded.world.hub.names


def test_only_admins_post_edit_and_delete_in_a_channel(recorded: RecordedWorld, anna: User, channel: Channel) -> None:
    admin, stranger = recorded.world.add_user("Ada"), recorded.world.add_user("Boris")
    channel.promote(admin)
    number = channel.accept(admin, MessageDraft(text="text")).ids[0]
    with pytest.raises(Refused, match="CHAT_ADMIN_REQUIRED"):
        channel.accept(anna, MessageDraft(text="text"))
    with pytest.raises(Refused, match="CHAT_WRITE_FORBIDDEN"):
        channel.accept(stranger, MessageDraft(text="text"))
    with pytest.raises(Refused, match="CHAT_ADMIN_REQUIRED"):
        channel.revise(anna, number, Revision(text="other"))
    with pytest.raises(Refused, match="MESSAGE_NOT_MODIFIED"):
        channel.revise(admin, number, Revision(text="text"))
    with pytest.raises(Refused, match="MESSAGE_DELETE_FORBIDDEN"):
        channel.remove(anna, [number])
    assert channel.remove(admin, [number, 999]) is not None
    assert channel.remove(admin, [number]) is None


def test_supergroup_messages_carry_their_author(recorded: RecordedWorld, anna: User) -> None:
    group = recorded.world.add_channel("Talk", megagroup=True, members=[anna])
    boris = recorded.world.add_user("Boris")
    group.join(boris)
    mine = anna.sends(group, "hello")
    assert message_tl(mine, anna).out
    shown = message_tl(mine, boris)
    assert (shown.out, shown.post, shown.from_id) == (False, None, anna.peer())
    assert shown.views is None
    with pytest.raises(Refused, match="MESSAGE_AUTHOR_REQUIRED"):
        group.revise(boris, mine.id, Revision(text="x"))


@pytest.mark.parametrize(
    ("text", "received"),
    [
        ("/help", True),
        ("/help@Watch_bot", True),
        ("/help@other_bot", False),
        ("hello", False),
        ("hi @watch_bot!", True),
    ],
)
def test_a_bot_in_a_supergroup_hears_what_is_meant_for_it(
    recorded: RecordedWorld, anna: User, text: str, *, received: bool
) -> None:
    bot = recorded.world.add_bot("1:a", "Watch", "watch_bot")
    group = recorded.world.add_channel("Talk", megagroup=True, members=[anna, bot])
    recorded.updates.all.clear()
    anna.sends(group, text)
    assert bool(recorded.updates.to(bot.id)) is received


def test_a_bot_hears_replies_to_itself_and_as_admin_everything(recorded: RecordedWorld, anna: User) -> None:
    bot = recorded.world.add_bot("1:a", "Watch", "watch_bot")
    group = recorded.world.add_channel("Talk", megagroup=True, members=[anna, bot])
    said = bot.sends(group, "What do you want?")
    recorded.updates.all.clear()
    anna.sends(group, "nothing", reply_to=said.id)
    group.promote(bot)
    anna.sends(group, "chatter")
    news = [u.message.message for u in recorded.updates.to(bot.id) if isinstance(u, tl.UpdateNewChannelMessage)]
    assert news == ["nothing", "chatter"]


def test_a_channel_that_asks_for_approval_lets_nobody_in_by_himself(recorded: RecordedWorld) -> None:
    channel, boris = recorded.world.add_channel("C"), recorded.world.add_user("Boris")
    channel.needs_approval = True
    with pytest.raises(Refused, match="INVITE_REQUEST_SENT"):
        channel.request_to_join(boris)
    assert list(channel.roster.pending) == [boris.id]
    channel.join(boris)
    assert channel.roster.role(boris) is MemberRole.MEMBER
    assert not channel.roster.pending


def test_leaving_and_being_kicked_end_membership(recorded: RecordedWorld, anna: User, channel: Channel) -> None:
    channel.kick(anna)
    channel.post("unheard")
    assert [type(update) for update in recorded.updates.to(anna.id)] == [tl.UpdateChannel]
    with pytest.raises(Refused, match="USER_NOT_PARTICIPANT"):
        channel.leave(anna)
    channel.request_to_join(anna)
    assert anna in channel.roster


def test_access_hashes_differ_per_account(recorded: RecordedWorld, anna: User, channel: Channel) -> None:
    boris = recorded.world.add_user("Boris")
    assert channel.tl_for(anna).access_hash == channel.tl_for(anna).access_hash
    assert channel.tl_for(anna).access_hash != channel.tl_for(boris).access_hash


def test_the_cost_of_a_post_and_of_a_page_does_not_grow_with_the_channel(anna: User, channel: Channel) -> None:
    def cost_s() -> float:
        start = time.process_time()
        for number in range(300):
            post = channel.post("words without end")
            channel.kept.page(PageRequest(limit=10, offset_id=1 + post.id // 2))
            difference_of(anna, channel.log.since(max(1, channel.log.pts - 5 - number % 7), 10).changes)
        return time.process_time() - start

    early = min(cost_s() for _ in range(3))
    for number in range(30_000):
        channel.post(str(number), push=False)
    late = min(cost_s() for _ in range(3))
    assert late < early * 5  # a scan would cost a hundred times as much
