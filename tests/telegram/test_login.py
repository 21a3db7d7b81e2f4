from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.errors import FatalError, SettingsError
from bot.sandbox import Sandbox
from bot.settings import Settings
from bot.telegram import connections, sessions
from bot.telegram.client import reader_client
from bot.telegram.login import log_in
from tests.kit_bot import settings_of

PHONE = "+10000000001"


@pytest.fixture
def settings(sandbox: Sandbox, tmp_path: Path) -> Settings:
    sandbox.session_for(None, tmp_path / "reader.session")
    return settings_of(sandbox, tmp_path)


@dataclass(kw_only=True)
class Answers:
    """Answers in order; `code` None means the one that was sent."""

    sandbox: Sandbox
    phones: list[str] = field(default_factory=lambda: [PHONE])
    codes: list[str | None] = field(default_factory=lambda: [None])
    passwords: list[str] = field(default_factory=list)
    hints: list[str | None] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)

    def phone(self) -> str:
        return self.phones.pop(0)

    def code(self) -> str:
        return self.codes.pop(0) or self.sandbox.world.login_code(PHONE)

    def password(self, hint: str | None) -> str:
        self.hints.append(hint)
        return self.passwords.pop(0)

    def say(self, sentence: str) -> None:
        self.heard.append(sentence)


async def test_phone_and_code_sign_in_and_the_session_lasts(sandbox: Sandbox, settings: Settings) -> None:
    me = sandbox.world.add_user("Anna", phone=PHONE, username="anna")
    assert await log_in(settings, Answers(sandbox=sandbox)) == "Anna (@anna)"
    client = reader_client(settings)
    try:
        assert await connections.connect_reader(client) == me.id
    finally:
        await client.disconnect()


async def test_a_second_login_asks_nothing(sandbox: Sandbox, settings: Settings) -> None:
    sandbox.world.add_user("Anna", phone=PHONE)
    await log_in(settings, Answers(sandbox=sandbox))
    assert await log_in(settings, Answers(sandbox=sandbox, phones=[])) == "Anna"


async def test_another_account_is_logged_in_anew_and_takes_the_place_of_a_frozen_one(
    sandbox: Sandbox, settings: Settings
) -> None:
    frozen = sandbox.world.add_user("Frozen", phone="+10000000009")
    other = sandbox.world.add_user("Anna", phone=PHONE)
    path = settings.data_dir / "reader.session"
    sandbox.session_for(frozen, path)
    (settings.data_dir / "server.pem").write_text(sandbox.key_pem)
    settings = settings.model_copy(update={"telegram_server_key": settings.data_dir / "server.pem"})
    with pytest.raises(FatalError):
        await log_in(settings, Answers(sandbox=sandbox, codes=["00000"] * 3), anew=True)
    assert await log_in(settings, Answers(sandbox=sandbox, phones=[])) == "Frozen"
    assert await log_in(settings, Answers(sandbox=sandbox), anew=True) == "Anna"
    assert not (settings.data_dir / "new-reader.session").exists()
    assert path.stat().st_mode & 0o077 == 0
    client = reader_client(settings)
    try:
        assert await connections.connect_reader(client) == other.id
    finally:
        await client.disconnect()


async def test_two_step_verification_is_asked_for(sandbox: Sandbox, settings: Settings) -> None:
    answers = Answers(sandbox=sandbox, passwords=["wrong", "correct horse"])
    sandbox.world.add_user("Anna", phone=PHONE, password=answers.passwords[1])
    assert await log_in(settings, answers) == "Anna"
    assert answers.heard[-1] == "This is not the password."
    assert len(answers.hints) == 2


async def test_slips_are_forgiven(sandbox: Sandbox, settings: Settings) -> None:
    sandbox.world.add_user("Anna", phone=PHONE)
    answers = Answers(sandbox=sandbox, phones=["my phone", f" {PHONE} "], codes=["00000", None])
    assert await log_in(settings, answers) == "Anna"
    assert [sentence.split(";")[0] for sentence in answers.heard] == [
        "This is no phone number",
        "Telegram sent a code in Telegram on another device of this account, in the chat «Telegram».",
        "This is not the code.",
    ]


async def test_three_wrong_codes_are_the_end(sandbox: Sandbox, settings: Settings) -> None:
    sandbox.world.add_user("Anna", phone=PHONE)
    with pytest.raises(FatalError, match="This is not the code"):
        await log_in(settings, Answers(sandbox=sandbox, codes=["00000"] * 4))


@pytest.mark.parametrize(
    ("fault", "expected", "sentence"),
    [
        ("SendCode PHONE_NUMBER_BANNED", FatalError, "banned"),
        ("SendCode API_ID_INVALID", SettingsError, "TELEGRAM_API_ID"),
        ("SendCode FLOOD_WAIT_600", FatalError, "wait 600 s"),
        ("SignIn PHONE_CODE_EXPIRED", FatalError, "expired"),
    ],
)
async def test_a_refusal_says_what_to_do(
    sandbox: Sandbox, settings: Settings, fault: str, expected: type[Exception], sentence: str
) -> None:
    sandbox.world.add_user("Anna", phone=PHONE)
    sandbox.faults.answer(*fault.split())
    with pytest.raises(expected, match=sentence):
        await log_in(settings, Answers(sandbox=sandbox))


async def test_nobody_logs_in_while_the_service_runs(sandbox: Sandbox, settings: Settings) -> None:
    running, answers = sessions.lock(settings.data_dir / "reader.session"), Answers(sandbox=sandbox)
    with running, pytest.raises(FatalError, match="another channelwatch"):
        await log_in(settings, answers)
