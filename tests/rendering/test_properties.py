"""Laws of what else the bot writes of foreign words, and that all of it arrives as it was written."""

import re
from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.locales.locale import Locale
from bot.models import Entity, Withholding, Withholdings, notices
from bot.models.acts import Act, TargetChange
from bot.models.alerts import GroupedAlert, GroupKind, GroupSummary, Loudness, StormState
from bot.models.counts import DeletionCount, MoverCount, TopicCount, WeekCounts
from bot.models.enquiries import EnquiryKind, Findings, FoundChannel
from bot.models.notices import FollowAccess, Notice, Outage
from bot.models.outgoing import Outgoing, Peer, PeerKind
from bot.models.people import Role
from bot.models.topics import TopicState
from bot.parts import PartMatch
from bot.rendering.alert import KEPT
from bot.rendering.groups import render_count, render_page, render_storm
from bot.rendering.notices import render_notice
from bot.sandbox import Sandbox
from bot.telegram.convert import to_entities
from tests.delivery.kit import sender_of
from tests.kit import alert_of
from tests.rendering.anything import (
    ALERTS,
    CHANGES,
    DATES,
    LETTERS,
    LOCALES,
    NOW,
    PARTS,
    POSTS,
    SPANS,
    assert_taken,
)
from tests.rendering.values import ShownAlert, ShownChange

VALUED = {"text_url", "pre"}  # entities whose value goes along


@given(CHANGES, LOCALES)
def test_any_change_is_told_by_a_message_that_telegram_takes(change: ShownChange, locale: Locale) -> None:
    outgoing = change.render(locale)
    assert_taken(outgoing)
    link = change.post.link
    assert [entity.value for entity in outgoing.entities if entity.kind == "text_url"] == [link]


NAMES = st.text(st.sampled_from(LETTERS), max_size=300).map(lambda text: f"N{text}")
MANY_NAMES = st.lists(NAMES, min_size=1, max_size=12) | st.just(["Очень длинное название " * 6] * 40)
COUNTS = st.integers(0, 10**6)
REASONS = st.sampled_from(["private", "CHANNEL_PRIVATE", "SOMETHING_NEW"])
FIELDS = {
    "reason": REASONS,
    "options": st.just("fast join:no history:5000"),
    "old_username": st.none() | st.just("old_name"),
    "username": st.just("new_name"),
}
TYPES = {
    str: NAMES,
    int: COUNTS,
    float: COUNTS.map(float),
    int | None: st.none() | COUNTS,
    datetime: st.just(NOW),
    tuple[str, ...]: MANY_NAMES.map(tuple),
}
TYPES |= {bool: st.booleans(), FollowAccess: st.sampled_from(FollowAccess), Outage: st.sampled_from(Outage)}
TYPES |= {str | None: st.none() | NAMES, Role: st.sampled_from(Role), TargetChange: st.sampled_from(TargetChange)}
TYPES[tuple[tuple[int, str], ...]] = st.lists(st.tuples(COUNTS, NAMES), max_size=3).map(tuple)
TYPES[Withholdings] = st.lists(st.builds(Withholding, NAMES, NAMES, NAMES), max_size=9).map(tuple)
TYPES[tuple[int, ...]] = st.lists(COUNTS, max_size=3).map(tuple)
TYPES[EnquiryKind] = st.sampled_from([EnquiryKind.SIMILAR, EnquiryKind.POSTS])
TYPES[Findings] = st.builds(
    Findings,
    channels=st.lists(
        st.builds(
            FoundChannel,
            id=COUNTS,
            title=NAMES,
            username=FIELDS["username"],
            message_id=TYPES[int | None],
            date=st.just(NOW),
            line=NAMES,
        ),
        max_size=8,
    ).map(tuple),
    reason=st.none() | REASONS,
    free_at=st.none() | st.just(NOW),
)
TYPES[TopicState] = st.builds(TopicState, query=NAMES, limits=MANY_NAMES.map(tuple), excluded=MANY_NAMES.map(tuple))
HEADS = st.text('az09+/={}":,', min_size=1)  # what a head is made of, which nobody else writes
EVERY_NOTICE = get_args(get_args(Notice)[0])


def any_of(cls: type) -> st.SearchStrategy[Any]:
    """Make any notice or act of a type."""
    named = {field.name: field.type for field in fields(cls) if field.name != "kind"}
    own = dict.fromkeys(["text", "signature", "key"], HEADS) if cls is notices.HeadPosted else {}
    if own:
        own["handovers"] = st.lists(HEADS, max_size=2).map(tuple)
    known = FIELDS | own
    return st.builds(cls, **{name: known[name] if name in known else TYPES[kind] for name, kind in named.items()})


for counted in (TopicCount, MoverCount, DeletionCount):
    TYPES[tuple[counted, ...]] = st.lists(any_of(counted), max_size=4).map(tuple)
TYPES[WeekCounts] = any_of(WeekCounts)
FIELDS["links"] = st.just(("https://t.me/news/1",))
FIELDS["event"] = st.text("0123456789abcdef-@:", min_size=1, max_size=24)  # ids and times: some go into buttons
FIELDS["subject"] = st.sampled_from(["topic", "channel", "case"])
FIELDS["fault"] = st.sampled_from(notices.HeadFault)
FIELDS["what"] = st.sampled_from(["note", "tags"])
FIELDS["act"] = st.one_of(any_of(act) for act in get_args(get_args(Act)[0]))
FIELDS["options"] |= st.just("")  # of a list of channels; an act always has some
NOTICES = st.one_of(any_of(notice) for notice in EVERY_NOTICE)


@given(st.one_of(st.from_type(notice) for notice in EVERY_NOTICE))
def test_any_notice_comes_out_of_the_outbox_as_it_went_in(notice: Notice) -> None:
    assert notices.NOTICES.validate_json(notices.NOTICES.dump_json(notice)) == notice


@given(NOTICES, LOCALES)
def test_any_notice_is_one_that_telegram_takes(notice: Notice, locale: Locale) -> None:
    outgoing = render_notice(notice, locale)
    assert_taken(outgoing)
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", outgoing.text)  # no name turns what stands around it


@st.composite
def grouped(draw: st.DrawFn) -> GroupedAlert:
    post = draw(POSTS)
    spans = [(start, end) for start, end in draw(SPANS) if 0 <= start < end <= len(post.text)]
    alert = alert_of(
        post,
        topics=draw(st.lists(NAMES, min_size=1, max_size=2).map(tuple)),
        spans=_apart(spans),
        parts=tuple(PartMatch(part=part, spans=()) for part in draw(st.lists(PARTS, max_size=1))),
        loudness=draw(st.sampled_from(Loudness)),
        fits_since_edit=draw(st.booleans()),
    )
    return GroupedAlert(alert=alert, post=post, duplicates=draw(COUNTS))


def _apart(spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Keep those that do not overlap, as the places of an alert never do."""
    kept: list[tuple[int, int]] = []
    for start, end in spans:
        if not kept or kept[-1][1] <= start:
            kept.append((start, end))
    return tuple(kept)


SUMMARIES = st.builds(
    GroupSummary,
    random_id=st.integers(-(2**63), 2**63 - 1),
    kind=st.sampled_from(GroupKind),
    opened_at=DATES,
    closes_at=DATES,
    topic=st.none() | NAMES,
    channels=st.lists(st.tuples(NAMES, COUNTS), min_size=1, max_size=40).map(tuple),
    alerts=st.lists(grouped(), min_size=1, max_size=14).map(tuple),
)
STORMS = st.builds(
    StormState,
    random_id=st.integers(-(2**63), 2**63 - 1),
    topic=NAMES,
    is_over=st.booleans(),
    channels=st.lists(st.tuples(NAMES, COUNTS), min_size=1, max_size=9).map(tuple),
    since=DATES,
    until=DATES,
    latest=st.lists(grouped(), min_size=1, max_size=3).map(tuple),
)


@settings(max_examples=40)  # each of many posts
@given(SUMMARIES, STORMS, st.integers(0, 3), LOCALES)
def test_what_sums_posts_up_is_taken_by_telegram(
    summary: GroupSummary, storm: StormState, page: int, locale: Locale
) -> None:
    for outgoing in (render_page(summary, page, locale), render_count(summary, locale), render_storm(storm, locale)):
        assert_taken(outgoing)
        assert all(len(button.data or b"") <= 64 for row in outgoing.buttons for button in row)


def _samples() -> list[Outgoing]:
    """Render some hundred messages, the same ones each time."""
    found: list[Outgoing] = []

    @settings(max_examples=100, derandomize=True, database=None)
    @given(ALERTS, CHANGES, LOCALES)
    def collect(alert: ShownAlert, change: ShownChange, locale: Locale) -> None:
        found.extend((alert.render(locale), change.render(locale)))

    collect()
    return found


async def test_what_is_received_over_the_wire_is_what_was_rendered() -> None:
    samples = _samples()
    async with Sandbox() as sandbox:
        reader = sandbox.world.add_user("Alice")
        bot = sandbox.world.add_bot("1:token", "Watch", "watch_bot", reader)
        office, phone = sandbox.client(bot), sandbox.client(reader)
        await office.connect()
        await phone.connect()
        sender = sender_of(office)
        for number, outgoing in enumerate(samples, start=1):
            await sender.send(Peer(kind=PeerKind.USER, id=reader.id), outgoing, random_id=number)
        received = [message async for message in phone.iter_messages("watch_bot", reverse=True)]
        await office.disconnect()
        await phone.disconnect()
    received = [message for message in received if message.sender_id == bot.id]
    assert len(received) == len(samples) > 100
    for message, outgoing in zip(received, samples, strict=True):
        assert message.message == outgoing.text
        assert _formats(to_entities(message.entities or ())) == _formats(outgoing.entities)


def _formats(entities: Iterable[Entity]) -> list[tuple[int, int, str, str]]:
    """List what was sent; mentions, tags and the like Telegram finds by itself."""
    return sorted(
        (e.offset, e.length, e.kind, (e.kind in VALUED and e.value) or "") for e in entities if e.kind in KEPT
    )
