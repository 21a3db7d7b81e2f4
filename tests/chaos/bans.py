"""A seed comes in; the reader is banned in mid-storm, web pages have troubles too, and every difference goes out.

While it is banned, public channels have to be kept through their pages: what these show is stored, what they never
show is named. In the end the reader is back; then the archive says what the world says, and every alert came once.

The owner has the pages of alerts captured, and saves posts in a case: whatever was killed and refused meanwhile, each
page is kept in the end, once, or it is said why not; and no alert waits for a page.
"""

import asyncio
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from bot.sandbox import Channel, Message
from bot.sandbox.pages.server import PageServer
from bot.store.database import open_read_only
from bot.store.unreadable import of_channel
from tests.chaos.deliveries import WORDS
from tests.chaos.settling import Rounds, missing
from tests.chaos.storm import PATIENCE, Outcome, Storm, is_unknown
from tests.kit import ALERTS_SENT
from tests.kit_rich import said
from tests.kit_service import link_in

NEWCOMER = 0.5  # of the bans end with another account
SAVED = 0.03  # of what happens
OK = 200
PAGES = 20  # posts on one: what was edited further back is seen again only by the reader
TOLD = re.compile(r"(?:Post|Album) \d")  # what the owner's topic finds
RULES = ("reset", "throttle", "fail", "shell", "challenge", "stale", "redesign")  # verbs that strike so many times
TROUBLES = (*RULES, "host", "lag", "switch_off", "hide", "unlist", "kill", "kill", "none", "none")
# Of an album, the page of any item shows all of it: its caption may have moved from one to another since.
NOT_CAPTURED = """WITH alerted AS (
        SELECT v.id, v.channel_id, v.message_id, a.post_key FROM alerts a JOIN versions v ON v.id = a.shown_version_id
        WHERE NOT is_counted AND duplicate_of IS NULL AND losses = 0
        UNION SELECT NULL, p.channel_id, NULL, p.post_key FROM case_posts s  -- of whichever version it had then
        JOIN posts p ON p.channel_id = s.channel_id AND p.message_id = s.message_id),
    captured AS (
        SELECT k.version_id, p.channel_id, p.message_id, p.post_key FROM captures k
        JOIN versions v ON v.id = k.version_id
        JOIN posts p ON p.channel_id = v.channel_id AND p.message_id = v.message_id)
    SELECT version_id, 'its page is wanted still' FROM captures WHERE state = 'wanted'
    UNION ALL SELECT coalesce(id, post_key), 'its page was never wanted' FROM alerted a WHERE NOT EXISTS (
        SELECT 1 FROM captured k WHERE k.version_id = a.id
        OR (k.channel_id, k.post_key) = (a.channel_id, a.post_key) AND k.message_id IS NOT a.message_id)"""


@dataclass(kw_only=True)
class Bans(Storm):
    """One run: so many bans, each after some rounds of a storm."""

    bans: int = 2
    module: str = "tests.chaos.hasty"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.count = 0
        self.shy: set[Message] = set()  # that pages did not show for a while

    async def _follow(self) -> None:
        self.pages: PageServer = await self.service.sandbox.serve_pages()
        self.service.sandbox.world.add_channel("Canary", username="telegram").post("Well")
        await super()._follow()
        (owner,) = self.service.people
        self.owner = owner.account
        await (await owner.asks("/track News: post | album")).click(text="Save")
        await owner.asks(f"/follow @{self.channels[2].username} all")
        await owner.asks("/pages on")
        await owner.client.disconnect()  # what is shown, the server knows best
        self.service.people.clear()
        with closing(sqlite3.connect(self.service.settings.database_path)) as db, db:
            db.execute("UPDATE chats SET storm_count = NULL")

    async def _rage(self) -> None:
        self.env |= {
            "PAGES_URL": self.pages.hosts[0].url,
            "PAGES_FALLBACK_URLS": self.pages.hosts[1].url,
            "PAGES_PAUSE": "0.05",
        }
        await self._start()
        await self._alert_before_page()
        for _ in range(self.bans):
            for _ in range(self.rounds):
                await self._round()
            await self._ban()

    async def _alert_before_page(self) -> None:
        """Leave pages unanswered, and kill the service that waits for one: alerts come, and their pages after that."""
        hold = self.pages.faults.stall()
        channel, told = self.channels[0], self._told().total()
        for _ in range(3):
            channel.post(self._words("Post"))
        self.outcome.posts += 3
        await missing(Rounds(self.service.sandbox), lambda: self._untold(told + 3), rounds=PATIENCE)
        self.outcome.differences += await self._untold(told + 3)
        await self.life.aclose()  # SIGKILL
        self.outcome.kills += 1
        await self._start()
        hold.release()

    async def _untold(self, wanted: int) -> list[str]:
        """Say which alerts have not come, and that no page is asked for, or that one came."""
        with closing(sqlite3.connect(f"file:{self.service.settings.database_path}?mode=ro", uri=True)) as db:
            sql = "SELECT count(*) FILTER (WHERE attempts), count(*) FILTER (WHERE state != 'wanted') FROM captures"
            asked, captured = db.execute(sql).fetchone()
        told = self._told().total()
        faults = {f"{told} of {wanted} told": told < wanted, "no page is asked for": not asked, "a page came": captured}
        return [what for what, is_so in faults.items() if is_so]

    def _redactable(self) -> Iterator[tuple[Channel, Message]]:
        """Yield what a page shows."""
        for channel in self.channels:
            if channel.username:
                yield from ((channel, message) for message in channel.kept.oldest_first()[-PAGES:])

    async def _read_again(self, channel: Channel) -> None:
        """Have it read through its page, too."""
        await super()._read_again(channel)
        self.service.sandbox.faults.ban(self.service.reader.id)
        before = self.pages.asked

        async def unread() -> list[str]:
            new = list(self.pages.visits)[before - self.pages.asked :] if self.pages.asked > before else []
            seen = sum(visit.path.startswith(f"/s/{channel.username}") and visit.status == OK for visit in new)
            return [] if seen > 1 else [f"the page of {channel.title} was not read again"]

        await missing(PageRounds(self.pages, len(self.channels)), unread, rounds=PATIENCE)
        self.outcome.differences += await unread()

    def _something_happens(self) -> None:
        super()._something_happens()
        if self.random.random() < SAVED:
            channel = self.random.choice([channel for channel in self.channels if channel.username])
            number = self.random.choice(list(channel.kept.messages))
            self.owner.sends(self.service.bot, f"/save https://t.me/{channel.username}/{number} Storm")

    @property
    def has_standby(self) -> bool:
        return False  # it would read in the banned one's place

    async def _ban(self) -> None:
        """Ban the reader, let things happen, see that public channels were kept, and log the reader in again."""
        faults, reader = self.service.sandbox.faults, self.service.reader
        before = {channel.id: channel.last_id for channel in self.channels}
        self.outcome.bans += 1
        faults.ban(reader.id)
        for _ in range(self.random.randint(2, 4)):
            for _ in range(self.random.randrange(60)):
                self._something_happens()
            await self._trouble()
        self.pages.faults.clear()
        for host in self.pages.hosts:
            await host.up()
        self.outcome.differences += await missing(
            PageRounds(self.pages, len(self.channels)), lambda: self._not_kept(before), rounds=PATIENCE
        )
        if self.random.random() < NEWCOMER:
            self._replace_reader()
        await self._log_in_later()
        faults.clear()

    async def _trouble(self) -> None:
        faults, what = self.pages.faults, self.random.choice(TROUBLES)
        channel = self.random.choice([channel for channel in self.channels if channel.username])
        name = self.random.choice((None, channel.username))
        self.outcome.page_faults += what not in ("none", "kill")
        if what in RULES:
            how = {"seconds": 1} if what == "throttle" else {}
            getattr(faults, what)(name, times=self.random.randint(1, 3), **how)
        elif what == "host":
            await self.random.choice(self.pages.hosts).down()
        elif what == "kill":
            await self._kill()
        elif what == "lag":
            faults.lag(self.random.uniform(0.5, 2))
        elif what == "switch_off":
            faults.switch_off(channel)
        elif what in ("hide", "unlist"):
            for message in channel.kept.oldest_first()[-3:]:
                self.shy.add(message)
                getattr(faults, what)(message)
        await asyncio.sleep(self.random.uniform(0.1, 1.5))

    def _replace_reader(self) -> None:
        """Let another account come in the place of the banned one, which was let into the private channels."""
        banned = self.service.reader
        self.service.reader = self.service.sandbox.world.add_user("Reader", phone=f"+1000000010{self.outcome.bans}")
        for channel in self.channels:
            if banned in channel.roster:
                channel.join(self.service.reader)

    async def _not_kept(self, before: dict[int, int]) -> list[str]:
        """Say which posts since the ban are neither kept nor named, and which are not kept as they are."""
        async with open_read_only(self.service.settings.database_path) as db:
            lines = []
            for channel in self.channels:
                if channel.username is None:
                    continue
                rows = await db.fetch_all(
                    """SELECT p.message_id, v.text FROM posts p JOIN versions v ON v.id = p.version_id
                    WHERE p.channel_id = :id AND p.message_id > :before AND p.gone_at IS NULL""",
                    {"id": channel.id, "before": before[channel.id]},
                )
                kept = {row["message_id"]: row["text"] for row in rows}
                named = await of_channel(db, channel.id)
                new = [m for m in channel.kept.oldest_first() if m.id > before[channel.id]]
                last = new[-PAGES:]
                for album in _albums([m for m in new if m in last or m not in self.shy]):
                    # A page does not show which item of an album a caption is of.
                    texts = [kept[m.id] for m in album if m.id in kept]
                    is_whole = len(texts) == len(album)
                    is_hidden = any(m.rich is not None or is_unknown(m) for m in album)
                    may_be_old = is_hidden or (any(m.edit_date is not None for m in album) and album[0] not in last)
                    is_kept = is_whole and (may_be_old or _joined(texts) == _joined(map(said, album)))
                    if not is_kept and not (is_hidden and album[0].id in named):
                        lines.append(f"{channel.title}/{album[0].id}: kept {texts}, page {[*map(said, album)]}")
        return lines

    def _words(self, head: str) -> str:
        """Return a text that no other is taken for."""
        self.count += 1
        return f"{head} {self.count}: {' '.join(self.random.choices(WORDS, k=12))}"

    async def _settle(self) -> None:
        await super()._settle()
        await missing(Rounds(self.service.sandbox), self._not_told, rounds=PATIENCE)
        self.outcome.differences += await self._not_told()
        await missing(Rounds(self.service.sandbox), self._not_captured, rounds=PATIENCE)
        self.outcome.differences += await self._not_captured()
        with closing(sqlite3.connect(self.service.settings.database_path)) as db:
            (self.outcome.through_pages,) = db.execute(
                "SELECT count(DISTINCT channel_id << 32 | message_id) FROM versions WHERE observed_by = 'page'"
            ).fetchone()
            (self.outcome.captured,) = db.execute("SELECT count(*) FROM captures WHERE state = 'kept'").fetchone()

    async def _not_captured(self) -> list[str]:
        """Say which pages are wanted still, or were never wanted."""
        with closing(sqlite3.connect(f"file:{self.service.settings.database_path}?mode=ro", uri=True)) as db:
            return [f"version {row[0]}: {row[1]}" for row in db.execute(NOT_CAPTURED)]

    def _told(self) -> Counter[str]:
        """Count the alerts that the owner was shown, by the links under them."""
        shown = (link_in(m.reply_markup) for m in self.owner.inbox(self.service.bot) if m.reply_to is None)
        return Counter(filter(None, shown))

    async def _not_told(self) -> list[str]:
        """Say which posts were told never or more than once."""
        told = self._told()
        with closing(sqlite3.connect(f"file:{self.service.settings.database_path}?mode=ro", uri=True)) as db:
            wanted = {
                (channel_id, key)
                for channel_id, key, text in db.execute(
                    """SELECT v.channel_id, coalesce('g' || p.grouped_id, 'm' || p.message_id), v.text FROM versions v
                    JOIN posts p ON p.channel_id = v.channel_id AND p.message_id = v.message_id
                    WHERE v.number = 1"""
                )
                if TOLD.match(text)
            }
            alerted = set(db.execute("SELECT channel_id, post_key FROM alerts"))
            rows = db.execute(ALERTS_SENT).fetchall()
        links = [f"https://t.me/{name or f'c/{channel_id}'}/{number}" for _, _, name, channel_id, number, _ in rows]
        self.outcome.alerts = told.total()
        return [
            *(f"told {times} times: {link}" for link, times in told.items() if times > 1),
            *(f"no alert for {channel_id}/{key}" for channel_id, key in sorted(wanted - alerted)),
            *(f"never told: {link}" for link in links if link not in told),
        ]


def _albums(messages: list[Message]) -> list[list[Message]]:
    """Put the items of an album together; a post by itself is one."""
    return [list(album) for _, album in groupby(messages, key=lambda message: message.grouped or -message.id)]


def _joined(texts: Iterable[str]) -> str:
    return "\n\n".join(filter(None, texts))


class PageRounds:
    """Counts how often all pages were asked for."""

    def __init__(self, pages: PageServer, channels: int) -> None:
        self._pages = pages
        self._channels = channels

    def count(self) -> int:
        return self._pages.asked // self._channels


async def ban(seed: int, folder: Path, *, rounds: int = 4, bans: int = 2, aftermath: bool = True) -> Outcome:
    """Run one in an empty folder."""
    return await Bans(seed=seed, folder=folder, rounds=rounds, bans=bans, aftermath=aftermath).run()
