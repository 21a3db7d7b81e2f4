from datetime import UTC, datetime

import pytest

from bot.delivery.message_lookup import is_ours, is_same, key_of
from bot.locales import translator
from bot.models.outgoing import Button, Outgoing, PeerKind
from bot.rendering.alert import alert_buttons
from bot.telegram.convert import SentMessage

ENGLISH = translator("en")


def own(text: str, *buttons: Button, links: tuple[str, ...] = ()) -> SentMessage:
    return SentMessage(
        kind=PeerKind.USER,
        peer_id=1,
        message_id=7,
        date=datetime(2025, 3, 10, tzinfo=UTC),
        text=text,
        buttons=buttons,
        links=links,
    )


def data(*written: str) -> list[Button]:
    return [Button(text="?", data=each.encode()) for each in written]


@pytest.mark.parametrize(
    ("buttons", "key"),
    [
        (
            [
                button
                for row in alert_buttons(1002, 7, "https://t.me/news/7", ENGLISH, is_foreign=True)
                for button in row
            ],
            (1002, 7),
        ),
        (
            [
                button
                for row in alert_buttons(1002, 7, "https://t.me/c/1002/7", ENGLISH, is_foreign=False)
                for button in row
            ],
            (1002, 7),
        ),
        (data("snooze:1002:7:t5", "back:1002:7"), (1002, 7)),
        (data("post:1002:7"), None),
        (data("page:1002:7:2"), None),
        ([Button(text="Open", url="https://t.me/news/7")], None),
        (data("mute:1002"), None),
        ([], None),
    ],
    ids=["alert", "private", "choice", "change", "answer", "link", "mutes", "none"],
)
def test_an_alert_is_known_by_its_buttons(buttons: list[Button], key: tuple[int, int] | None) -> None:
    assert key_of(buttons) == key


def test_an_alert_is_the_same_whatever_its_text_says_by_now() -> None:
    rows = alert_buttons(1002, 7, "https://t.me/news/7", ENGLISH, is_foreign=True)
    outgoing = Outgoing(text="5 minutes ago", buttons=rows)
    assert is_same(own("4 minutes ago", *(button for row in rows for button in row)), outgoing)
    others = alert_buttons(1002, 8, "https://t.me/news/8", ENGLISH, is_foreign=False)
    assert not is_same(own("5 minutes ago", *(button for row in others for button in row)), outgoing)


def test_an_alert_in_a_channel_is_known_by_its_link_alone() -> None:
    link, other = (Button(text="Open", url=f"https://t.me/agency/{number}") for number in (7, 8))
    outgoing = Outgoing(text="5 minutes ago", buttons=((link,),))
    assert is_same(own("4 minutes ago", link), outgoing)
    assert not is_same(own("5 minutes ago", other), outgoing)


def test_a_notice_is_known_by_its_buttons_or_else_by_its_text() -> None:
    notice = Outgoing(text="5 posts came late.", buttons=(tuple(data("late:2025-03-10T12")),))
    assert is_same(own("4 posts came late.", *data("late:2025-03-10T12")), notice)
    assert not is_same(own("5 posts came late.", *data("late:2025-03-10T13")), notice)
    assert is_same(own("Pong."), Outgoing(text="Pong."))
    assert not is_same(own("Pong.", *data("late:2025-03-10T13")), Outgoing(text="Pong."))
    assert not is_same(own("Ping."), Outgoing(text="Pong."))


def test_a_message_that_a_script_writes_with_our_token_is_not_ours() -> None:
    assert is_ours(own("Digest · 1 post", links=("https://t.me/news/7",)))
    assert is_ours(own("🌩 Outages", *data("sum:5:0:new")))
    assert not is_ours(own("Backup done."))
    assert not is_ours(
        own("Backup done.", Button(text="Open", url="https://ci.example"), links=("https://ci.example",))
    )
