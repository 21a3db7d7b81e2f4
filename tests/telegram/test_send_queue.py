"""Who goes first, in a time that the tests tell: nothing sleeps."""

from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models.outgoing import Peer, PeerKind
from bot.telegram.rate_limit import Pacing, Rates
from bot.telegram.send_queue import AT_ONCE, Ticket, Turns
from tests.telegram.traffic import breaches

UNLIMITED = Rates(total=float("inf"), chat=float("inf"), group=float("inf"))
NEWS = Peer(kind=PeerKind.USER, id=999_999)


def user(number: int) -> Peer:
    return Peer(kind=PeerKind.USER, id=number)


class Hall:
    """Lets people in, and tells time from one turn to the next."""

    def __init__(self, rates: Rates | None = None) -> None:
        self.pacing = Pacing(rates)
        self.turns = Turns(self.pacing)
        self.now = 0.0

    def join(self, peer: Peer, place: float) -> Ticket:
        return self.turns.join(peer, place, self.now)

    def flow(self, until: float = float("inf")) -> Iterator[tuple[float, Ticket]]:
        """Let go whoever may, until nobody waits or that moment has come."""
        while True:
            for ticket in self.turns.admit(self.now):
                yield self.now, ticket
            at = self.turns.next_at(self.now)
            if at is None or at > until:
                return
            assert at > self.now, "whoever asks again at that moment gets on"
            self.now = at


def places(flow: Iterator[tuple[float, Ticket]]) -> list[float]:
    return [ticket.place for _, ticket in flow]


def test_in_a_chat_the_smallest_place_goes_first() -> None:
    hall = Hall()
    for place in (3, 1, 2, 1):
        hall.join(user(1), place)
    assert places(hall.flow()) == [1, 1, 2, 3]


def test_of_chats_the_newest_and_the_oldest_go_in_turn() -> None:
    hall = Hall(UNLIMITED)
    for place in range(1, 7):
        hall.join(user(place), place)
    assert places(hall.flow()) == [6, 1, 5, 2, 4, 3]


def test_an_answer_goes_before_all_alerts_and_answers_in_the_order_in_which_they_came() -> None:
    hall = Hall()
    for place in range(1, 100):
        hall.join(user(place), place)
    answers = [hall.join(user(place), AT_ONCE) for place in (50, 200, 300)]
    assert [ticket for _, ticket in hall.flow()][:3] == answers


def test_an_answer_goes_before_what_waits_in_its_own_chat() -> None:
    hall = Hall()
    for place in range(10):
        hall.join(user(1), place)
    list(hall.flow(until=0))
    answer = hall.join(user(1), AT_ONCE)
    at, first = next(hall.flow())
    assert first is answer
    assert at > 0


@pytest.mark.parametrize("queued", [range(5000), [0] * 5000, range(5000, 0, -1)], ids=["in order", "at once", "mixed"])
def test_news_leaves_within_a_second_while_a_fan_out_takes_minutes(queued: list[int]) -> None:
    hall = Hall()
    for number, place in enumerate(queued):
        hall.join(user(number), place)
    assert sum(1 for _ in hall.flow(until=10.0)) == pytest.approx(300, rel=0.05)
    came = hall.now
    news = hall.join(NEWS, 6000)
    left = next(at for at, ticket in hall.flow() if ticket is news)
    assert left - came < 0.5


def test_news_leaves_within_a_second_though_there_was_other_news_just_before() -> None:
    hall = Hall()
    for number in range(5000):
        hall.join(user(number), number)
    list(hall.flow(until=10.0))
    waits = []
    for number in range(20):  # a second apart
        came = hall.now
        news = hall.join(user(10_000 + number), 10_000 + number)
        waits.append(next(at for at, ticket in hall.flow() if ticket is news) - came)
        list(hall.flow(until=came + 1))
    assert max(waits) < 0.5


def test_old_alerts_get_half_of_the_rate_however_much_news_there_is() -> None:
    hall = Hall()
    old = {hall.join(user(number), number) for number in range(100)}
    gone, number = [], 1000
    while old - set(gone):
        for _ in range(40):
            number += 1
            hall.join(user(number), number)
        gone += [ticket for _, ticket in hall.flow(until=hall.now + 1)]
        hall.now += 1e-6
    assert hall.now < 100 / 15 + 2


def test_a_chat_that_is_closed_holds_up_nobody() -> None:
    hall = Hall()
    hall.pacing.close(user(1), 3600.0)
    stuck = hall.join(user(1), 0)
    for number in range(2, 100):
        hall.join(user(number), number)
    gone = list(hall.flow(until=10.0))
    assert len(gone) == 98
    assert list(hall.flow()) == [(3600.0, stuck)]


def test_a_chat_that_is_closed_after_its_turn_had_come_waits_again() -> None:
    hall = Hall()
    for number in range(20):
        hall.join(user(number), number)
    list(hall.flow(until=0))

    for number in range(20):
        hall.pacing.close(user(number), 50.0)
    assert all(at >= 50 for at, _ in hall.flow())


def test_whoever_leaves_gives_the_turn_to_the_next() -> None:
    hall = Hall(Rates(total=10))
    tickets = [hall.join(user(1), place) for place in range(3)] + [hall.join(user(2), 10)]
    hall.turns.leave(tickets[0], hall.now)
    hall.turns.leave(tickets[3], hall.now)
    assert [ticket for _, ticket in hall.flow()] == tickets[1:3]
    hall.turns.leave(tickets[1], hall.now)  # it is gone: nothing happens


def test_those_who_wait_for_a_flooded_chat_are_dismissed() -> None:
    hall = Hall()
    tickets = [hall.join(user(1), place) for place in range(3)]
    other = hall.join(user(2), 9)
    assert set(hall.turns.dismiss(user(1), hall.now)) == set(tickets)
    assert hall.turns.dismiss(user(7), hall.now) == []
    assert [ticket for _, ticket in hall.flow()] == [other]


def test_ten_thousand_chats_with_queues_use_the_whole_rate_and_pass_no_limit() -> None:
    hall, chance, chats = Hall(), Random(4), 10_000  # noqa: S311 - repeatable
    kinds = [PeerKind.USER, PeerKind.GROUP, PeerKind.CHANNEL]
    peers = [Peer(kind=kinds[number % 3], id=number) for number in range(chats)]
    for place in range(3 * chats):
        hall.join(peers[chance.randrange(chats)], place)
    gone = [(at, ticket.peer) for at, ticket in hall.flow()]
    assert len(gone) == 3 * chats
    assert len(gone) / hall.now >= 0.95 * 30
    assert not breaches(gone)


def test_twenty_groups_with_long_queues_get_all_that_groups_may_get() -> None:
    hall = Hall()
    groups = [Peer(kind=PeerKind.GROUP, id=number) for number in range(20)]
    for place in range(100 * len(groups)):
        hall.join(groups[place % len(groups)], place)
    gone = [(at, ticket.peer) for at, ticket in hall.flow()]
    assert not breaches(gone)
    assert hall.now < 4 * 61.8 + 25
    assert set(Counter(peer.id for _, peer in gone).values()) == {100}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["join", "join", "join", "wait", "leave", "flood", "close"]),
        st.builds(Peer, kind=st.sampled_from(PeerKind), id=st.integers(1, 5)),
        st.floats(0, 4),
        st.integers(0, 30),
    ),
    max_size=150,
)


@given(STEPS)
def test_whatever_happens_no_limit_is_passed_and_everybody_goes_in_the_end(
    steps: list[tuple[str, Peer, float, int]],
) -> None:
    hall = Hall()
    joined: list[Ticket] = []
    left: set[Ticket] = set()
    gone: list[tuple[float, Ticket]] = []
    closed: dict[tuple[PeerKind, int], float] = {}
    for verb, peer, span, place in steps:
        if verb == "join":
            joined += [hall.join(peer, place or AT_ONCE) for _ in range(3)]
        elif verb == "leave" and joined:
            ticket = joined[place % len(joined)]
            left |= {ticket} if ticket.waits else set()
            hall.turns.leave(ticket, hall.now)
        elif verb == "flood":
            hall.pacing.flood(peer, hall.now, until=hall.now + span)
            left |= set(hall.turns.dismiss(peer, hall.now))
            closed[peer.kind, peer.id] = max(closed.get((peer.kind, peer.id), 0), hall.now + span)
        elif verb == "close":
            hall.pacing.close(peer, hall.now + span)
            closed[peer.kind, peer.id] = max(closed.get((peer.kind, peer.id), 0), hall.now + span)
        else:
            until = hall.now + span
            before = list(hall.flow(until=until))
            assert all(at >= closed.get(ticket.key, 0) for at, ticket in before)
            gone += before
            hall.now = until
    gone += hall.flow()
    assert {ticket for _, ticket in gone} == set(joined) - left
    assert len(gone) == len(joined) - len(left)
    assert not breaches((at, ticket.peer) for at, ticket in gone)
