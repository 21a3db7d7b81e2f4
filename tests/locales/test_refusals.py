import pytest

from bot.locales import translator
from bot.locales.refusals import REFUSALS, refusal, target_trouble
from bot.sources.follow_requests import ITS_TURN, REQUESTED
from bot.telegram.errors import CONNECTION_LOST, VERDICTS
from bot.telegram.rpc import Verdict


@pytest.mark.parametrize(
    "reason",
    [ITS_TURN, REQUESTED, CONNECTION_LOST, *(name for name in VERDICTS if VERDICTS[name] is Verdict.UNAUTHORISED)],
)
def test_what_keeps_a_channel_from_being_read_has_a_sentence(reason: str) -> None:
    assert reason in REFUSALS


def test_a_number_in_telegrams_string_does_not_matter() -> None:
    assert refusal("FLOOD_WAIT_300", translator("en")) == ("Telegram asks me to wait; I will try again automatically.")


def test_a_string_that_nobody_knows_is_told_as_it_is_and_cut() -> None:
    assert refusal("NEW_ONE", translator("ru")) == "Причина, которую назвал Telegram: NEW_ONE."
    assert len(refusal("X" * 5000, translator("en"))) < 200


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("HTTP_503", "его сервер отвечает ошибкой 503"),
        ("ClientConnectorDNSError", "его сервер не найден"),
        ("FAILED", "служба не принимает или недоступна"),
        ("REMOVED", "REMOVED"),
    ],
)
def test_why_a_target_takes_nothing_is_told_in_words(reason: str, told: str) -> None:
    assert target_trouble(reason, translator("ru")) == told
