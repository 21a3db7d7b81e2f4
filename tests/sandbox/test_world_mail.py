import asyncio

import pytest
from telethon.tl import types as tl

from bot.sandbox.world import Message, Refused, User, mail
from bot.sandbox.world.messages import MessageDraft, Revision
from bot.sandbox.world.view import message_tl, updates_for

from .worlds import RecordedWorld


@pytest.fixture
def anna(recorded: RecordedWorld) -> User:
    return recorded.world.add_user("Anna", language="ru")


@pytest.fixture
def boris(recorded: RecordedWorld) -> User:
    return recorded.world.add_user("Boris")


@pytest.fixture
def bot(recorded: RecordedWorld) -> User:
    return recorded.world.add_bot("1:a", "Watch", "watch_bot")


def texts(messages: list[Message]) -> list[str]:
    return [message.text for message in messages]


def test_both_sides_have_their_own_copy_and_number(recorded: RecordedWorld, anna: User, boris: User) -> None:
    anna.sends(recorded.world.add_user("Clara"), "elsewhere")
    sent = anna.sends(boris, "hello")
    (got,) = boris.inbox(anna)
    assert (sent.id, got.id, got.text) == (2, 1, "hello")
    assert message_tl(sent, anna).out
    assert not message_tl(got, boris).out
    assert [update.pts for update in recorded.updates.to(boris.id)] == [2]
    assert [update.pts for update in recorded.updates.to(anna.id)] == [2, 3]


def test_a_reply_points_at_the_reader_s_own_copy(recorded: RecordedWorld, anna: User, boris: User) -> None:
    anna.sends(recorded.world.add_user("Clara"), "elsewhere")
    anna.sends(boris, "hello")
    question = boris.inbox(anna)[0]
    boris.sends(anna, "hello yourself", reply_to=question.id)
    assert anna.inbox(boris)[-1].reply_to == anna.inbox(boris)[0].id == 2
    with pytest.raises(Refused, match="REPLY_MESSAGE_ID_INVALID"):
        boris.sends(anna, "what?", reply_to=99)


def test_an_edit_changes_all_copies_and_only_the_author_may(recorded: RecordedWorld, anna: User, boris: User) -> None:
    sent = anna.sends(boris, "hello")
    boris.revise(anna, sent.id, Revision(text="good day"))
    (got,) = boris.inbox(anna)
    assert got.text == "good day"
    assert isinstance(recorded.updates.to(boris.id)[-1], tl.UpdateEditMessage)
    with pytest.raises(Refused, match="MESSAGE_AUTHOR_REQUIRED"):
        anna.revise(boris, got.id, Revision(text="x"))


@pytest.mark.parametrize("everywhere", [True, False])
def test_deleting_is_for_oneself_or_for_everybody(anna: User, boris: User, *, everywhere: bool) -> None:
    sent = anna.sends(boris, "hello")
    change = mail.remove(anna, [sent.id, 99], everywhere=everywhere)
    assert change is not None
    assert change.ids == (sent.id,)
    assert anna.inbox(boris) == []
    assert texts(boris.inbox(anna)) == ([] if everywhere else ["hello"])


def test_a_message_to_oneself_has_one_copy(anna: User) -> None:
    anna.sends(anna, "note")
    assert texts(anna.inbox(anna)) == ["note"]
    assert anna.log.pts == 2


def test_a_bot_may_not_write_first_nor_to_who_blocked_it(anna: User, bot: User) -> None:
    with pytest.raises(Refused, match="PEER_ID_INVALID"):
        bot.sends(anna, "hello")
    anna.starts(bot, "key")
    assert texts(bot.inbox(anna)) == ["/start key"]
    bot.sends(anna, "welcome")
    anna.blocks(bot)
    with pytest.raises(Refused, match="USER_IS_BLOCKED"):
        bot.sends(anna, "are you there?")
    with pytest.raises(Refused, match="YOU_BLOCKED_USER"):
        anna.sends(bot, "no")
    anna.starts(bot)
    bot.sends(anna, "welcome back")
    assert texts(anna.inbox(bot)) == ["/start key", "welcome", "/start", "welcome back"]


def test_a_bot_may_not_write_to_a_bot(recorded: RecordedWorld, bot: User) -> None:
    with pytest.raises(Refused, match="USER_IS_BOT"):
        bot.sends(recorded.world.add_bot("2:b", "Other", "other_bot"), "hello")


def test_bots_see_the_language_of_people(anna: User, boris: User, bot: User) -> None:
    assert anna.tl_for(bot).lang_code == "ru"
    assert anna.tl_for(boris).lang_code is None


def test_a_basic_group_has_a_copy_per_member(recorded: RecordedWorld, anna: User, boris: User, bot: User) -> None:
    group = recorded.world.add_group("We", [anna, boris, bot])
    anna.sends(boris, "private")
    anna.sends(group, "hello")
    boris.sends(group, "/help")
    assert texts(anna.inbox(group)) == texts(boris.inbox(group)) == ["hello", "/help"]
    assert texts(bot.inbox(group)) == ["/help"]
    assert message_tl(bot.inbox(group)[0], bot).from_id == boris.peer()


def test_who_left_a_basic_group_hears_and_says_nothing_there(recorded: RecordedWorld, anna: User, boris: User) -> None:
    group, clara = recorded.world.add_group("We", [anna, boris]), recorded.world.add_user("Clara")
    group.remove(boris)
    anna.sends(group, "he is gone")
    assert [type(message.action) for message in boris.inbox(group)] == [tl.MessageActionChatDeleteUser]
    with pytest.raises(Refused, match="CHAT_WRITE_FORBIDDEN"):
        boris.sends(group, "hello?")
    with pytest.raises(Refused, match="PEER_ID_INVALID"):
        clara.sends(group, "hello?")
    group.add(clara)
    assert isinstance(group.tl_for(boris), tl.ChatForbidden)
    assert clara.sends(group, "hello").id == 2


def test_the_origin_gets_no_update(recorded: RecordedWorld, anna: User, boris: User) -> None:
    boris.accept(anna, MessageDraft(text="hello"), origin="this session")
    assert [(number, skip) for number, _, skip in recorded.updates.all] == [(anna.id, "this session"), (boris.id, None)]


def test_updates_name_whom_they_speak_of(recorded: RecordedWorld, anna: User, boris: User) -> None:
    channel = recorded.world.add_channel("News", username="news_now")
    change = boris.accept(anna, MessageDraft(text="see", forward=channel.post("text")))
    updates = updates_for(anna, [change])
    assert {user.id for user in updates.users} == {anna.id, boris.id}
    assert [chat.id for chat in updates.chats] == [channel.id]


async def test_a_press_waits_for_the_bot_s_answer(recorded: RecordedWorld, anna: User, bot: User) -> None:
    anna.starts(bot)
    row = tl.KeyboardInlineButtonRow([tl.KeyboardInlineButton("Mute", tl.InlineButtonTypeCallback(b"m:1"))])
    bot.sends(anna, "alert", reply_markup=tl.ReplyInlineMarkup([row]))
    alert = anna.inbox(bot)[-1]
    for button in ("Mute", "m:1", b"m:1"):
        press = asyncio.ensure_future(anna.presses(alert, button))
        await asyncio.sleep(0)
        query = recorded.updates.to(bot.id)[-1]
        assert (query.user_id, query.data, query.msg_id) == (anna.id, b"m:1", bot.inbox(anna)[-1].id)
        answer = tl.messages.BotCallbackAnswer(0, message="muted")
        with pytest.raises(Refused, match="QUERY_ID_INVALID"):
            recorded.world.answer_query(anna, query.query_id, answer)
        recorded.world.answer_query(bot, query.query_id, answer)
        assert (await press).message == "muted"
        with pytest.raises(Refused, match="QUERY_ID_INVALID"):
            recorded.world.answer_query(bot, query.query_id, answer)
    with pytest.raises(Refused, match="DATA_INVALID"):
        await anna.presses(alert, "Open")
    recorded.world.hub.query_timeout_s = 0
    with pytest.raises(Refused, match="BOT_RESPONSE_TIMEOUT"):
        await anna.presses(alert, "Mute")
