from datetime import UTC, datetime

import pytest
from telethon.tl import TLObject, types

from bot.telegram.convert import attach, attached, author_name, named_in

DATE = datetime(2025, 3, 10, 12, 0, tzinfo=UTC)
GROUP, DESK = types.PeerChannel(1001), types.PeerChannel(1002)


def channel(number: int, title: str, **flags: bool) -> types.Channel:
    return types.Channel(number, title, types.ChatPhotoEmpty(), DATE, **flags)


ANSWER = types.updates.State(0, 0, DATE, 0, 0)  # of no matter: what counts is whom it names
ANSWER.users = [
    types.User(7, first_name="Anna", last_name="Ivanova"),
    types.User(8, first_name="Boris", min=True),
    types.User(9, deleted=True),
    types.UserEmpty(10),
]
ANSWER.chats = [channel(1001, "Talk", megagroup=True), types.ChannelForbidden(1002, 0, "Desk", broadcast=True)]


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"from_id": types.PeerUser(7)}, "Anna Ivanova"),
        ({"from_id": types.PeerUser(8)}, "Boris"),
        ({"from_id": types.PeerUser(9)}, None),
        ({"from_id": types.PeerUser(10)}, None),
        ({"from_id": types.PeerUser(11)}, None),
        ({"from_id": DESK}, "Desk"),
        ({}, "Talk"),
        ({"from_id": GROUP}, "Talk"),
        ({"post_author": "дежурный"}, "дежурный"),
        ({"post": True}, None),
        ({"post": True, "post_author": "Anna"}, "Anna"),
        ({"post": True, "from_id": types.PeerUser(7)}, "Anna Ivanova"),
    ],
    ids=[
        "a person",
        "a person seen in passing",
        "a deleted account",
        "nobody",
        "somebody who was not named",
        "a channel that somebody speaks as",
        "an anonymous admin",
        "an anonymous admin who is named",
        "an anonymous admin with a rank",
        "a post",
        "a signed post",
        "a post with a profile",
    ],
)
def test_who_wrote_a_message_is_named_as_its_answer_does(fields: dict[str, object], name: str | None) -> None:
    message = types.Message(1, GROUP, DATE, "Text", **fields)
    assert author_name(message, named_in(ANSWER)) == name


@pytest.mark.parametrize(
    "push", [types.UpdatesTooLong(), types.UpdateShort(types.UpdateConfig(), DATE)], ids=["too long", "short"]
)
def test_a_push_that_names_nobody_is_no_trouble(push: TLObject) -> None:
    assert named_in(push) == {}


def test_what_was_attached_to_an_update_is_found_again() -> None:
    update = types.UpdateConfig()
    assert attached(update) == {}
    attach(update, named_in(ANSWER))
    assert attached(update)[7].first_name == "Anna"
