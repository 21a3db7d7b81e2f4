from datetime import UTC, datetime

import pytest

from bot.locales import translator
from bot.models.follow_list import FollowListItem, FollowListState
from bot.rendering.follow_list import render_follow_list
from bot.text.markup import LIMIT, units

NOW, ENGLISH = datetime(2026, 3, 10, 12, tzinfo=UTC), translator("en")


def listed(state: FollowListState, count: int, reason: str | None = None) -> list[FollowListItem]:
    return [FollowListItem(name=f"@{state}_{n}", state=state, reason=reason) for n in range(count)]


FOLLOWED, OPEN = listed(FollowListState.FOLLOWED, 31), listed(FollowListState.OPEN, 7)
WRONG = listed(FollowListState.REFUSED, 2, "USERNAME_NOT_OCCUPIED")


def test_a_list_fills_in() -> None:
    shown = render_follow_list([*FOLLOWED, *OPEN, *WRONG], "Already followed: @news", NOW, ENGLISH)
    assert shown.text.startswith("I follow 31 of 40 channels…\n\n✓ @followed_0\n")
    assert "✗ @refused_0, @refused_1. There is no channel with this name." in shown.text
    assert "… @open_0, " in shown.text
    assert shown.text.endswith("\n\nAlready followed: @news")
    assert shown.buttons == ()


def test_its_end_says_what_can_be_done_about_the_rest() -> None:
    waiting = listed(FollowListState.ASKED, 1, "INVITE_REQUEST_SENT")
    shown = render_follow_list([*FOLLOWED, *WRONG, *waiting], "", NOW, ENGLISH)
    assert shown.text.startswith("I follow 31 of 34 channels.\n")
    assert "⏳ @asked_0. " in shown.text
    assert "tap below to try all of them again" in shown.text
    assert [button.text for button in shown.buttons[0]] == ["Try again: 2", "All channels"]
    assert shown.buttons[0][0].data == b"retry:1773144000000"


@pytest.mark.parametrize("state", FollowListState)
def test_five_hundred_fit_into_a_message(state: FollowListState) -> None:
    long = [FollowListItem(name="Канал «Новости» " * 9, state=state, reason=f"REASON_{n}") for n in range(500)]
    assert units(render_follow_list(long, "Already followed", NOW, translator("ru")).text) <= LIMIT
