"""The limits by themselves: what leaves when, in a time that the tests tell."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models.outgoing import Peer, PeerKind
from bot.telegram.rate_limit import RECOVERY, SLACK, Bucket, Pacing, Rates, Throttle, Window
from tests.telegram.traffic import breaches, most_within

BEGIN = datetime(2024, 5, 6, 12, 0, tzinfo=UTC)
ALICE = Peer(kind=PeerKind.USER, id=1)
BOB = Peer(kind=PeerKind.USER, id=2)
CAROL = Peer(kind=PeerKind.USER, id=3)
GROUP = Peer(kind=PeerKind.GROUP, id=1)
CHANNEL = Peer(kind=PeerKind.CHANNEL, id=1)


def send(pacing: Pacing, peer: Peer, now: float) -> float:
    """Send as soon as both limits allow; return when that is."""
    at = pacing.chat_ready_at(peer, now)
    at = pacing.total_ready_at(at)
    pacing.spend(peer, at)
    return at


def many(pacing: Pacing, peer: Peer, count: int, *, since: float = 0.0) -> list[float]:
    moments: list[float] = []
    for _ in range(count):
        moments.append(send(pacing, peer, moments[-1] if moments else since))
    return moments


def test_a_chat_takes_a_short_burst_and_then_one_message_a_second() -> None:
    moments = many(Pacing(), ALICE, 7, since=100.0)
    assert moments == pytest.approx([100, 100, 100, *[100 + 3 * SLACK] * 3, 100 + 6 * SLACK])


def test_all_messages_of_an_album_count_and_what_follows_it_waits_for_each() -> None:
    pacing = Pacing()
    send(pacing, ALICE, 100.0)
    pacing.spend_more(ALICE, 100.0, 9)
    assert pacing.chat_ready_at(ALICE, 100.0) == pytest.approx(100 + 9 * SLACK)
    assert send(pacing, BOB, 100.0) == pytest.approx(100 + SLACK / 3)  # the ten took all that may go in this third


@pytest.mark.parametrize("peer", [GROUP, CHANNEL], ids=["group", "channel"])
def test_two_albums_fill_the_minute_of_a_group(peer: Peer) -> None:
    pacing, now = Pacing(), 0.0
    for _ in range(2):
        now = send(pacing, peer, now)
        pacing.spend_more(peer, now, 9)
    assert pacing.chat_ready_at(peer, now) == pytest.approx(60 * SLACK)


def test_a_message_now_and_then_never_waits() -> None:
    pacing = Pacing()
    assert [send(pacing, ALICE, now * 1.1) for now in range(50)] == [now * 1.1 for now in range(50)]


@pytest.mark.parametrize("peer", [GROUP, CHANNEL], ids=["group", "channel"])
def test_a_group_takes_twenty_messages_in_any_minute(peer: Peer) -> None:
    moments = many(Pacing(), peer, 100)
    assert most_within(moments, 60) == 20
    assert moments[-1] < 60 * 5


def test_all_chats_together_take_thirty_messages_in_any_second() -> None:
    pacing, now, moments = Pacing(), 0.0, []
    for number in range(300):
        now = send(pacing, Peer(kind=PeerKind.USER, id=number), now)
        moments.append(now)
    assert most_within(moments, 1) == 30
    assert moments[-1] == pytest.approx(29 / 3 * SLACK)


def test_whoever_comes_in_the_midst_of_many_waits_a_third_of_a_second_at_most() -> None:
    pacing, now = Pacing(), 0.0
    for number in range(1000):
        now = send(pacing, Peer(kind=PeerKind.USER, id=10 + number), now)
        assert pacing.total_ready_at(now) - now <= SLACK / 3 + 1e-9


def test_chats_of_different_kinds_with_the_same_number_are_different_chats() -> None:
    pacing = Pacing()
    many(pacing, ALICE, 3)
    assert pacing.chat_ready_at(ALICE, 0.0) == pytest.approx(3 * SLACK)
    assert pacing.chat_ready_at(GROUP, 0.0) == 0


def test_the_threads_of_a_forum_are_one_chat() -> None:
    pacing = Pacing()
    for thread in (1, 2, 3):
        send(pacing, Peer(kind=PeerKind.CHANNEL, id=1, thread_id=thread), 0.0)
    assert pacing.chat_ready_at(CHANNEL, 0.0) > 0


def test_a_flooded_chat_waits_and_no_other_does() -> None:
    pacing = Pacing()
    pacing.flood(ALICE, 0.0, until=17.0)
    pacing.flood(ALICE, 0.0, until=5.0)  # a shorter wait that comes later does not end the longer one
    assert pacing.chat_ready_at(ALICE, 0.0) == 17
    assert pacing.chat_ready_at(BOB, 0.0) == 0
    assert pacing.total_ready_at(0.0) == 0


def test_after_a_flood_a_chat_gets_less_until_it_has_recovered() -> None:
    pacing = Pacing()
    pacing.flood(ALICE, 0.0, until=10.0)
    first, *_, fourth = many(pacing, ALICE, 4, since=0.0)
    assert first == 10
    assert fourth - first == pytest.approx(2 * 3 * SLACK, rel=0.05)
    later = many(pacing, ALICE, 4, since=10.0 + RECOVERY / 2)
    assert later[3] - later[0] == pytest.approx(3 * SLACK)


def test_each_further_flood_halves_again_and_something_is_always_left() -> None:
    pacing = Pacing()
    for number in range(20):
        pacing.flood(ALICE, float(number), until=number + 1.0)
    moments = many(pacing, ALICE, 4, since=20.0)
    assert moments[3] - moments[0] == pytest.approx(10 * 3 * SLACK, rel=0.1)


def test_a_group_in_slow_mode_is_waited_for_and_not_slowed() -> None:
    pacing = Pacing()
    pacing.close(GROUP, 30.0)
    moments = many(pacing, GROUP, 4)
    assert moments[0] == 30
    assert moments[3] - moments[0] == pytest.approx(3 * SLACK)


def test_floods_in_several_chats_at_once_slow_everything_and_it_recovers() -> None:
    pacing = Pacing()
    for peer in (ALICE, BOB, CAROL):
        pacing.flood(peer, 100.0, until=101.0)
    assert second(pacing, 101.0) == pytest.approx(15, abs=1)
    assert second(pacing, 101.0 + RECOVERY / 4) == pytest.approx(23, abs=1)
    assert second(pacing, 101.0 + RECOVERY) >= 29


def second(pacing: Pacing, since: float) -> float:
    """Return the messages a second that leave to many chats, over ten seconds."""
    now, count = since, 0
    while now < since + 10:
        now = send(pacing, Peer(kind=PeerKind.USER, id=1000 + count), now)
        count += 1
    return count / 10


def test_floods_of_one_chat_or_far_apart_do_not_slow_the_others() -> None:
    pacing = Pacing()
    for number in range(10):
        pacing.flood(ALICE, 100.0 + number, until=101.0 + number)
    for number in range(10):
        pacing.flood(Peer(kind=PeerKind.USER, id=100 + number), 200.0 + 6 * number, until=201.0 + 6 * number)
    assert second(pacing, 300.0) >= 29


def test_floods_that_answer_what_was_sent_before_the_slowing_slow_once() -> None:
    pacing = Pacing()
    for number in range(30):
        pacing.flood(Peer(kind=PeerKind.USER, id=100 + number), 100.0 + number / 100, until=101.0)
    assert second(pacing, 101.0) == pytest.approx(15, abs=1)


def test_asking_takes_no_place() -> None:
    pacing = Pacing()
    for _ in range(100):
        assert pacing.chat_ready_at(ALICE, 0.0) == pacing.total_ready_at(0.0) == 0
    assert len(pacing) == 0


def test_chats_are_forgotten_once_nothing_counts_of_them() -> None:
    pacing, now, most = Pacing(), 0.0, 0
    pacing.flood(ALICE, 0.0, until=3600.0)  # one that has to be remembered keeps no other
    for number in range(20_000):
        now = send(pacing, Peer(kind=PeerKind.USER, id=10 + number), now)
        most = max(most, len(pacing))
    assert most < 300
    assert pacing.chat_ready_at(ALICE, now) == 3600


def test_rates_can_be_lifted() -> None:
    pacing = Pacing(Rates(total=float("inf"), chat=float("inf"), group=float("inf")))
    assert {send(pacing, GROUP, 1.0) for _ in range(1000)} == {1.0}


def budget(*, rate: float, burst: int) -> Bucket:
    return Bucket(rate=rate, burst=burst, now=0.0, throttle=Throttle(least=0.1, recovery=RECOVERY))


def test_a_budget_allows_a_burst_then_its_rate() -> None:
    bucket = budget(rate=2.0, burst=3)
    assert [bucket.take(0.0) for _ in range(5)] == [0.0, 0.0, 0.0, 0.5, 1.0]
    assert bucket.take(10.0) == 0.0


def test_a_budget_is_halved_by_a_wait_and_recovers() -> None:
    bucket = budget(rate=2.0, burst=1)
    bucket.flood(0.0)
    assert bucket.take(0.0) == 1.0
    later = RECOVERY + 1
    bucket.take(later)
    assert bucket.take(later) == 0.5


def test_a_window_takes_so_many_and_opens_as_they_grow_old() -> None:
    window = Window(2, 60.0)
    for second in (0.0, 30.0):
        assert window.ready_at(second) == second
        window.spend(second)
    assert window.ready_at(59.0) == 60
    window.spend(60.0)
    assert window.ready_at(60.0) == 90


@pytest.mark.parametrize(("later", "rate"), [(9.999, 15), (10.0, 30)], ids=["just within", "apart"])
def test_floods_are_one_sign_within_ten_seconds(later: float, rate: int) -> None:
    pacing = Pacing()
    for peer, at in ((ALICE, 100.0), (BOB, 100.0), (CAROL, 100.0 + later)):
        pacing.flood(peer, at, until=at + 1)
    assert second(pacing, 100.0 + later + 1) == pytest.approx(rate, abs=1)


PEERS = st.builds(Peer, kind=st.sampled_from(PeerKind), id=st.integers(1, 4))


@given(st.lists(st.tuples(st.floats(0, 5), PEERS, st.booleans()), min_size=1, max_size=200))
def test_whatever_is_asked_no_limit_is_passed(asked: list[tuple[float, Peer, bool]]) -> None:
    pacing, now = Pacing(), 0.0
    gone: list[tuple[float, Peer]] = []
    for pause, peer, flooded in asked:
        now += pause
        if flooded and pause > 4:
            pacing.flood(peer, now, until=now + pause)
        if max(pacing.chat_ready_at(peer, now), pacing.total_ready_at(now)) <= now:
            pacing.spend(peer, now)
            gone.append((now, peer))
    assert not breaches(gone)
