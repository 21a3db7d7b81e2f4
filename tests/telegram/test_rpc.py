import re
from types import SimpleNamespace

import pytest
from telethon import errors, functions

from bot.errors import Verdict
from bot.telegram.errors import VERDICTS, error_string, to_error, verdict_of

REQUEST = functions.PingRequest(1)

EXPECTED = [  # error, code, verdict, seconds to wait
    ("RANDOM_ID_DUPLICATE", 500, "done", 0),
    ("MESSAGE_NOT_MODIFIED", 400, "done", 0),
    ("FLOOD_WAIT_17", 420, "retry", 17),
    ("FLOOD_WAIT_0", 420, "retry", 1),
    ("FLOOD_PREMIUM_WAIT_5", 420, "retry", 5),
    ("SLOWMODE_WAIT_30", 420, "retry", 30),
    ("PEER_FLOOD", 400, "retry", 3600),
    ("TIMEOUT", 503, "retry", 0),
    ("Timeout", -503, "retry", 0),
    ("RPC_CALL_FAIL", 400, "retry", 0),
    ("RPC_MCGET_FAIL", 400, "retry", 0),
    ("MSG_WAIT_FAILED", 400, "retry", 0),
    ("MSG_WAIT_TIMEOUT", 400, "retry", 0),
    ("CONNECTION_NOT_INITED", 400, "retry", 0),
    ("CONNECTION_LAYER_INVALID", 400, "retry", 0),
    ("FILE_PART_3_MISSING", 400, "retry", 0),
    ("TRANSLATE_REQ_FAILED", 400, "retry", 0),
    ("TRANSLATE_REQ_QUOTA_EXCEEDED", 400, "retry", 0),
    ("TRANSLATION_TIMEOUT", 500, "retry", 0),
    ("TRANSLATIONS_DISABLED", 406, "drop", 0),
    ("TO_LANG_INVALID", 400, "drop", 0),
    ("INPUT_TEXT_EMPTY", 400, "drop", 0),
    ("INPUT_TEXT_TOO_LONG", 400, "drop", 0),
    ("MESSAGE_EMPTY", 400, "drop", 0),
    ("MESSAGE_TOO_LONG", 400, "shorten", 0),
    ("MESSAGE_ID_INVALID", 400, "drop", 0),
    ("MESSAGE_EDIT_TIME_EXPIRED", 400, "drop", 0),
    ("MESSAGE_AUTHOR_REQUIRED", 403, "drop", 0),
    ("MESSAGE_DELETE_FORBIDDEN", 403, "drop", 0),
    ("REPLY_MESSAGE_ID_INVALID", 400, "drop", 0),
    ("ENTITY_BOUNDS_INVALID", 400, "plain", 0),
    ("ENTITIES_TOO_LONG", 400, "shorten", 0),
    ("ENTITY_MENTION_USER_INVALID", 400, "plain", 0),
    ("BUTTON_DATA_INVALID", 400, "bare", 0),
    ("BUTTON_TEXT_INVALID", 400, "bare", 0),
    ("BUTTON_TYPE_INVALID", 400, "bare", 0),
    ("BUTTON_URL_INVALID", 400, "bare", 0),
    ("REPLY_MARKUP_INVALID", 400, "bare", 0),
    ("REPLY_MARKUP_TOO_LONG", 400, "bare", 0),
    ("QUERY_ID_INVALID", 400, "drop", 0),
    ("USER_IS_BLOCKED", 400, "suspend", 0),
    ("YOU_BLOCKED_USER", 400, "suspend", 0),
    ("USER_IS_BOT", 400, "suspend", 0),
    ("INPUT_USER_DEACTIVATED", 400, "suspend", 0),
    ("USER_DELETED", 403, "suspend", 0),
    ("PEER_ID_INVALID", 400, "suspend", 0),
    ("USER_ID_INVALID", 400, "suspend", 0),
    ("CHAT_ID_INVALID", 400, "suspend", 0),
    ("CHAT_FORBIDDEN", 403, "suspend", 0),
    ("CHAT_WRITE_FORBIDDEN", 403, "suspend", 0),
    ("CHAT_RESTRICTED", 400, "suspend", 0),
    ("CHAT_ADMIN_REQUIRED", 400, "suspend", 0),
    ("CHAT_GUEST_SEND_FORBIDDEN", 403, "suspend", 0),
    ("CHAT_SEND_PLAIN_FORBIDDEN", 403, "suspend", 0),
    ("TOPIC_CLOSED", 400, "closed", 0),
    ("TOPIC_DELETED", 400, "closed", 0),
    ("USER_KICKED", 400, "suspend", 0),
    ("MEDIA_CAPTION_TOO_LONG", 400, "shorten", 0),
    ("ENTITY_TEXTURL_INVALID", 400, "plain", 0),
    ("BUTTON_ID_INVALID", 400, "bare", 0),
    ("BUTTON_INVALID", 400, "bare", 0),
    ("BUTTON_POS_INVALID", 400, "bare", 0),
    ("BUTTON_USER_INVALID", 400, "bare", 0),
    ("BUTTON_USER_PRIVACY_RESTRICTED", 400, "bare", 0),
    ("BUTTON_COPY_TEXT_INVALID", 400, "bare", 0),
    ("TOPIC_CLOSED", 406, "closed", 0),
    ("TOPIC_ID_INVALID", 400, "closed", 0),
    ("USER_NOT_PARTICIPANT", 403, "suspend", 0),
    ("USER_RESTRICTED", 403, "suspend", 0),
    ("USER_PRIVACY_RESTRICTED", 403, "suspend", 0),
    ("PRIVACY_PREMIUM_REQUIRED", 406, "suspend", 0),
    ("ALLOW_PAYMENT_REQUIRED_50", 403, "suspend", 0),
    ("AUTH_KEY_UNREGISTERED", 401, "fatal", 0),
    ("AUTH_KEY_INVALID", 401, "fatal", 0),
    ("AUTH_KEY_DUPLICATED", 406, "fatal", 0),
    ("SESSION_REVOKED", 401, "fatal", 0),
    ("SESSION_EXPIRED", 401, "fatal", 0),
    ("USER_DEACTIVATED", 401, "fatal", 0),
    ("USER_DEACTIVATED_BAN", 401, "fatal", 0),
    ("ACCESS_TOKEN_EXPIRED", 400, "fatal", 0),
    ("ACCESS_TOKEN_INVALID", 400, "fatal", 0),
    ("FROZEN_METHOD_INVALID", 420, "fatal", 0),
    ("FROZEN_PARTICIPANT_MISSING", 400, "fatal", 0),
    ("CHANNEL_PRIVATE", 400, "unauthorised", 0),
    ("CHANNEL_INVALID", 400, "unauthorised", 0),
    ("CHANNEL_BANNED", 400, "unauthorised", 0),
    ("USER_BANNED_IN_CHANNEL", 400, "unauthorised", 0),
    ("USERNAME_NOT_OCCUPIED", 400, "unauthorised", 0),
    ("USERNAME_INVALID", 400, "unauthorised", 0),
    ("INVITE_HASH_EXPIRED", 400, "unauthorised", 0),
    ("INVITE_HASH_INVALID", 400, "unauthorised", 0),
    ("INVITE_HASH_EMPTY", 400, "unauthorised", 0),
]
UNKNOWN = [
    ("SOMETHING_NEW_INVALID", 400, "drop", 0),
    ("SOMETHING_NEW", 401, "fatal", 0),
    ("SOMETHING_NEW_FORBIDDEN", 403, "suspend", 0),
    ("METHOD_INVALID", 404, "drop", 0),
    ("SOMETHING_NEW", 406, "drop", 0),
    ("SOMETHING_NEW_WAIT_44", 420, "retry", 44),
    ("SOMETHING_NEW", 420, "retry", 60),
    ("FILE_MIGRATE_4", 303, "retry", 0),
    ("No workers running", -500, "retry", 0),
    ("SOMETHING_NEW", 500, "retry", 0),
    ("SOMETHING_NEW", 503, "retry", 0),
]


@pytest.mark.parametrize(("error", "code", "verdict", "seconds"), EXPECTED + UNKNOWN)
def test_each_answer_has_its_verdict(error: str, code: int, verdict: str, seconds: float) -> None:
    assert verdict_of(error, code) == (Verdict(verdict), seconds)


def test_no_row_of_the_table_is_left_untested() -> None:
    assert set(VERDICTS) == {re.sub(r"\d+", "X", error.upper()) for error, *_ in EXPECTED}


@pytest.mark.parametrize("string", [*errors.rpc_errors_dict, "FLOOD_WAIT_17", "INTERDC_3_CALL_ERROR", "TOPIC_CLOSED"])
def test_what_telethon_made_a_class_of_is_told_by_its_string_again(string: str) -> None:
    answer = SimpleNamespace(error_message=string, error_code=400)
    recovered = error_string(errors.rpc_message_to_error(answer, REQUEST))
    assert recovered == string.upper()


def test_an_answer_becomes_an_error_that_carries_all_of_it() -> None:
    answer = SimpleNamespace(error_message="FLOOD_WAIT_17", error_code=420)
    error = to_error(errors.rpc_message_to_error(answer, REQUEST))
    assert (error.error, error.code, error.verdict, error.retry_after) == ("FLOOD_WAIT_17", 420, Verdict.RETRY, 17)
    assert str(error) == "Telegram answered FLOOD_WAIT_17"


@pytest.mark.parametrize("lost", [ConnectionError("gone"), TimeoutError(), OSError()])
def test_where_no_answer_came_it_is_tried_again(lost: Exception) -> None:
    error = to_error(lost)
    assert (error.error, error.code, error.verdict) == ("CONNECTION_LOST", 0, Verdict.RETRY)


def test_a_key_that_the_server_forgot_is_fatal() -> None:
    assert to_error(errors.AuthKeyNotFound()).verdict is Verdict.FATAL
