from datetime import UTC, datetime, timedelta

import pytest

from bot.delivery.retry import GiveUp, Retry, backoff, decide
from bot.errors import TargetError, TelegramError, Verdict

NOW = datetime(2021, 10, 4, 15, 39, tzinfo=UTC)


def answer(verdict: Verdict, *, code: int = 500, retry_after: float = 0) -> TelegramError:
    return TelegramError("SOME_ANSWER", code=code, verdict=verdict, retry_after=retry_after)


@pytest.mark.parametrize("attempts", [0, 3, 50])
def test_the_wait_that_telegram_names_is_kept_to_the_second(attempts: int) -> None:
    decision = decide(answer(Verdict.RETRY, code=420, retry_after=17), attempts=attempts, now=NOW)
    assert decision == Retry(at=NOW + timedelta(seconds=17), holds_chat=True)


def test_a_server_error_is_retried_ever_more_slowly_and_lets_others_pass_in_the_end() -> None:
    decisions = [decide(answer(Verdict.RETRY), attempts=attempts, now=NOW) for attempts in range(11)]
    assert all(isinstance(decision, Retry) for decision in decisions)
    waits = [(decision.at - NOW).total_seconds() for decision in decisions if isinstance(decision, Retry)]
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert [decision.holds_chat for decision in decisions if isinstance(decision, Retry)] == [True] * 5 + [False] * 6


def test_without_a_connection_the_order_is_kept_and_the_waits_stay_short() -> None:
    decision = decide(answer(Verdict.RETRY, code=0), attempts=1000, now=NOW)
    assert decision == Retry(at=NOW + timedelta(seconds=15), holds_chat=True)


@pytest.mark.parametrize(
    ("verdict", "suspend"),
    [(Verdict.DROP, False), (Verdict.SUSPEND, True), (Verdict.UNAUTHORISED, True), (Verdict.CLOSED, True)],
)
def test_what_cannot_heal_is_given_up(verdict: Verdict, *, suspend: bool) -> None:
    assert decide(answer(verdict, code=400), attempts=0, now=NOW) == GiveUp(suspend=suspend)


@pytest.mark.parametrize(
    ("hours", "decision"),
    [
        (0.1, Retry(at=NOW + timedelta(minutes=5), holds_chat=True)),
        (23.9, Retry(at=NOW + timedelta(minutes=5), holds_chat=True)),
        (24.1, GiveUp(suspend=True)),
    ],
)
def test_a_target_that_cannot_be_reached_is_tried_in_order_for_a_day(hours: float, decision: Retry | GiveUp) -> None:
    silence = TargetError("TIMEOUT", code=0, verdict=Verdict.RETRY)
    since = NOW - timedelta(hours=hours)
    assert decide(silence, attempts=1000, now=NOW, failing_since=since) == decision


def test_backoff_survives_any_number_of_attempts() -> None:
    assert backoff(10**9) == 300
