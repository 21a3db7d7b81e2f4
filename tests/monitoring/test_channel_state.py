"""How the state of a channel is judged, case by case."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.monitoring.channel_state import ALLOWANCE, LATE, ChannelState, ChannelStatus, assess
from bot.store.channels import Access, Channel
from bot.store.meta import Pace
from bot.store.page_readings import PageReading
from bot.store.stats import ChannelStats
from tests.kit_archive import NEWS, NOON, ago

PACE = Pace(round=60, polls=10, fast=5, verifies=True)
FOLLOWED = ago(days=3)
CHANNEL = Channel(
    id=NEWS,
    kind="broadcast",
    title="Вести",
    username="vesti",
    followed_at=FOLLOWED,
    confirmed_id=9,
    complete_id=1,
    complete_from=FOLLOWED,
    seen_pts=5,
    swept_at=ago(minutes=1),
    read_by=1,
    fast=False,
    may_join=True,
    verified_at=ago(hours=2),
    verify_from=None,
    unchecked_since=None,
    doubted_at=None,
    access_hash=7,
    access=Access.JOINED,
    reason=None,
    joined_at=FOLLOWED,
    reader_lost=False,
)


def judged(
    *channels: Channel,
    missing: int = 0,
    unreadable: int = 0,
    limits: Pace = PACE,
    page: PageReading | None = None,
) -> list[ChannelState]:
    found = [
        ChannelStats(
            channel=each,
            last_post_at=None,
            missing=missing,
            unreadable=unreadable,
            posts=0,
            unpushed=0,
            silent_since=None,
            page=page,
        )
        for each in channels
    ]
    return assess(found, limits, NOON)


def limit(seconds: float) -> datetime:
    """Return since when a channel with so long a delay may go unread."""
    return NOON - timedelta(seconds=seconds) * LATE - ALLOWANCE


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, ChannelStatus.COMPLETE),
        ({"swept_at": limit(60)}, ChannelStatus.COMPLETE),
        ({"swept_at": limit(60) - timedelta(seconds=1)}, ChannelStatus.LATE),
        ({"swept_at": None, "followed_at": ago(minutes=1)}, ChannelStatus.FIRST),
        ({"swept_at": ago(minutes=2), "followed_at": ago(minutes=1)}, ChannelStatus.FIRST),  # followed anew
        ({"swept_at": None}, ChannelStatus.LATE),
        ({"unchecked_since": ago(minutes=3)}, ChannelStatus.UNCHECKED),
        ({"unchecked_since": ago(minutes=3), "doubted_at": ago(minutes=1)}, ChannelStatus.UNCHECKED),
        ({"unchecked_since": ago(days=4), "swept_at": ago(days=4)}, ChannelStatus.LATE),  # followed anew
        ({"unchecked_since": limit(60), "swept_at": limit(90)}, ChannelStatus.LATE),
        ({"access": Access.PENDING}, ChannelStatus.PENDING),
        ({"access": None}, ChannelStatus.PENDING),
        ({"access": Access.LOST}, ChannelStatus.LOST),
        ({"access": Access.LOST, "reader_lost": True}, ChannelStatus.LOST),
        ({"reader_lost": True}, ChannelStatus.UNREAD),
        ({"access": Access.POLLED, "fast": True, "swept_at": limit(5)}, ChannelStatus.COMPLETE),
        ({"access": Access.POLLED, "fast": True, "swept_at": limit(60)}, ChannelStatus.LATE),
    ],
)
def test_the_status_says_how_the_reading_goes(changes: dict[str, object], status: ChannelStatus) -> None:
    (state,) = judged(replace(CHANNEL, **changes))  # type: ignore[arg-type]
    assert state.status is status
    assert state.has_gap == (status not in {ChannelStatus.COMPLETE, ChannelStatus.FIRST, ChannelStatus.PENDING})
    assert state.is_verified == (status is ChannelStatus.COMPLETE)


PAGE = PageReading(
    channel_id=NEWS,
    since=ago(days=1),
    read_at=ago(minutes=1),
    last_id=9,
    gap_below=None,
    trouble=None,
    trouble_since=None,
    answers=0,
)


@pytest.mark.parametrize(
    ("page", "status", "has_gap"),
    [
        ({}, ChannelStatus.PAGE, False),
        ({"gap_below": 30}, ChannelStatus.PAGE, True),
        ({"read_at": None, "since": ago(minutes=1)}, ChannelStatus.PAGE, False),
        ({"read_at": ago(hours=4)}, ChannelStatus.UNREAD, True),
        ({"trouble": "no_page", "trouble_since": ago(hours=7), "answers": 2}, ChannelStatus.PAGE, False),
        ({"trouble": "no_page", "trouble_since": ago(hours=5), "answers": 9}, ChannelStatus.PAGE, False),
        ({"trouble": "no_page", "trouble_since": ago(hours=7), "answers": 3}, ChannelStatus.UNREAD, True),
        ({"trouble": "taken_over", "trouble_since": NOON}, ChannelStatus.UNREAD, True),
        ({"trouble": "page_unreachable", "trouble_since": ago(minutes=20)}, ChannelStatus.PAGE, False),
        ({"trouble": "page_unreachable", "trouble_since": ago(minutes=40)}, ChannelStatus.UNREAD, True),
    ],
)
def test_a_channel_may_be_read_through_its_page(
    page: dict[str, object], status: ChannelStatus, *, has_gap: bool
) -> None:
    (state,) = judged(replace(CHANNEL, reader_lost=True), page=replace(PAGE, **page))  # type: ignore[arg-type]
    assert (state.status, state.has_gap, state.is_verified) == (status, has_gap, False)
    assert state.checked_at is None


@pytest.mark.parametrize(
    ("changes", "is_verified"),
    [
        ({"verified_at": FOLLOWED}, True),
        ({"verified_at": FOLLOWED - timedelta(seconds=1)}, False),  # before it was followed anew
        ({"verified_at": None}, False),
        ({"unchecked_since": ago(minutes=1), "doubted_at": ago(minutes=1)}, False),
    ],
)
def test_verified_is_complete_and_compared_since_it_was_followed(
    changes: dict[str, object], *, is_verified: bool
) -> None:
    channel = replace(CHANNEL, **changes)  # type: ignore[arg-type]
    assert [state.is_verified for state in judged(channel)] == [is_verified]
    assert [state.is_verified for state in judged(channel, limits=replace(PACE, verifies=False))] == [True]


@pytest.mark.parametrize("holed", [{"missing": 1}, {"seen_pts": 0}], ids=["ids missing", "read again"])
def test_a_hole_is_a_gap_and_keeps_a_channel_from_being_verified(holed: dict[str, int]) -> None:
    (state,) = judged(replace(CHANNEL, seen_pts=holed.get("seen_pts", 5)), missing=holed.get("missing", 0))
    assert (state.status, state.has_gap, state.is_verified) == (ChannelStatus.COMPLETE, True, False)


def test_what_cannot_be_read_is_a_gap_and_keeps_a_channel_from_being_verified() -> None:
    (state,) = judged(CHANNEL, unreadable=1)
    assert (state.status, state.has_gap, state.is_verified) == (ChannelStatus.COMPLETE, True, False)


def delays(channels: Iterable[Channel]) -> list[float]:
    return [state.delay.total_seconds() for state in judged(*channels)]


def test_channels_that_one_reader_reads_from_outside_share_its_rounds() -> None:
    outside = replace(CHANNEL, access=Access.POLLED)
    assert delays([outside] * 10) == [60] * 10
    assert delays([outside] * 11) == [120] * 11
    assert delays([outside] * 10 + [replace(outside, read_by=2)]) == [60] * 11
    assert delays([*[outside] * 10, CHANNEL, replace(outside, fast=True)]) == [*[120] * 10, 60, 5]


@pytest.mark.parametrize(
    ("changes", "is_checked"),
    [({}, True), ({"reader_lost": True}, False), ({"access": Access.LOST}, False), ({"swept_at": ago(days=4)}, False)],
)
def test_a_channel_was_checked_where_it_is_read_and_was_since_it_was_followed(
    changes: dict[str, object], *, is_checked: bool
) -> None:
    (state,) = judged(replace(CHANNEL, **changes))  # type: ignore[arg-type]
    assert state.checked_at == (state.channel.swept_at if is_checked else None)


def test_a_channel_is_checked_up_to_the_last_change_that_was_to_be_had() -> None:
    (state,) = judged(replace(CHANNEL, unchecked_since=ago(minutes=3)))
    assert state.checked_at == ago(minutes=3)
