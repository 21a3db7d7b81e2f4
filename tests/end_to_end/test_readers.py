"""Reader accounts come and go: the owner is told, the bot answers, and another account takes over what it can."""

import json
from pathlib import Path

import pytest

from bot.errors import FatalError
from bot.telegram import login, sessions
from bot.telegram.client import Timings
from tests.kit_service import Service, running_service
from tests.waiting import until

NUMBER = "+10000000002"
DOWN = "Сайт банка недоступен: массовый сбой в работе приложения."


class Newcomer:
    """Somebody who logs a second account in."""

    def __init__(self, service: Service) -> None:
        self._room = service

    def phone(self) -> str:
        return NUMBER

    def code(self) -> str:
        return self._room.sandbox.world.login_code(NUMBER)

    def password(self, hint: str | None) -> str:
        raise AssertionError(hint)

    def say(self, sentence: str) -> None:
        pass


IMPATIENT = Timings(login_every=0.1)


async def test_a_revoked_reader_is_told_of_and_reads_on_once_it_is_logged_in_again(tmp_path: Path) -> None:
    async with running_service(tmp_path, timings=IMPATIENT, sweep_interval=0.3) as service:
        channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
        owner = await service.owner(follows=[channel])
        service.sandbox.revoke(service.reader)
        await owner.until(lambda: any("can no longer read channels" in m.message for m in owner.heard))
        assert "channelwatch login" in owner.heard[-1].message
        channel.post(DOWN)
        assert "I follow 1 channel" in (await owner.asks("/status")).message
        session = service.settings.data_dir / sessions.READER
        session.unlink()
        service.sandbox.session_for(service.reader, session)
        await owner.alert("массовый сбой")


async def test_a_start_with_a_reader_that_is_logged_out_answers_all_the_same(tmp_path: Path) -> None:
    async with running_service(tmp_path, timings=IMPATIENT, sweep_interval=0.3) as service:
        channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
        owner = await service.owner(follows=[channel])
        await service.stop()
        service.sandbox.revoke(service.reader)
        await service.start()
        await owner.until(lambda: any("can no longer read channels" in m.message for m in owner.heard))
        assert "I follow 1 channel" in (await owner.asks("/status")).message


def reasons(service: Service) -> list[str]:
    """Return why accounts were lost, as the signed reports of that say."""
    signed = (service.settings.data_dir / "reports").glob("*.sig")
    return [json.loads(path.with_suffix(".json").read_text("utf-8"))["reason"] for path in signed]


def is_free(session: Path) -> bool:
    """Tell whether the service has let go of a session; it says that a reader is lost a little before."""
    try:
        with sessions.lock(session):
            return True
    except FatalError:
        return False


@pytest.mark.parametrize("error", ["FROZEN_METHOD_INVALID", "FROZEN_PARTICIPANT_MISSING"])
async def test_a_frozen_reader_is_replaced_by_another_account_that_is_logged_in_anew(
    error: str, tmp_path: Path
) -> None:
    async with running_service(tmp_path, timings=IMPATIENT, sweep_interval=0.3) as service:
        channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
        owner = await service.owner(follows=[channel])
        service.sandbox.world.add_user("Second", phone=NUMBER)
        service.sandbox.faults.answer("GetDialogs", error)
        await owner.until(lambda: any("can no longer read channels" in m.message for m in owner.heard))
        assert "channelwatch login --anew" in owner.heard[-1].message
        assert "not read now" in (await owner.asks("/channels")).message
        await until(lambda: is_free(service.settings.data_dir / sessions.READER))
        assert await login.log_in(service.settings, Newcomer(service), anew=True) == "Second"
        channel.post(DOWN)
        await owner.alert("массовый сбой")
        assert "not read now" not in (await owner.asks("/channels")).message


@pytest.mark.parametrize(
    ("verb", "said", "reported"),
    [
        ("freeze", "has frozen the account", {"FROZEN_METHOD_INVALID", "FROZEN_PARTICIPANT_MISSING"}),
        ("ban", "has closed the account", {"USER_DEACTIVATED_BAN"}),
    ],
)
async def test_a_reader_that_is_frozen_or_banned_is_lost_though_only_its_updates_are_asked_for(
    verb: str, said: str, reported: set[str], tmp_path: Path
) -> None:
    timings = Timings(login_every=0.1, ping_every=0.1)
    async with running_service(tmp_path, timings=timings, sweep_interval=600.0, verify_days=0) as service:
        owner = await service.owner()
        getattr(service.sandbox.faults, verb)(service.reader.id)
        await owner.until(lambda: any("can no longer read channels" in m.message for m in owner.heard))
        assert said in owner.heard[-1].message
        await until(lambda: bool(reasons(service)))
        assert set(reasons(service)) <= reported


async def test_a_standby_takes_over_public_channels(tmp_path: Path) -> None:
    async with running_service(tmp_path, timings=IMPATIENT, sweep_interval=0.3) as service:
        channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
        owner = await service.owner(follows=[channel])
        second = service.sandbox.world.add_user("Second", phone="+10000000002")
        service.sandbox.session_for(second, service.settings.data_dir / sessions.STANDBY)
        await until(
            lambda: any(call.account_id == second.id for call in service.sandbox.calls if call.name == "GetDialogs")
        )
        service.sandbox.revoke(service.reader)
        await owner.until(lambda: any("can no longer read channels" in m.message for m in owner.heard))
        await until(lambda: reasons(service) == ["SESSION_REVOKED"])
        channel.post(DOWN)
        await owner.alert("массовый сбой")


async def test_a_connection_that_died_unseen_is_made_anew(tmp_path: Path) -> None:
    timings = Timings(
        ping_every=0.3,
        ping_within=1.0,
        connect_pause=0.1,
        connect_within=2.0,  # enough for a machine that does much else
    )
    async with running_service(tmp_path, timings=timings, sweep_interval=60.0, verify_days=0) as service:
        channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
        owner = await service.owner(follows=[channel])
        faults, server = service.sandbox.faults, service.sandbox.server
        before = server.accepted
        first_question = faults.hold("GetConfig")
        faults.unanswered = True
        await until(lambda: server.accepted > before)
        faults.unanswered = False
        await until(lambda: server.accepted > before + 1)  # that nobody answered the first one is noticed, too
        first_question.release()
        channel.post(DOWN)
        await owner.alert("массовый сбой")
