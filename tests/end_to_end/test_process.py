import asyncio
import json
import os
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bot.runtime.clock import utc_now
from tests.kit_service import TOKEN, Service, running_service

PROCESS_WITHIN = 60.0  # s; a process that takes longer has failed: a busy machine needs many for its imports alone


def environment(service: Service) -> dict[str, str]:
    settings = service.settings
    return {
        "PATH": os.environ["PATH"],
        "TELEGRAM_API_ID": "1",
        "TELEGRAM_API_HASH": "0" * 32,
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "TELEGRAM_SERVER": service.sandbox.address,
        "TELEGRAM_SERVER_KEY": str(settings.telegram_server_key),
        "DATA_DIR": str(settings.data_dir),
        "PYTHONPATH": str(Path(__file__).parents[2]),  # wherever it runs
        "SEND_RATE_CHAT": "1000",
        "SEND_RATE_TOTAL": "1000",
        "SWEEP_INTERVAL": "1",
    }


async def shell(*words: str, env: dict[str, str], stdin: str = "", folder: Path | None = None) -> tuple[int, str, str]:
    """Run the command line to its end; return its exit code, standard output and standard error."""
    process = await spawn(*words, env=env, folder=folder)
    out, err = await asyncio.wait_for(process.communicate(stdin.encode()), PROCESS_WITHIN)
    return process.returncode or 0, out.decode(), err.decode()


async def spawn(
    *words: str, env: dict[str, str], folder: Path | None = None, module: str = "bot"
) -> asyncio.subprocess.Process:
    """Start the command line as a process of its own."""
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *words, stdin=pipe, stdout=pipe, stderr=pipe, env=env, cwd=folder
    )


@asynccontextmanager
async def spawned_service(env: dict[str, str], *, module: str = "bot") -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the service as a process of its own until it has said that it is ready."""
    process = await spawn("run", env=env, module=module)
    try:
        assert process.stderr is not None
        async with asyncio.timeout(PROCESS_WITHIN):
            while b"ready" not in (line := await process.stderr.readline()):
                assert line, "the service ended before it was ready"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_a_start_without_credentials_says_what_is_missing_and_where_to_get_it(tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])}
    code, out, err = await shell("run", env=env, folder=tmp_path)
    assert code == 2
    assert out == ""
    for name, place in (("API_ID", "my.telegram.org"), ("API_HASH", "my.telegram.org"), ("BOT_TOKEN", "@BotFather")):
        assert any(f"TELEGRAM_{name}" in line and place in line for line in err.splitlines())
    assert "Traceback" not in err


async def test_a_reader_that_is_not_logged_in_is_told_so(service: Service) -> None:
    await service.stop()
    (service.settings.data_dir / "reader.session").unlink()
    code, _, err = await shell("run", env=environment(service))
    assert code == 2
    assert "channelwatch login" in err


async def test_sigterm_ends_the_service_cleanly_and_its_files_are_private(service: Service) -> None:
    await service.stop()
    env = environment(service)
    async with spawned_service(env) as process:
        code, out, _ = await shell("health", env=env)
        assert (code, out) == (0, "healthy\n")
        loaded = await asyncio.to_thread(Path(f"/proc/{process.pid}/maps").read_text)
        assert [name for name in ("matplotlib", "typst") if name in loaded] == []  # processes apart draw
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 10) == 0
    code, _, err = await shell("health", env=env)
    assert (code, "the service does not run: it was stopped at" in err) == (1, True)
    files = [file for file in service.settings.data_dir.iterdir() if file.name != "topics"]  # that is not ours
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(service.settings.data_dir.stat().st_mode) == 0o700


async def test_sigterm_ends_a_start_that_telegram_does_not_answer(service: Service) -> None:
    await service.stop()
    env = environment(service)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(PROCESS_WITHIN)
        env["TELEGRAM_SERVER"] = f"127.0.0.1:{silent.getsockname()[1]}"
        process = await spawn("run", env=env)
        connection, _ = await asyncio.to_thread(silent.accept)
        with connection:
            process.send_signal(signal.SIGTERM)
            _, err = await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 0
    assert "Traceback" not in err.decode()


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_machine_whose_clock_is_wrong_lives_by_that_of_telegram(tmp_path: Path, hours: int) -> None:
    async with running_service(tmp_path, now=lambda: utc_now() + timedelta(hours=hours)) as service:
        await service.stop()
        service.now = utc_now
        await service.start()
        code, link, _ = await shell("invite", "--role", "owner", env=environment(service))
        assert code == 0
        owner = await service.person("Owner")
        await owner.asks(f"/start {link.strip().rpartition('=')[2]}")
        channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
        await service.follow(owner, channel)
        later = utc_now() + timedelta(hours=hours, seconds=5)  # Telegram's time is known by the second only
        channel.post("Отключения интернета в районах: мобильная связь недоступна.", date=later)
        await owner.alert("Отключения интернета")
        assert "channelwatch" in (await owner.asks("/status")).message
        assert await shell("health", env=environment(service)) == (0, "healthy\n", "")


async def test_a_machine_whose_clock_is_set_while_it_runs_takes_no_post_for_old(tmp_path: Path) -> None:
    off = [timedelta(days=-2)]
    async with running_service(tmp_path) as service:
        await service.stop()
        service.now, service.steady = lambda: utc_now() + off[0], lambda: utc_now() - timedelta(days=2)
        await service.start()
        channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
        owner = await service.owner(follows=[channel])
        off[0] = timedelta()
        channel.post("Отключения интернета в районах: мобильная связь недоступна.")
        await owner.alert("Отключения интернета")


async def test_two_services_on_one_session_are_refused(service: Service) -> None:
    code, _, err = await shell("run", env=environment(service))
    assert code == 1
    assert "another channelwatch" in err


async def test_match_is_a_filter_and_search_reads_beside_the_service(service: Service) -> None:
    channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
    owner = await service.owner(follows=[channel])
    channel.post("Отключения интернета в районах: мобильная связь недоступна.")
    await owner.alert("Отключения интернета")
    env = environment(service)
    code, out, _ = await shell("search", "отключение", env=env)
    assert code == 0
    assert "https://t.me/agency/1" in out
    code, out, _ = await shell("match", "--query", "сбой", env=env, stdin='{"text": "🙂 О сбоях", "id": 7}\n')
    assert (code, json.loads(out)) == (
        0,
        {"text": "🙂 О сбоях", "id": 7, "matches": [{"topic": "query", "spans": [[4, 9]]}]},
    )


async def test_login_asks_for_number_code_and_password(service: Service) -> None:
    await service.stop()
    service.sandbox.world.add_user("Second reader", phone="+10000000009", password="a long one")  # noqa: S106 - its own
    (service.settings.data_dir / "reader.session").unlink()
    process = await spawn("login", "--phone", "+10000000009", env=environment(service))
    assert process.stdin is not None
    assert process.stdout is not None
    async with asyncio.timeout(PROCESS_WITHIN):
        while b"code" not in await process.stdout.readline():
            pass
        process.stdin.write(f"{service.sandbox.world.login_code('+10000000009')}\na long one\n".encode())
        out, err = await process.communicate()
    assert process.returncode == 0, err
    assert "Second reader" in out.decode()
    await service.start()


async def test_the_demo_plays_to_its_end_and_leaves_nothing_behind(tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path)}
    process = await spawn("demo", env=env)
    out, err = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0, (out + err).decode()
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - nothing else waits here
