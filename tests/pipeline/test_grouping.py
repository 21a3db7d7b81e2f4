"""What becomes of an alert: a table of cases for the one decision, whose sides are told by the defaults below."""

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.models import ComparedPost
from bot.models.alerts import (
    Alert,
    Group,
    GroupKind,
    Loudness,
    OpenGroup,
    PriorAlert,
    Priority,
    Recipient,
    RestoreWindow,
)
from bot.models.outgoing import GENERAL_THREAD
from bot.pipeline.decisions.grouping import (
    ChatState,
    Decision,
    JoinDuplicate,
    RoutedAlert,
    Send,
    Skip,
    decide,
    waits_until,
)
from bot.schedule import Digests, Quiet, Schedule, Storms

NOON = datetime(2025, 3, 10, 12, tzinfo=UTC)
NIGHT = datetime(2025, 3, 10, 23, 30, tzinfo=UTC)
MORNING, NINE = NIGHT + timedelta(hours=7, minutes=30), NIGHT + timedelta(hours=9, minutes=30)
SCHEDULE = Schedule(zone="UTC", quiet=Quiet(start=23 * 60, end=7 * 60), digests=Digests())
NEWS, OTHER = 1001, 1002
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SECOND = timedelta(seconds=1)
STORMS = Storms(count=3, minutes=5)
DIGEST, SILENT, LOUD, URGENT = Loudness


def routed(
    *,
    loudness: Loudness = LOUD,
    date: datetime = NOON,
    topics: tuple[str, ...] = ("outages",),
    **fields: Any,  # noqa: ANN401 - the fields of a RoutedAlert
) -> RoutedAlert:
    """Describe the alert of a post that another channel said just now."""
    alert = Alert(
        id=9,
        chat_id=1,
        channel_id=OTHER,
        post_key="m9",
        version_id=9,
        shown_version_id=9,
        topics=topics,
        spans=(),
        parts=(),
        loudness=loudness,
        fingerprint="words",
        fits_since_edit=False,
    )
    usual = {
        "alert": alert,
        "recipient": _recipient(fields),
        "subject": "1002/m9/ab",
        "topic_ids": {name: number for number, name in enumerate(topics, 1)},
        "posted_at": date,
        "date": date,
        "may_be_late": True,
        "said": ComparedPost(channel_id=OTHER, post_key="m9", text="", date=date, origin=(OTHER, 9)),
        "alike": ((NEWS, "m1"),),
        "thread_id": None,
    }
    return RoutedAlert(**{**usual, **fields})


def _recipient(fields: dict[str, Any]) -> Recipient:
    """Describe a chat, by the fields that are its own, which are taken out."""
    usual = {"chat_thread": None, "schedule": SCHEDULE, "storms": STORMS, "confirmations": False}
    return Recipient(
        channel_id=OTHER,
        topic_id=1,
        chat_id=1,
        chat_key=b"",
        priority=Priority.LOUD,
        thread_id=None,
        **{name: fields.pop(name, value) for name, value in usual.items()},
    )


def prior(*, id: int = 1, channel_id: int = NEWS, post_key: str = "m1", **fields: Any) -> PriorAlert:  # noqa: A002, ANN401 - fields
    """Describe an alert of before, that was sent."""
    usual = {
        "date": NOON - HOUR,
        "loudness": LOUD,
        "group": None,
        "thread_id": GENERAL_THREAD,
        "is_sent": True,
        "is_open": True,
    }
    return PriorAlert(id=id, key=(channel_id, post_key), **{**usual, **fields})


def knows(**fields: Any) -> ChatState:  # noqa: ANN401 - the fields of a PriorAlert
    """Let a chat have the alert of a post that says the same."""
    first = prior(**fields)
    return ChatState(priors={first.key: first})


def said_word_by_word(**fields: Any) -> ChatState:  # noqa: ANN401 - likewise
    return ChatState(same_words=defaultdict(list, {"words": [prior(**fields)]}))


def storming(*topic_ids: int) -> ChatState:
    keys = [(GroupKind.STORM, topic_id) for topic_id in topic_ids]
    return ChatState(groups={key: open_group(key) for key in keys})


def open_group(key: tuple[object, ...]) -> OpenGroup:
    return OpenGroup(id=1, message_id=1, chat_id=1, key=key, thread_id=GENERAL_THREAD, is_sent=True)


def decided(decision: Decision) -> str:
    """Say in a word or two what was decided."""
    match decision:
        case Skip():
            return "skip"
        case Send():
            return "send"
        case JoinDuplicate(first=first, is_confirmed=is_confirmed, is_silent=is_silent):
            return f"join {first.id}" + ", confirm" * is_confirmed + " silently" * (is_confirmed and is_silent)
        case Group() as group:
            return f"{group.kind} {group.topic or group.subject.partition(':')[2]}"


NINE_MS, MORNING_MS = int(NINE.timestamp() * 1000), int(MORNING.timestamp() * 1000)


class TestWhatIsKnownOrOld:
    @pytest.mark.parametrize(
        ("alert", "chat", "expected"),
        [
            (routed(), ChatState(alerted={(OTHER, "m9")}), "skip"),
            (routed(date=NOON - DAY), ChatState(), "send"),
            (routed(date=NOON - DAY - SECOND), ChatState(), "late 2025-03-10T12"),
            (routed(date=NOON - DAY - SECOND), ChatState(counted={(OTHER, "m9")}), "skip"),
            (routed(date=NOON - DAY - SECOND, may_be_late=False), ChatState(), "skip"),
            (routed(date=NOON - DAY - SECOND), knows(date=NOON - DAY), "late 2025-03-10T12"),
            (routed(), ChatState(counted={(OTHER, "m9")}), "send"),
            (
                routed(),
                ChatState(restored=RestoreWindow(alive_at=NOON - HOUR, until=NOON + SECOND)),
                "restored 1741608001000",
            ),
            (routed(), ChatState(restored=RestoreWindow(alive_at=NOON - HOUR, until=NOON)), "send"),
            (
                routed(),
                ChatState(restored=RestoreWindow(alive_at=NOON, until=NOON + SECOND), alerted={(OTHER, "m9")}),
                "skip",
            ),
        ],
        ids=[
            "the chat has it",
            "just young enough",
            "too old",
            "too old, and counted",
            "too old, and only a preview has loaded",
            "too old, though it says the same",
            "counted, and news since an edit",
            "from before a backup was put back",
            "from just after that",
            "from before it, and the chat has it",
        ],
    )
    def test_it_is_skipped_or_counted(self, alert: RoutedAlert, chat: ChatState, expected: str) -> None:
        assert decided(decide(alert, chat, NOON, max_age=DAY)) == expected


class TestDuplicates:
    @pytest.mark.parametrize(
        ("alert", "chat", "expected"),
        [
            (routed(), knows(), "join 1"),
            (routed(said=None), knows(), "send"),
            (routed(alike=()), knows(), "send"),
            (routed(), knows(date=NOON - 48 * HOUR), "join 1"),
            (routed(), knows(date=NOON - 48 * HOUR - SECOND), "send"),
            (routed(), knows(date=NOON + 48 * HOUR), "join 1"),
            (routed(), knows(is_open=False), "send"),
            (routed(), knows(thread_id=5), "send"),
            (routed(thread_id=5), knows(thread_id=5), "join 1"),
            (routed(chat_thread=5), knows(thread_id=5), "join 1"),
            (routed(thread_id=6, chat_thread=5), knows(thread_id=5), "send"),
            (routed(), knows(loudness=SILENT), "send"),
            (routed(loudness=SILENT), knows(loudness=SILENT), "join 1"),
            (routed(loudness=URGENT), knows(loudness=LOUD), "join 1"),
            (routed(loudness=DIGEST), knows(loudness=SILENT), "join 1"),
            (routed(), knows(group=GroupKind.DIGEST), "join 1"),
            (routed(), knows(group=GroupKind.DIGEST, loudness=DIGEST), "send"),
            (routed(), knows(group=GroupKind.DIGEST, is_sent=False), "send"),
            (routed(loudness=DIGEST), knows(group=GroupKind.DIGEST, is_sent=False), "join 1"),
            (routed(), knows(group=GroupKind.STORM), "join 1"),
            (routed(), knows(group=GroupKind.RESTORED), "send"),
            (routed(loudness=DIGEST), knows(group=GroupKind.RESTORED), "join 1"),
            (routed(), said_word_by_word(date=NOON - HOUR), "join 1"),
            (routed(), said_word_by_word(date=NOON - HOUR - SECOND), "send"),
            (routed(), said_word_by_word(channel_id=OTHER, date=NOON - 10 * MINUTE), "join 1"),
            (routed(), said_word_by_word(channel_id=OTHER, date=NOON - 10 * MINUTE - SECOND), "send"),
        ],
        ids=[
            "alike",
            "what loads beside a text joins nothing",
            "not alike",
            "48 hours after",
            "more than 48 hours after",
            "48 hours before",
            "a message that cannot be edited",
            "in another thread",
            "in the topic's thread",
            "in the chat's own thread",
            "in another thread than the topic's",
            "it would be louder",
            "both silent",
            "urgent is no louder than loud",
            "it waits for a digest",
            "it waited for the end of quiet hours",
            "it was in a digest",
            "it still waits",
            "both wait",
            "it is in a storm",
            "it was only counted",
            "only counted, and this one waits",
            "the same words within an hour",
            "the same words later",
            "the same channel again soon",
            "the same channel again later",
        ],
    )
    def test_an_alert_joins_one_that_says_the_same_as_loudly(
        self, alert: RoutedAlert, chat: ChatState, expected: str
    ) -> None:
        outcome = decided(decide(alert, chat, NOON, max_age=DAY))
        assert outcome == (f"digest {NINE_MS}" if expected == "send" and alert.alert.loudness is DIGEST else expected)

    @pytest.mark.parametrize(
        ("wanted", "first", "loudness", "expected"),
        [
            (True, {}, LOUD, "join 1, confirm"),
            (True, {"loudness": SILENT}, SILENT, "join 1, confirm silently"),
            (True, {"group": GroupKind.STORM}, LOUD, "join 1"),
            (True, {"channel_id": OTHER, "post_key": "m1"}, LOUD, "join 1"),
            (False, {}, LOUD, "join 1"),
        ],
        ids=["wanted", "silent", "in a group", "by its own channel", "not wanted"],
    )
    def test_where_a_chat_wants_that_another_channel_confirms_it(
        self, first: dict[str, Any], loudness: Loudness, expected: str, *, wanted: bool
    ) -> None:
        chat = knows(**first)
        alert = routed(confirmations=wanted, loudness=loudness, alike=tuple(chat.priors))
        assert decided(decide(alert, chat, NOON, max_age=DAY)) == expected

    def test_in_quiet_hours_it_is_confirmed_silently(self) -> None:
        decision = decide(routed(confirmations=True, date=NIGHT), knows(date=NIGHT), NIGHT, max_age=DAY)
        assert decided(decision) == "join 1, confirm silently"

    def test_it_joins_the_likest_and_of_these_the_earliest(self) -> None:
        found = {number: prior(id=number, post_key=f"m{number}") for number in (2, 3, 4)}
        alike = ((NEWS, "m7"), (NEWS, "m4"), (NEWS, "m3"))
        priors = {(NEWS, "m4"): found[4], (NEWS, "m3"): found[3], (NEWS, "m7"): prior(id=7, is_open=False)}
        assert decided(decide(routed(alike=alike), ChatState(priors=priors), NOON, max_age=DAY)) == "join 4"
        words = defaultdict(list, {"words": [found[3], found[2]]})
        chat = ChatState(priors=priors, same_words=words)
        assert decided(decide(routed(alike=alike), chat, NOON, max_age=DAY)) == "join 2"


class TestWaiting:
    @pytest.mark.parametrize(
        ("loudness", "now", "until"),
        [
            (LOUD, NOON, None),
            (SILENT, NOON, None),
            (DIGEST, NOON, NINE),
            (LOUD, NIGHT, MORNING),
            (SILENT, NIGHT, MORNING),
            (DIGEST, NIGHT, NINE),
            (URGENT, NIGHT, None),
        ],
    )
    def test_an_alert_comes_at_once_or_waits(self, loudness: Loudness, now: datetime, until: datetime | None) -> None:
        assert waits_until(loudness, SCHEDULE, now) == until
        expected = "send" if until is None else f"digest {int(until.timestamp() * 1000)}"
        assert decided(decide(routed(loudness=loudness, date=now), ChatState(), now, max_age=DAY)) == expected

    @pytest.mark.parametrize(("loudness", "silent"), [(DIGEST, False), (SILENT, True), (LOUD, False)])
    def test_a_digest_is_silent_where_its_alerts_would_have_been(self, loudness: Loudness, *, silent: bool) -> None:
        decision = decide(routed(loudness=loudness, thread_id=7, date=NIGHT), ChatState(), NIGHT, max_age=DAY)
        assert isinstance(decision, Group)
        until = NINE if loudness is DIGEST else MORNING
        assert decision == Group(
            kind=GroupKind.DIGEST,
            thread_id=7,
            closes_at=until,
            due_at=until,
            silent=silent,
            subject=f"digest:{int(until.timestamp() * 1000)}:7",
        )


class TestStorms:
    @pytest.mark.parametrize(
        ("alert", "chat", "expected"),
        [
            (routed(), ChatState(recent=Counter(outages=2)), "send"),
            (routed(), ChatState(recent=Counter(outages=3)), "storm outages"),
            (routed(storms=None), ChatState(recent=Counter(outages=3)), "send"),
            (routed(storms=None), storming(1), "send"),
            (routed(), storming(1), "storm outages"),
            (routed(topics=("outages", "water")), ChatState(recent=Counter(outages=3)), "send"),
            (routed(topics=("outages", "water")), ChatState(recent=Counter(outages=3, water=3)), "storm outages"),
            (routed(topics=("outages", "water")), storming(2), "send"),
            (routed(topics=("outages", "water")), storming(1, 2), "storm outages"),
            (routed(loudness=URGENT), storming(1), "storm outages"),
            (routed(loudness=DIGEST), storming(1), f"digest {NINE_MS}"),
        ],
        ids=[
            "too few",
            "enough",
            "switched off",
            "switched off while one goes on",
            "one goes on",
            "another topic does not storm",
            "both topics storm",
            "one goes on, the other topic does not storm",
            "both go on",
            "urgent",
            "what waits for a digest",
        ],
    )
    def test_an_alert_belongs_to_a_storm_where_all_its_topics_storm(
        self, alert: RoutedAlert, chat: ChatState, expected: str
    ) -> None:
        assert decided(decide(alert, chat, NOON, max_age=DAY)) == expected

    def test_of_its_topics_it_joins_one_that_goes_on_before_one_that_begins(self) -> None:
        chat = storming(2)
        chat.recent.update(outages=3)
        assert decided(decide(routed(topics=("outages", "water")), chat, NOON, max_age=DAY)) == "storm water"

    def test_it_is_open_for_as_long_as_the_chat_says_and_named_by_its_first_alert(self) -> None:
        decision = decide(routed(loudness=SILENT), ChatState(recent=Counter(outages=3)), NOON, max_age=DAY)
        assert isinstance(decision, Group)
        assert (decision.closes_at, decision.due_at) == (NOON + 5 * MINUTE, NOON)
        assert (decision.silent, decision.subject) == (True, "storm:1:1002/m9/ab")


class TestAlertsThatComeTogether:
    """What was decided about one counts for those after it."""

    def decide_all(self, *alerts: RoutedAlert, chat: ChatState | None = None) -> list[str]:
        state, outcomes = chat or ChatState(), []
        for number, each in enumerate(alerts, 1):
            alert = replace(each.alert, id=number, post_key=f"m{number}", fingerprint=f"words {number}")
            numbered = replace(each, alert=alert)
            decision = decide(numbered, state, NOON, max_age=DAY)
            state.add(numbered, decision)
            outcomes.append(decided(decision))
        return outcomes

    def test_the_first_is_sent_and_what_says_the_same_joins_it(self) -> None:
        again = routed(alike=((OTHER, "m1"),))
        third = routed(alike=((OTHER, "m2"),))  # which has joined the first
        assert self.decide_all(routed(alike=()), again, third) == ["send", "join 1", "join 1"]

    def test_so_many_are_sent_and_the_others_storm(self) -> None:
        assert self.decide_all(*[routed(alike=())] * 6) == ["send"] * 3 + ["storm outages"] * 3

    def test_what_waits_is_joined_by_what_waits(self) -> None:
        waiting, again = (routed(loudness=DIGEST, alike=alike) for alike in ((), ((OTHER, "m1"),)))
        louder = routed(alike=((OTHER, "m1"),))
        assert self.decide_all(waiting, again, louder) == [f"digest {NINE_MS}", "join 1", "send"]

    def test_a_post_that_is_counted_is_counted_once_and_joined_by_none(self) -> None:
        state = ChatState()
        late = routed(date=NOON - 2 * DAY)
        outcomes = []
        for each in (late, late, routed(alike=((OTHER, "m9"),))):
            decision = decide(each, state, NOON, max_age=DAY)
            state.add(each, decision)
            outcomes.append(decided(decision))
        assert outcomes == ["late 2025-03-10T12", "skip", "send"]

    def test_a_known_post_changes_nothing(self) -> None:
        state = ChatState(alerted={(OTHER, "m9")})
        state.add(routed(), Skip())
        assert state == ChatState(alerted={(OTHER, "m9")})
