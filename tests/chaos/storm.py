"""A seed comes in; a service in a process of its own lives through a storm, and every difference to the world goes out.

The world is the embedded server. Pushes are dropped, connections cut, replies held and lost, methods flooded, clocks
skewed, the service killed and started again; posts are edited and deleted far back, also while it is down. In the end
the faults stop, a day passes for the verifying round, and the archive has to say what the world says, its ledger and a
bundle what the archive says. Then a post is redacted, and the next day must not bring its words back.
"""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from telethon.tl import types

from bot.errors import FatalError
from bot.sandbox import Channel, Message, Unknown
from bot.sandbox.server import Push
from bot.store.database import open_read_only
from bot.store.unreadable import of_channel
from bot.telegram import sessions
from tests.chaos.records import disagreements, wrong_bundle
from tests.chaos.settling import Rounds, missing
from tests.end_to_end.test_process import environment, shell, spawned_service
from tests.kit_rich import rich, said
from tests.kit_service import running_service
from tests.waiting import until

PATIENCE = 60  # rounds; a storm whose differences stay the same for longer has failed
PAST = 500  # posts in the first channel before the storm: edits and deletions reach that far back
DISTURBANCES = ("cut", "hold", "lose", "flood", "error", "fail", "skew", "kill", "too_long", "leave", "revoke")
FAILURES = {"error": ("INTERNAL", 500, 1), "fail": ("BAD_GATEWAY", 502, None)}  # after a 500, Telethon rests
CALM = 0.7  # of the rounds; in the others the disturbance comes while pushes are on their way
UNIQUE = re.compile(r"0\.\d{9,}|\d+: .+")  # in a text: no other has it
LOGIN_AFTER = 1.5  # s that a reader is logged out

_Version = tuple[int, int, str]  # of a message of a channel: the ids of both, and its text


@dataclass(kw_only=True)
class Outcome:
    """What became of a storm."""

    seed: int
    posts: int = 0
    pushed: int = 0  # versions that were pushed while nothing disturbed, each of which has to be in the archive
    holes: int = 0  # messages that no reader can read; each has to be named, and cost nothing but itself
    kills: int = 0
    bans: int = 0
    alerts: int = 0  # that the owner was shown, where it is asked whether each came once
    through_pages: int = 0  # posts that were seen on a web page
    captured: int = 0  # pages of posts
    page_faults: int = 0
    differences: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class Storm:
    """One run; `no_pushes` drops all of them. Every third seed has a standby reader."""

    seed: int
    folder: Path
    rounds: int = 12
    no_pushes: bool = False
    aftermath: bool = True  # a redaction, one more day, and a bundle, which take half a minute
    module: str = "bot"  # that the service is run with

    def __post_init__(self) -> None:
        self.random = Random(self.seed)  # noqa: S311 - chance for tests, and repeatable
        self.drops = Random(self.seed)  # noqa: S311 - apart: how often it is asked depends on when connections are up
        self.outcome = Outcome(seed=self.seed)
        self.channels: list[Channel] = []
        self.heard: list[_Version] = []  # was pushed while nothing disturbed

    async def run(self) -> Outcome:
        async with running_service(self.folder, sweep_interval=0.5, request_rate=1000.0) as service:
            self.service = service
            service.sandbox.server.pushed = []
            await self._follow()
            await service.stop()
            self.env = environment(service) | {"SWEEP_INTERVAL": "0.5", "REQUEST_RATE": "1000"}
            async with AsyncExitStack() as self.life:
                await self._rage()
                self._calm()
                await self._settle()
            self._compare_versions()
            if self.aftermath:
                await self._redact()
                self.outcome.differences += await wrong_bundle(self.folder, self.env, self.random)
            self.outcome.differences += disagreements(self.service.settings.data_dir)
        self.outcome.holes = sum(is_unknown(m) for channel in self.channels for m in channel.kept.oldest_first())
        self.outcome.pushed = len(self.heard)
        return self.outcome

    async def _rage(self) -> None:
        await self._start()
        for _ in range(self.rounds):
            await self._round()

    async def _follow(self) -> None:
        world, reader = self.service.sandbox.world, self.service.reader
        self.channels = [
            world.add_channel("Joined", username="joined", members=[reader]),
            world.add_channel("Private", members=[reader]),
            world.add_channel("Polled", username="polled"),
            world.add_channel("Left", username="left", members=[reader]),
        ]
        for channel in self.channels:
            channel.post("The first")
        owner = await self.service.owner(follows=self.channels[:1])
        await self.service.follow(owner, *self.channels[1:])
        with self._no_noise():
            for number in range(PAST):
                self.channels[0].post(f"Past {number}")
        self.outcome.posts = PAST

    async def _start(self) -> None:
        if self.has_standby:  # from the beginning
            path = self.service.settings.data_dir / sessions.STANDBY
            if not path.exists():
                second = self.service.sandbox.world.add_user("Second", phone="+10000000002")
                self.service.sandbox.session_for(second, path)
        process = await self.life.enter_async_context(spawned_service(self.env, module=self.module))
        assert process.stderr is not None
        listener = asyncio.create_task(_drain(process.stderr))  # a full pipe would stop the service
        self.life.callback(listener.cancel)

    async def _round(self) -> None:
        faults = self.service.sandbox.faults
        faults.drop_pushes(1.0 if self.no_pushes else 0.3, random=self.drops)
        what = self.random.choice(DISTURBANCES)
        begun = len(self._pushes())
        for _ in range(self.random.randrange(60)):
            self._something_happens()
        if self.random.random() < CALM:
            await self._hear(begun)
        if what == "kill":
            await self._kill()
        else:
            await self._disturb(what)
        await asyncio.sleep(self.random.uniform(0.1, 0.8))
        faults.clear()

    async def _hear(self, begun: int) -> None:
        """Wait until what was pushed since then is kept: now nothing disturbs, and later it may not have arrived."""
        heard = [version for push in self._pushes()[begun:] for version in self._versions(push)]

        async def not_kept() -> list[str]:
            kept = self._kept()
            return [str(version) for version in heard if version not in kept]

        await missing(Rounds(self.service.sandbox), not_kept, rounds=PATIENCE)  # it is told in the end
        self.heard += heard

    async def _kill(self) -> None:
        self.outcome.kills += 1
        await self.life.aclose()  # SIGKILL
        for _ in range(self.random.randrange(80)):
            self._something_happens()
        await self._start()

    async def _disturb(self, what: str) -> None:
        sandbox = self.service.sandbox
        method = self.random.choice(("GetDialogs", "GetHistory", "GetChannelDifference", "GetRichMessage"))
        if what == "cut":
            sandbox.server.cut()
        elif what == "hold":
            hold = sandbox.faults.hold(method)
            await asyncio.sleep(0.5)
            hold.release()
        elif what == "lose":
            sandbox.faults.lose_reply(method)
        elif what == "flood":
            sandbox.faults.flood_wait(method, 1)
        elif what in FAILURES:
            error, code, times = FAILURES[what]
            sandbox.faults.answer(method, error, code=code, times=times)
        elif what == "skew":
            sandbox.faults.skew(self.random.choice((-20, 20)))
        elif what == "too_long":
            self.random.choice(self.channels).too_long_after = self.random.choice((3, 30, None))
        elif what == "revoke":
            sandbox.revoke(self.service.reader)
            await self._log_in_later()
        elif what == "leave":  # kicked from a public channel, which can be read from outside, or back in it
            left = self.channels[3]
            (left.kick if self.service.reader in left.roster else left.join)(self.service.reader)

    async def _log_in_later(self) -> None:
        """Log the reader in again, as `channelwatch login` would."""
        await asyncio.sleep(LOGIN_AFTER)
        await until(self._log_in)  # the service may hold the session for a while yet

    def _log_in(self) -> bool:
        session = self.service.settings.data_dir / sessions.READER
        try:
            with sessions.lock(session):
                self.service.sandbox.faults.lift_ban(self.service.reader.id)  # which the service has noticed
                session.unlink()
                self.service.sandbox.session_for(self.service.reader, session)
        except FatalError:
            return False
        return True

    def _something_happens(self) -> None:
        channel = self.random.choice(self.channels)
        ids = list(channel.kept.messages)
        kinds = {"post": 9, "edit": 5, "delete": 3, "long": 2, "react": 2, "album": 1, "views": 1, "unknown": 1}
        what = self.random.choices(list(kinds), list(kinds.values()))[0]
        if what == "post" or len(ids) < 5:
            channel.post(self._words("Post"))
            self.outcome.posts += 1
        elif what == "long":
            channel.post(rich=self._rich("Long"), shown=self.random.choice((1, 1, None)))
            self.outcome.posts += 1
        elif what == "unknown":
            self._unknown(channel, self.random.choice(ids))
        elif what == "edit":
            self._edit(channel, self.random.choice(ids))
        elif what == "delete":
            channel.delete(self.random.choice(ids))
        elif what == "react":
            channel.react(self.random.choice(ids), "👍")
        elif what == "album":
            media = self.service.sandbox.world.media
            photos = [media.photo(bytes([n])) for n in range(3)]
            channel.album(photos, self._words("Album"))
            self.outcome.posts += 3
        else:
            channel.set_views(self.random.choice(ids), self.random.randrange(10_000))

    def _edit(self, channel: Channel, message_id: int) -> None:
        """Edit a text, or the blocks of a long post: in the part that everybody gets, or below.

        Half of what no reader could read can be read from then on.
        """
        message = channel.kept.messages[message_id]
        if is_unknown(message) and self.random.random() < 0.5:
            message.unknown, message.media, message.entities = False, None, []
        if channel.kept.messages[message_id].rich is None:
            channel.edit(message_id, self._words("Edited"))
        else:
            channel.edit(message_id, rich=self._rich(self.random.choice(("Edited", "Long"))))

    def _unknown(self, channel: Channel, message_id: int) -> None:
        """Post what only a newer Telegram knows, or add it to a post that is there."""
        what = self.random.choice(("media", "entity", "message", "edit"))
        text = self._words("Unknown")
        if what == "edit":
            channel.edit(message_id, media=Unknown())
            return
        self.outcome.posts += 1
        if what == "media":
            channel.post(text, media=Unknown())
        else:
            channel.post(text, entities=[Unknown()] if what == "entity" else [], unknown=what == "message")

    def _words(self, head: str) -> str:
        return f"{head} {self.random.random()}"

    def _rich(self, head: str) -> types.RichMessage:
        return rich(
            *(f"{head} {self.random.randrange(3)}", f"Rest {self.random.random()}")[: self.random.choice((1, 2, 2, 2))]
        )

    def _calm(self) -> None:
        self.service.sandbox.faults.clear()
        for channel in self.channels:
            channel.too_long_after = None

    async def _settle(self) -> None:
        """Let a day pass, and wait until nothing differs."""
        await Rounds(self.service.sandbox).more(2)
        self._age()
        self.outcome.differences += await missing(Rounds(self.service.sandbox), self._differences, rounds=PATIENCE)

    def _age(self) -> None:
        with sqlite3.connect(self.service.settings.database_path) as db:
            db.execute("UPDATE channels SET verified_at = NULL, verify_from = NULL")
        db.close()

    async def _redact(self) -> None:
        """Have what a post said removed while the service is down; its words stay away when it is read again."""
        texts = self._texts()
        channel, message = self.random.choice([(c, m) for c, m in self._redactable() if texts.get((c.id, m.id))])
        words = [text for item in self._album(channel, message) for text in texts.get((channel.id, item), ())]
        link = f"https://t.me/{channel.username}/{message.id}"
        code, _, said = await shell("redact", link, "--reason", "a storm", "--yes", env=self.env)
        self.outcome.differences += [f"not redacted: {said}"] if code else self._traces(words, "after the redaction")
        self._age()
        async with AsyncExitStack() as self.life:
            await self._start()
            await self._write_again(channel, message)
            await self._read_again(channel)
        self.outcome.differences += self._traces(words, "after another day")

    def _redactable(self) -> Iterator[tuple[Channel, Message]]:
        for channel in self.channels:
            if channel.username:
                yield from ((channel, message) for message in channel.kept.oldest_first())

    async def _write_again(self, channel: Channel, message: Message) -> None:
        """Let its author write something else, which is kept, and then what it said when it was redacted."""
        if message.rich is not None or is_unknown(message):
            return
        before, other = message.text, self._words("Edited")
        channel.edit(message.id, other)

        async def not_kept() -> list[str]:
            return [] if (channel.id, message.id, other) in self._kept() else ["an edit of what was redacted is lost"]

        self.outcome.differences += await missing(Rounds(self.service.sandbox), not_kept, rounds=PATIENCE)
        channel.edit(message.id, before)
        await Rounds(self.service.sandbox).more(2)

    async def _read_again(self, _: Channel) -> None:
        """Wait until everything was read again, the redacted post of a channel among it."""
        await missing(Rounds(self.service.sandbox), self._unverified, rounds=3 * PATIENCE)
        self.outcome.differences += await self._unverified()

    def _texts(self) -> dict[tuple[int, int], list[str]]:
        """Return what only the versions of one message say, by channel and message."""
        texts: dict[tuple[int, int], list[str]] = {}
        for channel_id, message_id, text in self._kept():
            texts.setdefault((channel_id, message_id), []).extend(UNIQUE.findall(text))
        return texts

    def _album(self, channel: Channel, message: Message) -> list[int]:
        items = [m.id for m in channel.kept.oldest_first() if m.grouped and m.grouped == message.grouped]
        return items or [message.id]

    def _traces(self, words: list[str], when: str) -> list[str]:
        """Say where in the folder of the data words are."""
        paths = [path for path in self.service.settings.data_dir.rglob("*") if path.is_file()]
        contents = {path.name: path.read_bytes() for path in paths}
        found = {(name, each) for each in words for name, content in contents.items() if each.encode() in content}
        return [f"{when} «{each}» is in {name}" for name, each in sorted(found)]

    async def _unverified(self) -> list[str]:
        async with open_read_only(self.service.settings.database_path) as db:
            rows = await db.fetch_all("SELECT title FROM channels WHERE followed_at AND verified_at IS NULL")
        return [f"{row['title']}: was not verified" for row in rows]

    async def _differences(self) -> list[str]:
        return [line async for line in self._compare_posts()]

    async def _compare_posts(self) -> AsyncIterator[str]:
        async with open_read_only(self.service.settings.database_path) as db:
            for channel in self.channels:
                rows = await db.fetch_all(
                    """SELECT m.message_id, v.text, m.grouped_id FROM posts m JOIN versions v ON v.id = m.version_id
                    WHERE m.channel_id = :id AND m.gone_at IS NULL""",
                    {"id": channel.id},
                )
                stored = {row["message_id"]: (row["text"], row["grouped_id"]) for row in rows}
                world = {m.id: (said(m), m.grouped) for m in channel.kept.oldest_first() if m.action is None}
                holes = {m.id for m in channel.kept.oldest_first() if is_unknown(m)}
                named = await of_channel(db, channel.id)
                for message_id in sorted(named.keys() ^ holes):
                    why = "is readable, and named as a hole" if message_id in named else "is unreadable, and not named"
                    yield f"{channel.title}/{message_id}: {why}"
                for message_id in sorted((stored.keys() | world.keys()) - holes):
                    if stored.get(message_id) != world.get(message_id):
                        shown = f"{channel.title}/{message_id}"
                        yield f"{shown}: stored {stored.get(message_id)}, world {world.get(message_id)}"

    def _compare_versions(self) -> None:
        """Every version that was pushed to a reader that was there to hear it has to be kept."""
        kept = self._kept()
        for version in self.heard:
            if version not in kept:
                channel_id, message_id, text = version
                self.outcome.differences.append(f"{channel_id}/{message_id}: was pushed and is not kept: {text}")

    def _kept(self) -> set[_Version]:
        with sqlite3.connect(f"file:{self.service.settings.database_path}?mode=ro", uri=True) as db:
            kept = set(db.execute("SELECT channel_id, message_id, text FROM versions"))
        db.close()
        return kept

    def _pushes(self) -> list[Push]:
        return self.service.sandbox.server.pushed or []

    def _versions(self, push: Push) -> Iterator[_Version]:
        if push.account_id != self.service.reader.id:
            return
        wanted = {channel.id for channel in self.channels}
        for update in getattr(push.updates, "updates", None) or [getattr(push.updates, "update", None)]:
            message = getattr(update, "message", None)
            # Of a long post we get what it says once we ask.
            is_kept = isinstance(message, types.Message) and message.rich_message is None and not is_unknown(message)
            if is_kept and getattr(message.peer_id, "channel_id", 0) in wanted:
                yield message.peer_id.channel_id, message.id, message.message

    @property
    def has_standby(self) -> bool:
        return self.seed % 3 == 0

    @contextmanager
    def _no_noise(self) -> Iterator[None]:
        self.service.sandbox.faults.drop_pushes(1.0)
        yield
        self.service.sandbox.faults.clear()


def is_unknown(message: Message | types.Message) -> bool:
    """Tell whether a message is in terms that no client here knows."""
    found = [getattr(message, "unknown", False), isinstance(message.media, Unknown)]
    return any([*found, *(isinstance(entity, Unknown) for entity in message.entities or ())])


async def _drain(stream: asyncio.StreamReader) -> None:
    while await stream.read(65536):
        pass


async def storm(
    seed: int, folder: Path, *, rounds: int = 12, no_pushes: bool = False, aftermath: bool = True
) -> Outcome:
    """Run a storm in an empty folder."""
    return await Storm(seed=seed, folder=folder, rounds=rounds, no_pushes=no_pushes, aftermath=aftermath).run()
