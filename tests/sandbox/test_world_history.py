from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.world import Refused
from bot.sandbox.world.history import History, PageRequest
from bot.sandbox.world.log import Log, UpdateKind
from bot.sandbox.world.messages import MessageDraft, compose

from .worlds import START


def history(ids: list[int]) -> History:
    kept = History()
    for number in ids:
        date = START + timedelta(minutes=number)
        kept.add(compose(MessageDraft(text=str(number)), number=number, chat=-5, sender_id=None, now=date))
    return kept


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (PageRequest(limit=3), [9, 8, 7]),
        (PageRequest(limit=3, offset_id=7), [6, 5, 4]),
        (PageRequest(limit=3, offset_id=7, add_offset=1), [5, 4, 3]),
        (PageRequest(limit=4, offset_id=5, add_offset=-2), [6, 5, 4, 3]),
        (PageRequest(limit=3, offset_id=1, add_offset=-3), [3, 2, 1]),
        (PageRequest(limit=9, offset_id=8, add_offset=-9), [9, 8]),
        (PageRequest(min_id=7), [9, 8]),
        (PageRequest(max_id=3), [2, 1]),
        (PageRequest(min_id=3, max_id=6), [5, 4]),
        (PageRequest(offset_date=START + timedelta(minutes=3)), [2, 1]),
        (PageRequest(limit=0), []),
        (PageRequest(offset_id=1), []),
        (PageRequest(offset_id=100, limit=1), [9]),
    ],
)
def test_a_page_is_what_get_history_means(window: PageRequest, expected: list[int]) -> None:
    assert [message.id for message in history(list(range(1, 10))).page(window)] == expected


@given(st.sets(st.integers(1, 60)), st.integers(1, 7))
def test_pages_downwards_give_everything_once(ids: set[int], limit: int) -> None:
    kept, seen, offset = history(sorted(ids, key=hash)), [], 0
    while page := kept.page(PageRequest(limit=limit, offset_id=offset)):
        seen += [message.id for message in page]
        offset = seen[-1]
    assert seen == sorted(ids, reverse=True)


@given(st.lists(st.integers(1, 5), min_size=1), st.integers(1, 7))
def test_slices_give_every_change_once(sizes: list[int], limit: int) -> None:
    log = Log()
    made = [log.add(UpdateKind.DELETE, -5, range(size)) for size in sizes]
    pts, seen, final = 1, [], False
    while not final:
        changes, final = log.since(pts, limit)
        seen += changes
        pts = changes[-1].pts
    assert seen == made
    assert pts == log.pts == 1 + sum(sizes)


def test_a_pts_of_nobody_is_refused() -> None:
    log = Log()
    log.add(UpdateKind.NEW, -5, [1])
    assert log.behind(1) == 1
    for pts, error in ((0, "PERSISTENT_TIMESTAMP_EMPTY"), (3, "PERSISTENT_TIMESTAMP_INVALID"), (-1, "INVALID")):
        with pytest.raises(Refused, match=error):
            log.behind(pts)


def test_a_removed_message_is_on_no_page() -> None:
    kept = history([1, 2, 3])
    kept.remove(2)
    kept.remove(2)
    assert [message.id for message in kept.page(PageRequest())] == [3, 1]
