"""A folder comes in; running processes go out, that can be ordered about, frozen, and asked what they have used."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests import kit
from tests.benchmarks.figures import Run

ROOT = Path(__file__).parents[2]
POLL = 0.005  # s between two looks at what is committed
STOP_WITHIN = 15.0  # s
NO_LIMIT = "100000"  # sends a second, the most that may be set: pacing is off


class Process:
    """A Python program in a process of its own; it ends with the block."""

    def __init__(
        self, *arguments: str, folder: Path, env: Mapping[str, str] | None = None, apart: bool = False
    ) -> None:
        """Start it; `apart`, in a session of its own, as in another terminal."""
        # Nothing else of the environment: settings that somebody has there are for the real service.
        clean = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self._process = subprocess.Popen(  # noqa: S603 - our own programs
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
            env={**clean, "PYTHONPATH": str(ROOT), **(env or {})},
            start_new_session=apart,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.thaw()
        self._process.terminate()
        try:
            self._process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()

    def read(self) -> str:
        """Wait for a line of its output."""
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args} has ended, with exit code {self._process.wait()}")
        return line.strip()

    def ready(self) -> Self:
        """Wait for its first line; end it where there comes none."""
        try:
            self.read()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def write(self, line: str) -> None:
        """Send it a line."""
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def freeze(self) -> None:
        """Stop it where it is; what is sent to it waits."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def has_ended(self) -> bool:
        """Say whether it has ended, be it by an error."""
        return self._process.poll() is not None

    def cpu(self) -> float:
        """Return the seconds that all its threads have computed."""
        return time.clock_gettime(~self._process.pid << 3 | 2)  # the clock that clock_getcpuclockid(3) names

    def memory(self) -> int:
        """Return the bytes that it occupies in memory."""
        pages = Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


class Stage(Process):
    """The server's process."""

    def __init__(self, folder: Path) -> None:
        super().__init__("-m", "tests.benchmarks.stage", str(folder), folder=folder)
        self.facts: dict[str, Any] = json.loads(self.read())

    def order(self, verb: str, **arguments: object) -> Any:  # noqa: ANN401 - each order has its own answer
        """Have something done and return what came of it."""
        self.write(json.dumps({"do": verb, **arguments}))
        return json.loads(self.read())


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A server, and how to start either side on it."""

    stage: Stage
    folder: Path

    def service(self, **settings: str) -> Process:
        """Start `python -m bot run`; its first line of output says that it is ready."""
        return self._start("run", settings=settings).ready()

    def program(self, *words: str) -> Process:
        """Start another command, as somebody does in a terminal; nobody waits for it."""
        return self._start(*words, apart=True)

    def _start(self, *words: str, settings: Mapping[str, str] | None = None, apart: bool = False) -> Process:
        folder, facts = self.folder / "ours", self.stage.facts
        env = {
            "TELEGRAM_API_ID": "1",
            "TELEGRAM_API_HASH": "0" * 32,
            "TELEGRAM_BOT_TOKEN": facts["sides"]["ours"]["token"],
            "TELEGRAM_SERVER": facts["address"],
            "TELEGRAM_SERVER_KEY": str(folder / "server.pem"),
            "DATA_DIR": str(folder),
            "CHANNELS": ",".join(f"@{name}" for name in facts["sides"]["ours"]["channels"]),
            "OWNER_IDS": str(facts["subscriber"]),
            "SEND_RATE_TOTAL": NO_LIMIT,
            "SEND_RATE_CHAT": NO_LIMIT,
            "SEND_RATE_GROUP": NO_LIMIT,
            "LOG_LEVEL": "WARNING",
        }
        return Process("-m", "bot", *words, folder=folder, env={**env, **(settings or {})}, apart=apart)

    def bare(self, job: str, *arguments: str) -> Process:
        """Start a baseline; it is ready then."""
        return Process("-m", "tests.benchmarks.bare", job, *arguments, folder=self.folder / "bare").ready()

    def archive(self) -> "Archive":
        """Open the database of the service."""
        return Archive(self.folder / "ours" / "bot.db")

    @contextmanager
    def measured(self, client: Process, posts: int) -> Iterator[list[Run]]:
        """Measure what happens in the block; the list holds the run once the block has ended."""
        found: list[Run] = []
        begin, client_cpu, server_cpu = time.monotonic(), client.cpu(), self.stage.cpu()
        yield found
        found.append(
            Run(
                posts=posts,
                wall=time.monotonic() - begin,
                client_cpu=client.cpu() - client_cpu,
                server_cpu=self.stage.cpu() - server_cpu,
            )
        )


class Archive:
    """The database of a running service, read from outside: asking costs the service nothing."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)

    def wait_until_followed(self, channels: int) -> None:
        """Wait until so many channels are followed, and a second more: only what comes after it is news."""
        while self._one("SELECT count(*) FROM channels WHERE swept_at IS NOT NULL") < channels:
            time.sleep(POLL)
        time.sleep(1)

    def wait_until_subscribed(self) -> None:
        """Wait until somebody subscribes to a topic, and wants each alert by itself."""
        wanted = "SELECT count(*) FROM subscriptions s JOIN chats c ON c.id = s.chat_id AND c.storm_count IS NULL"
        while not self._one(wanted):
            time.sleep(POLL)

    def stored(self) -> int:
        """Count the posts: their ids begin with 1 in each channel and come in order."""
        highest = "SELECT max(message_id) FROM posts WHERE channel_id = channels.id"
        return self._one(f"SELECT coalesce(sum(({highest})), 0) FROM channels")  # noqa: S608 - both parts are ours

    def wait_until_stored(self, posts: int) -> None:
        """Wait until so many posts are committed."""
        while self.stored() < posts:
            time.sleep(POLL)

    def wait_until_marked(self) -> None:
        """Wait until the marks of all channels are at their newest posts."""
        newest = "SELECT max(message_id) FROM posts WHERE channel_id = channels.id"
        while self._one(f"SELECT count(*) FROM channels WHERE confirmed_id < ({newest})"):  # noqa: S608 - both are ours
            time.sleep(POLL)

    def wait_until_paired(self, chats: int) -> None:
        """Wait until so many chats are subscribed to something, and all has been answered."""
        while self._one("SELECT count(DISTINCT chat_id) FROM subscriptions") < chats:
            time.sleep(POLL)
        time.sleep(1)

    def latest(self) -> int:
        """Return the number of the latest alert."""
        return self._one(kit.LATEST)

    def wait_until_sent(self, alerts: int, *, after: int) -> None:
        """Wait until so many alerts that came after that one are sent, and Telegram's answers are committed."""
        while self._one(kit.SENT_AFTER, {"after": after}) < alerts:
            time.sleep(POLL)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _one(self, sql: str, values: Mapping[str, int] | None = None) -> int:
        return int(self._connection.execute(sql, values or {}).fetchone()[0])


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """Start a server in an empty folder; it is checked for faults at the end."""
    with ExitStack() as stack:
        stage = stack.enter_context(Stage(folder))
        yield World(stage=stage, folder=folder)
        stage.order("check")
