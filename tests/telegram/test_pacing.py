import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models import Peer, PeerKind
from bot.telegram.pacing import Pacing, Rates

ALICE = Peer(kind=PeerKind.USER, id=1)
BOB = Peer(kind=PeerKind.USER, id=2)
GROUP = Peer(kind=PeerKind.GROUP, id=1)
CHANNEL = Peer(kind=PeerKind.CHANNEL, id=1)


def send(pacing: Pacing, peer: Peer, now: float) -> float:
    """Go through both queues as the sender does; return when the message goes out."""
    return pacing.take_total(pacing.take_chat(peer, now))


def most_within(moments: list[float], seconds: float) -> int:
    """Count the fullest stretch of `seconds`, its end not included; a nanosecond of rounding is no breach."""
    return max(sum(start <= moment < start + seconds - 1e-9 for moment in moments) for start in moments)


def test_a_chat_takes_a_short_burst_and_then_one_message_a_second() -> None:
    pacing = Pacing()
    assert [send(pacing, ALICE, 100.0) for _ in range(7)] == [100, 100, 100, 103, 103, 103, 106]


def test_a_message_now_and_then_never_waits() -> None:
    pacing = Pacing()
    assert [send(pacing, ALICE, now) for now in range(50)] == list(range(50))


@pytest.mark.parametrize("peer", [GROUP, CHANNEL], ids=["group", "channel"])
def test_a_group_takes_twenty_messages_in_any_minute(peer: Peer) -> None:
    pacing = Pacing()
    moments = [send(pacing, peer, 0.0) for _ in range(100)]
    assert most_within(moments, 60) == 20
    assert moments[-1] < 60 * 5


def test_all_chats_together_take_thirty_messages_in_any_second() -> None:
    pacing = Pacing()
    moments = [send(pacing, Peer(kind=PeerKind.USER, id=number), 0.0) for number in range(300)]
    assert most_within(moments, 1) == 30
    assert moments[-1] == pytest.approx(9)


def test_a_chat_with_a_long_queue_holds_up_no_other() -> None:
    pacing = Pacing()
    for _ in range(60):
        pacing.take_chat(GROUP, 0.0)  # its places lie minutes ahead
    assert send(pacing, ALICE, 0.0) == 0


def test_chats_of_different_kinds_with_the_same_number_are_different_chats() -> None:
    pacing = Pacing()
    for _ in range(3):
        send(pacing, ALICE, 0.0)
    assert pacing.ready_at(ALICE, 0.0) == 3
    assert pacing.ready_at(GROUP, 0.0) == 0


def test_a_flooded_chat_waits_and_no_other_does() -> None:
    pacing = Pacing()
    pacing.flooded(ALICE, 17.0)
    pacing.flooded(ALICE, 5.0)  # a shorter wait that comes later does not end the longer one
    assert pacing.ready_at(ALICE, 0.0) == 17
    assert pacing.take_chat(ALICE, 0.0) == 17
    assert pacing.ready_at(BOB, 0.0) == 0


def test_asking_takes_no_place() -> None:
    pacing = Pacing()
    for _ in range(100):
        assert pacing.ready_at(ALICE, 0.0) == 0


def test_rates_can_be_lifted() -> None:
    pacing = Pacing(Rates(total=float("inf"), chat=float("inf"), group=float("inf")))
    assert {send(pacing, GROUP, 1.0) for _ in range(1000)} == {1.0}


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(0, 4)), min_size=1, max_size=150))
def test_whatever_is_asked_no_limit_is_passed(asked: list[tuple[float, int]]) -> None:
    pacing, now = Pacing(), 0.0
    total, chats = [], {}
    for pause, number in asked:
        now += pause
        group = Peer(kind=PeerKind.GROUP, id=number)
        due = pacing.take_chat(group, now)
        chats.setdefault(number, []).append(due)
        total.append(due)
    for moments in chats.values():
        assert moments == sorted(moments)
        assert most_within(moments, 3) <= 3
        assert most_within(moments, 60) <= 20
    gone = [pacing.take_total(due) for due in sorted(total)]
    assert most_within(gone, 1) <= 30
