"""`channelwatch watch`: real channels without an account, and how far we get to their pages."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.cli.trial import PageClock, UnwatchableError, read_name
from bot.cli.watch import read_topics
from bot.errors import SettingsError
from bot.sandbox import Sandbox
from bot.sandbox.pages.server import PageServer
from tests.kit_rich import rich
from tests.shell import ROOT, typed
from tests.targets.receivers import receiver
from tests.waiting import until

OUTAGE = "В работе Сбера сбой: приложение не работает, картой не заплатить"


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as sandbox:
        sandbox.world.add_channel("Canary", username="canary").post("tweet")
        yield sandbox


def env(server: PageServer) -> dict[str, str]:
    first, second = (host.url for host in server.hosts)
    return {
        "PAGES_URL": first,
        "PAGES_FALLBACK_URLS": second,
        "PAGES_PAUSE": "0",
        "PAGES_CANARY": "canary",
    }


async def test_alerts_of_real_channels_appear_and_go_to_a_target_until_ctrl_c(sandbox: Sandbox, tmp_path: Path) -> None:
    server = await sandbox.serve_pages()
    ministry = sandbox.world.add_channel("МИД [bold]", username="MID_Russia")
    for text in ("Погода без осадков", OUTAGE):
        ministry.post(text)
    ministry.post(rich=rich("Long", "post"), shown=1)
    hold = server.faults.stall("nosuchname99", times=1)
    async with receiver() as service:
        words = (
            "watch",
            "@MID_Russia",
            "t.me/nosuchname99",
            "--to",
            "-",
            "--topic",
            "outages",
        )
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", *words),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=tmp_path,
            env=os.environ | env(server) | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"webhook+{service.url}/duty\n".encode())
        out = (await process.stdout.readuntil(b"earlier, no alarm: Outages")).decode()
        ministry.post(f"{OUTAGE}!")
        hold.release()
        await until(lambda: bool(service.taken))
        process.send_signal(signal.SIGINT)
        out += (await process.communicate())[0].decode()
    for said in (
        "МИД [bold] (@MID_Russia): 3 posts read",
        "1 can only be read in Telegram itself",
        "@nosuchname99 does not exist",
        "Each alert goes to webhook as well, signed with whsec_",
        "Watching 1 channel (Ctrl-C ends) · 2 posts · 0 alerts",
        "looking for Outages",
        f"{OUTAGE}!",
        "https://t.me/MID_Russia/4",
        "Stopped after 1 alert; nothing is left behind",
    ):
        assert said in out
    assert out.count("earlier, no alarm") == 1
    assert process.returncode == 0
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - asked once, of a folder of this test
    assert service.taken[0].json["post"]["url"] == "https://t.me/MID_Russia/4"


async def test_what_cannot_be_watched_is_one_clear_line_each(sandbox: Sandbox, tmp_path: Path) -> None:
    server = await sandbox.serve_pages()
    world = sandbox.world
    world.add_channel("Chat", username="somegroup", megagroup=True)
    world.add_user("Ann", username="annann")
    world.add_bot("1:x", "Bot", "some_bot")
    world.add_channel("Empty", username="emptychannel")
    closed = world.add_channel("Closed", username="closedchannel")
    closed.post("x")
    server.faults.switch_off(closed)
    strange = world.add_channel("Strange", username="strange")
    strange.post("x")
    server.faults.redesign("strange", classes="tgme_widget_")
    names = ("@somegroup", "annann", "@some_bot", "@emptychannel", "@closedchannel", "foo bar", "@strange")
    code, out, err = await typed(tmp_path, "watch", *names, "--topic", "сбой", **env(server))
    assert (code, err) == (1, "")
    unknown = "is built in a way that this version does not know (some of its posts are built in a new way)"
    account = "only a reader account can read it (channelwatch login)"
    assert out.splitlines()[:7] == [
        "«foo bar» is not a channel: write @name or t.me/name",
        f"@somegroup («Chat») is a group, which has no public page: {account}",
        "@annann («Ann») is a person, and no channel: check the spelling",
        "@some_bot («Bot») is a bot, and no channel: check the spelling",
        "@emptychannel has no posts yet, so that nothing says which channel it is: try again later",
        f"@closedchannel («Closed») is a channel whose public page is switched off: {account}",
        f"@strange: its page {unknown}: look for a newer one",
    ]


async def down(server: PageServer) -> None:
    for host in server.hosts:
        await host.down()


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        (lambda _: None, 0, ["ok  DNS", "ok  TCP", "ok  HTTP", "ok  page", "1 posts of «Canary»", "can be watched"]),
        (down, 1, ["NOT TCP 127.0.0.1", "a firewall is in the way", "set TELEGRAM_PROXY", "cannot be watched"]),
        (lambda at: at.faults.throttle(seconds=90, times=None), 1, ["NOT HTTP", "we ask too often: wait 90 s"]),
        (lambda at: at.faults.challenge(times=None), 1, ["NOT HTTP", "not Telegram's", "in a browser first"]),
        (lambda at: at.faults.redesign(classes="tgme_widget_"), 1, ["NOT page", "look for a newer one"]),
        (lambda at: at.faults.fail(times=None), 1, ["NOT HTTP", "the server answers 502"]),
        (lambda at: at.faults.reset(times=None), 1, ["NOT HTTP", "the connection was cut"]),
    ],
    ids=["well", "down", "429", "challenge", "redesign", "502", "reset"],
)
async def test_the_check_says_how_far_we_get(
    sandbox: Sandbox, tmp_path: Path, fault: Callable[[PageServer], object], code: int, said: list[str]
) -> None:
    server = await sandbox.serve_pages()
    if asyncio.iscoroutine(done := fault(server)):
        await done
    ended, out, _ = await typed(tmp_path, "watch", "--check", **env(server))
    assert ended == code, out
    assert [each for each in said if each not in out] == []


async def test_a_watch_that_reaches_nothing_checks_why(sandbox: Sandbox, tmp_path: Path) -> None:
    server = await sandbox.serve_pages()
    await down(server)
    code, out, _ = await typed(tmp_path, "watch", "@MID_Russia", "--topic", "сбой", **env(server))
    assert code == 1
    assert out.startswith("@mid_russia cannot be read now (TCP: no connection")
    assert "NOT TCP 127.0.0.1" in out


@pytest.mark.parametrize(
    ("proxy", "said"),
    [
        ("socks5://127.0.0.1:1", "NOT proxy: 127.0.0.1:1 takes no connection"),
        (
            f"https://t.me/proxy?server=e.org&port=443&secret={'ab' * 16}",
            "NOT proxy: TELEGRAM_PROXY is an MTProxy link",
        ),
    ],
)
async def test_the_check_looks_at_the_proxy_first(tmp_path: Path, proxy: str, said: str) -> None:
    code, out, _ = await typed(tmp_path, "watch", "--check", TELEGRAM_PROXY=proxy)
    assert (code, out.startswith(said)) == (1, True), out


@pytest.mark.parametrize(
    ("behind", "error"),
    [((), 0), ((20,), 0), ((7200,), 7200), ((-7200,), -7200), ((-7200, -5), 0), ((-10_800, -7200), -7200)],
    ids=["no page", "nearly right", "behind", "ahead", "one from a cache", "a later one"],
)
def test_the_time_of_pages_counts_where_this_machine_s_is_wrong(behind: tuple[int, ...], error: int) -> None:
    now = datetime(2026, 11, 27, 12, tzinfo=UTC)
    clock = PageClock(lambda: now)
    for seconds in behind:
        clock.see(now + timedelta(seconds=seconds))
    assert clock() - now == timedelta(seconds=error)


@pytest.mark.parametrize(("to", "given"), [("hunter2://x", b""), ("-", b"hunter2://x\n")])
async def test_an_address_that_is_none_is_not_repeated(tmp_path: Path, to: str, given: bytes) -> None:
    code, _, err = await typed(tmp_path, "watch", "@MID_Russia", "--topic", "сбой", "--to", to, given=given)
    assert (code, err.startswith("--to: "), "/x" in err) == (2, True, False)


async def test_without_a_channel_it_says_how_to_write_one(tmp_path: Path) -> None:
    code, _, err = await typed(tmp_path, "watch")
    assert (code, err) == (2, "name a channel: channelwatch watch @MID_Russia @rkn_tg\n")


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("+AbCdEfGhIjKl", "private link"),
        ("t.me/addlist/abcdefgh", "folder"),
        ("-1001234567890", "number"),
        ("https://example.org", "not a channel"),
    ],
)
def test_a_reference_without_a_public_page_is_refused_at_once(reference: str, said: str) -> None:
    with pytest.raises(UnwatchableError, match=said):
        read_name(reference)


def test_topics_are_named_or_typed_as_queries() -> None:
    assert read_name("https://t.me/s/MID_Russia") == "mid_russia"
    assert list(read_topics(["utilities", "сбой банк"])) == ["utilities", "сбой банк"]
    with pytest.raises(SettingsError, match="cannot be read"):
        read_topics(["(("])
