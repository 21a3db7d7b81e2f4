"""When the reader hears Telegram, and when it does not: what was posted meanwhile, nobody could push."""

from datetime import timedelta

from bot.sources.uptime import Hearing

from .kit import BEGIN, Place


async def spans(place: Place) -> list[tuple[float, float]]:
    """Return the spans in which the reader heard, in seconds since the beginning."""
    rows = await place.database.fetch_all("SELECT began, ended FROM uptimes ORDER BY began")
    zero = BEGIN.timestamp()
    return [(row["began"] / 1000 - zero, row["ended"] / 1000 - zero) for row in rows]


async def test_a_span_lasts_as_long_as_telegram_answers(place: Place) -> None:
    hearing = Hearing(place.database, [], clock=place.now)
    for _ in range(3):
        assert await hearing.listen(place.reader_id, place.client)
        place.now.moves(timedelta(seconds=20))
    assert await spans(place) == [(0, 40)]
    await place.client.disconnect()
    assert not await hearing.listen(place.reader_id, place.client)
    place.now.moves(timedelta(seconds=20))
    await place.client.connect()
    for _ in range(2):
        assert await hearing.listen(place.reader_id, place.client)
        place.now.moves(timedelta(seconds=20))
    assert await spans(place) == [(0, 40), (80, 100)]
    assert await Hearing(place.database, [], clock=place.now).listen(place.reader_id, place.client)  # after a restart
    assert await spans(place) == [(0, 40), (80, 100), (120, 120)]
