from datetime import timedelta

from bot.sources.pace import Rest, Window

from .kit import BEGIN


def test_a_window_takes_so_many_and_opens_as_they_grow_old() -> None:
    window = Window(events=2, within=timedelta(minutes=1))
    for second in (0, 30):
        assert window.is_open(BEGIN + timedelta(seconds=second))
        window.spend(BEGIN + timedelta(seconds=second))
    assert not window.is_open(BEGIN + timedelta(seconds=59))
    assert window.is_open(BEGIN + timedelta(seconds=60))
    window.spend(BEGIN + timedelta(seconds=60))
    assert not window.is_open(BEGIN + timedelta(seconds=89))
    assert window.is_open(BEGIN + timedelta(seconds=90))


def test_a_rest_is_made_longer_and_never_shorter() -> None:
    rest = Rest()
    assert rest.is_over(BEGIN)
    rest.rest(BEGIN + timedelta(hours=2))
    rest.rest(BEGIN + timedelta(hours=1))
    assert not rest.is_over(BEGIN + timedelta(hours=1, minutes=59))
    assert rest.is_over(BEGIN + timedelta(hours=2))
    rest.rest(BEGIN + timedelta(hours=9))
    rest.end()
    assert rest.is_over(BEGIN)
