"""Any post, any formatting, any match; and what holds for every message that the bot writes."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from bot.locales import translator
from bot.locales.locale import Locale
from bot.models import Entity, Forward, StoredPost
from bot.models.alerts import Alert, AlertChange, Duplicate
from bot.models.outgoing import Outgoing
from bot.parts import Part, PartKind, PartMatch
from bot.rendering.alert import KEPT
from bot.sandbox.world.text import check_text
from bot.telegram.convert import from_entities
from bot.text.markup import LIMIT, units
from tests.rendering.values import ShownAlert, ShownChange

NOW = datetime(2021, 10, 4, 15, 45, tzinfo=UTC)
LOCALES = st.sampled_from(
    [
        Locale(t=translator("ru"), time_zone="Europe/Moscow", now=NOW),
        Locale(t=translator("en"), time_zone="UTC", now=NOW + timedelta(days=400)),
        Locale(t=translator("uk"), time_zone="Europe/Kyiv", now=NOW),
    ]
)
LOOSE = {"bold", "italic", "underline", "strike", "spoiler"}
MONOSPACED = {"code", "pre"}
URL = "https://example.org/"

# Wide characters, combining marks, joiners, right to left, directions, controls, halves of characters, markup.
LETTERS = (
    "аб\U0001f642\U0010ffff \n\t.!…e\u0301\u200b\u200d\u05d0\u202e\u2066"
    "\x00\x1c\r\x85\u2028\ud83d\udc00*_<&>[](){}@#/%`"
)
TEXTS = st.text(st.sampled_from(LETTERS), max_size=40) | st.text(max_size=60) | st.just("сбой сети. Ещё сбой\n")
LONG_TEXTS = st.builds(lambda text, times: text * times, TEXTS, st.integers(1, 300))
NUMBERS = st.integers(-5, 5000)
NEAR = st.integers(-2, 60)
KINDS = st.sampled_from([*sorted(KEPT), "custom_emoji", "mention_name", "unheard_of"])
ENTITIES = st.lists(
    st.builds(Entity, kind=KINDS, offset=NUMBERS | NEAR, length=NUMBERS | NEAR, value=st.none() | st.just(URL)),
    max_size=130,
).map(tuple)
SPANS = st.lists(st.tuples(NUMBERS | NEAR, NUMBERS | NEAR), max_size=120).map(sorted).map(tuple)
DATES = st.datetimes(datetime(2015, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
MAYBE_DATES = st.none() | DATES
PARTS = st.builds(Part, kind=st.sampled_from(PartKind), text=LONG_TEXTS)
FORWARDS = st.builds(
    Forward,
    channel_id=st.none() | st.just(1),
    message_id=st.none() | st.just(2),
    name=st.none() | TEXTS,
    date=st.just(NOW),
)
NAMES = st.none() | st.just("channel")
POSTS = st.builds(
    StoredPost,
    own_link=st.none() | st.just(URL),
    channel_id=st.integers(1, 2**40),
    channel_title=TEXTS,
    channel_username=NAMES,
    message_id=st.integers(1, 2**31),
    date=DATES,
    edit_date=MAYBE_DATES,
    text=LONG_TEXTS,
    parts=st.lists(PARTS, max_size=2).map(tuple),
    entities=ENTITIES,
    media=st.none(),
    forward=st.none() | FORWARDS,
    author=st.none() | TEXTS,
    gone_at=MAYBE_DATES,
    seen_at=DATES,
)
GONE = {"gone_at": MAYBE_DATES, "gone_items": st.none() | st.just((1, 0, 3))}
ALERTS = st.builds(
    ShownAlert,
    post=POSTS,
    alert=st.builds(
        Alert,
        version_id=st.just(1),
        shown_version_id=st.integers(1, 2),
        topics=st.lists(TEXTS, min_size=1, max_size=6).map(tuple),
        spans=SPANS,
        parts=st.lists(st.builds(PartMatch, part=PARTS, spans=SPANS), max_size=5).map(tuple),
        fits_since_edit=st.booleans(),
        **GONE,
    ),
    duplicates=st.lists(
        st.builds(
            Duplicate,
            own_link=st.none() | st.just(URL),
            channel_id=st.integers(1, 2**40),
            title=TEXTS,
            username=NAMES,
            message_id=st.integers(1, 2**31),
            date=DATES,
        ),
        max_size=9,
    ).map(tuple),
    missing_files=st.integers(0, 9),
)
CHANGES = st.builds(
    ShownChange,
    post=POSTS,
    before=st.none() | POSTS,
    change=st.builds(AlertChange, joined=st.lists(TEXTS, max_size=3).map(tuple), **GONE),
)


def shown(outgoing: Outgoing, entity: Entity) -> str:
    """Cut out an entity; half a character cannot be decoded."""
    raw = outgoing.text.encode("utf-16-le")
    return raw[2 * entity.offset : 2 * (entity.offset + entity.length)].decode("utf-16-le")


def assert_taken(outgoing: Outgoing) -> None:
    """Hold a message against what Telegram takes as it is, and the sandbox's own check."""
    assert 0 < units(outgoing.text) <= LIMIT
    assert outgoing.text == outgoing.text.strip()  # Telegram would trim it, and shift every entity
    assert len(outgoing.entities) <= 100
    assert sorted(outgoing.entities, key=lambda e: (e.offset, -e.length)) == list(outgoing.entities)
    for entity in outgoing.entities:
        assert entity.length > 0
        assert shown(outgoing, entity).strip() == shown(outgoing, entity) != ""
        assert entity.kind in KEPT
    assert_nested([(e.kind, e.offset, e.offset + e.length) for e in outgoing.entities])
    text, entities = check_text(outgoing.text, from_entities(outgoing.entities), caption=False)
    assert (text, len(entities)) == (outgoing.text, len(outgoing.entities))


def assert_nested(ranges: Sequence[tuple[str, int, int]]) -> None:
    for number, (kind, start, end) in enumerate(ranges):
        for inner, first, last in ranges[number + 1 :]:
            if first >= end:
                continue
            assert start <= first
            assert last <= end  # one contains the other
            assert kind not in MONOSPACED
            assert inner not in MONOSPACED or kind not in LOOSE
            assert kind in LOOSE or kind == "blockquote" or inner in LOOSE
            assert kind != inner
