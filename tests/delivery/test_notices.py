from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.locales import translator
from bot.models import Button
from bot.rendering.alert import Audience
from bot.rendering.notices import render_notice

NOW = datetime(2021, 10, 4, 15, 45, tzinfo=UTC)
CHANNEL = {"channel": "Минсвязь", "username": "zarechye_svyaz", "channel_id": 7, "posts": 200}

RENAMED = {
    "notice": "renamed",
    "channel": "Минсвязь",
    "username": "minsvyaz",
    "new_title": "Минсвязь",
    "new_username": "minsvyaz",
}


def render(language: str, **payload: Any) -> str:  # noqa: ANN401 - a payload is JSON
    return render_notice(payload, Audience(translator=translator(language), time_zone="UTC", now=NOW)).text


@pytest.mark.parametrize(
    ("would", "sentence"),
    [
        (0, "Последние посты (200) не принесли бы ни одного оповещения."),
        (1, "Последние посты (200) принесли бы 1 оповещение."),
        (2, "Последние посты (200) принесли бы 2 оповещения."),
        (5, "Последние посты (200) принесли бы 5 оповещений."),
        (21, "Последние посты (200) принесли бы 21 оповещение."),
    ],
)
def test_a_new_channel_is_told_with_what_its_last_posts_would_have_brought(would: int, sentence: str) -> None:
    text = render("ru", notice="followed", access="joined", would=would, **CHANNEL)
    assert text == f"Теперь я слежу за каналом «Минсвязь».\n{sentence}"


def test_the_same_in_english() -> None:
    text = render("en", notice="followed", access="joined", would=1, **CHANNEL)
    assert text == "I follow «Минсвязь» now.\nIts newest posts (200) would have brought 1 alert."


@pytest.mark.parametrize("would", [0, 6])
def test_what_would_have_come_can_be_seen_at_a_tap(would: int) -> None:
    payload = {"notice": "followed", "access": "polled", "would": would, **CHANNEL}
    outgoing = render_notice(payload, Audience(translator=translator("en"), time_zone="UTC", now=NOW))
    assert outgoing.buttons == (((Button(text="See them", data=b"seen:7"),),) if would else ())


def test_following_all_is_offered_with_how_to_follow() -> None:
    payload = {"notice": "all", "count": 9, "fresh": 4, "options": "join:no history:5000"}
    outgoing = render_notice(payload, Audience(translator=translator("en"), time_zone="UTC", now=NOW))
    assert outgoing.buttons == ((Button(text="Follow 4 channels", data=b"all:join:no history:5000"),),)


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        ({"notice": "followed", "access": "polled", "would": 0, **CHANNEL}, "Until I have joined it"),
        ({"notice": "followed", "access": "pending", "would": 0, **CHANNEL}, "Its admins have to let me in"),
        (
            {"notice": "refused", "reference": "@nobody", "reason": "USERNAME_NOT_OCCUPIED"},
            "I could not follow @nobody.",
        ),
        ({"notice": "refused", "reference": "@nobody", "reason": "USERNAME_NOT_OCCUPIED"}, "no channel of this name"),
        ({"notice": "refused", "reference": "@ivan", "reason": "user"}, "It is a person."),
        ({"notice": "refused", "reference": "@nobody", "reason": "NEW_REASON"}, "Telegram's reason: NEW_REASON."),
        ({"notice": "lost", "channel": "Минсвязь", "reason": "CHANNEL_PRIVATE"}, "I can no longer read «Минсвязь»"),
        ({"notice": "lost", "channel": "Минсвязь", "reason": "vanished"}, "It has turned private or was deleted."),
        ({"notice": "lost", "channel": "Минсвязь", "reason": "removed"}, "have removed my reader account"),
        ({"notice": "found", "channel": "Минсвязь"}, "I can read «Минсвязь» again."),
        ({**RENAMED, "new_title": "Связь"}, "«Минсвязь» is called «Связь» now."),
        ({**RENAMED, "new_username": "svyaz"}, "«Минсвязь» has the name @svyaz now, no longer @minsvyaz."),
        ({**RENAMED, "new_username": None}, "has given up its public name @minsvyaz"),
        ({**RENAMED, "username": None}, "«Минсвязь» is public now: @minsvyaz."),
        ({"notice": "followed", "access": "outside", "would": 0, **CHANNEL}, "now, from outside"),
        ({"notice": "followed", "access": "outside_fast", "would": 0, **CHANNEL}, "may come half a minute late"),
        ({"notice": "folder", "folder": "СМИ", "count": 12, "closed": []}, "holds 12 channels that I can read"),
        (
            {"notice": "folder", "folder": "СМИ", "count": 1, "closed": ["Тайна"]},
            "I need an invite link of each: Тайна",
        ),
        ({"notice": "all", "count": 9, "fresh": 4, "options": ""}, "I do not follow 4 of them yet."),
        ({"notice": "all", "count": 9, "fresh": 0, "options": ""}, "I follow all of them already."),
        ({"notice": "all", "count": 9, "fresh": 0, "options": "fast"}, "already, from now on so: fast"),
        (
            {"notice": "refused", "reference": "+xyz", "reason": "basic_group"},
            "follow t.me/+xyz. It is a small group. I follow it by myself once",
        ),
        ({"notice": "ping", "asked_at": (NOW - timedelta(milliseconds=432)).isoformat()}, "left 432 ms after"),
        ({"notice": "test_alert"}, "This is a test alert."),
    ],
)
def test_every_notice_says_what_happened(payload: dict[str, Any], sentence: str) -> None:
    assert sentence in render("en", **payload)
    russian = render("ru", **payload)
    assert sentence not in russian
    assert "{" not in russian


def test_options_are_told_in_the_words_of_the_language() -> None:
    told = render("ru", notice="all", count=9, fresh=0, options="fast join:no history:5000")
    assert told.endswith("отныне так: быстро вступать:нет история:5000")
    refused = {"notice": "refused", "reference": "@news"}
    assert "«быстро»" in render("ru", reason="too_many_fast", **refused)
    assert "«вступать:нет»" in render("ru", reason="needs_joining", **refused)


def test_a_channel_that_has_to_let_us_in_is_not_judged_by_what_we_cannot_see() -> None:
    text = render("en", notice="followed", access="pending", would=0, **CHANNEL | {"channel_id": None, "posts": 0})
    assert text.count("\n") == 0


def test_a_notice_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(KeyError):
        render("en", notice="unheard_of")
