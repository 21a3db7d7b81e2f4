"""A disk or a database that fails ends the service with one line, whoever meets it."""

import asyncio
import resource
from pathlib import Path

import pytest

from tests.end_to_end.test_process import PROCESS_WITHIN, environment, shell, spawned_service
from tests.kit_service import Service

CRASHED = b"Traceback"


def fail_writes(pid: int) -> None:
    """Let no file of a process grow any more, as on a full disk."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, 1))


def damage(database: Path) -> None:
    """Overwrite all but the first page."""
    with database.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (database.stat().st_size - 4096))


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux changes the limits of a running process")
async def test_a_disk_that_takes_no_more_ends_the_service_with_one_line(service: Service) -> None:
    channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
    await service.owner(follows=[channel])
    await service.stop()
    async with spawned_service(environment(service)) as process:
        fail_writes(process.pid)
        channel.post("Массовый сбой: сайт не работает.")
        _, err = await asyncio.wait_for(process.communicate(), PROCESS_WITHIN)
    assert process.returncode == 1
    assert CRASHED not in err
    assert "cannot be read or written" in err.splitlines()[-1].decode()


@pytest.mark.parametrize("words", ["/search отключение", None], ids=["a command reads", "a post is written"])
async def test_a_damaged_database_ends_the_service_with_one_line(service: Service, words: str | None) -> None:
    channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
    owner = await service.owner(follows=[channel])
    await service.stop()
    async with spawned_service(environment(service)) as process:
        damage(service.settings.database_path)
        if words is None:
            channel.post("Массовый сбой: сайт не работает.")
        else:
            await owner.says(words)
        _, err = await asyncio.wait_for(process.communicate(), PROCESS_WITHIN)
    assert process.returncode == 1
    assert CRASHED not in err
    assert "channelwatch restore" in err.splitlines()[-1].decode()


async def test_a_start_with_a_damaged_database_says_what_to_do(service: Service) -> None:
    await service.stop()
    damage(service.settings.database_path)
    for words in (("run",), ("search", "сбой")):
        code, out, err = await shell(*words, env=environment(service))
        assert (code, out, len(err.splitlines())) == (1, "", 1)
        assert "channelwatch restore" in err
