"""A sixth of the real posts in one store: what a search finds there is what the matcher finds in each of them."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from random import Random

import pytest
import pytest_asyncio

from bot.matching.engine.matcher import Matcher
from bot.matching.topics import builtin_topics
from bot.matching.words.tokens import Document, analyse
from bot.models import ObservedBy
from bot.parts import Part, PartKind
from bot.search.searcher import find_newest
from bot.store.database import Database
from bot.store.fulltext import Scope
from tests.kit_archive import LAST_MONTH, NEWS, OTHER, compiled, find_hits, open_archive, post
from tests.queries import Asker

REAL_POSTS = Path(__file__).parents[3] / "shared" / "data" / "posts.jsonl"
BATCH = 2000  # posts in one observation
EVERY = 10**6  # more hits than there are posts
# How many queries of a kind; those that find or read the most posts are the fewest.
ASKED = {"word": 30, "either": 10, "phrase": 40, "near": 30, "both": 40, "without": 40, "prefix": 30, "exact": 35}
ASKED |= {"signed": 30, "nested": 30, "lines": 10, "regex": 2}

pytestmark = [
    pytest.mark.skipif(not REAL_POSTS.exists(), reason=f"the real posts are not here: {REAL_POSTS}"),
    pytest.mark.asyncio(loop_scope="module"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RealPosts:
    """Real posts, stored and read."""

    db: Database
    documents: tuple[Document, ...]  # of the messages 1, 2, …


@cache
def texts() -> tuple[str, ...]:
    return tuple(json.loads(line)["text"] for line in REAL_POSTS.read_text("utf-8").splitlines()[::6])


def taken_apart(text: str) -> tuple[str, tuple[Part, ...]]:
    """Take a post for one whose later paragraphs stand beside its text."""
    said, *beside = text.split("\n\n")
    return said, tuple(Part(kind=PartKind.PREVIEW, text=paragraph) for paragraph in beside)


@cache
def questions() -> tuple[str, ...]:
    """Return queries of every kind, and the built-in topics."""
    asker = Asker(texts(), most=100)  # an answer of thousands of posts takes its time
    return (
        *(asker.kinds[kind]() for kind, count in ASKED.items() for _ in range(count)),
        *(topic.query for topic in builtin_topics()),
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def real(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealPosts]:
    async with open_archive(tmp_path_factory.mktemp("archive")) as archive:
        await archive.follow()
        await archive.follow(OTHER, title="Другое")
        every = []
        for n, text in enumerate(texts(), start=1):
            said, beside = taken_apart(text) if n % 2 else (text, ())
            place = {"channel_id": OTHER if n % 3 else NEWS, "date": LAST_MONTH + timedelta(seconds=90 * n)}
            every.append(post(n, said, parts=beside, **place))
        Random(1).shuffle(every)  # noqa: S311 - a repeatable order is wanted
        for start in range(0, len(every), BATCH):
            await archive.see(ObservedBy.BACKFILL, *every[start : start + BATCH])
        yield RealPosts(db=archive.db, documents=tuple(map(analyse, texts())))


async def test_search_and_matcher_never_disagree_on_real_posts(real: RealPosts) -> None:
    queries = {str(number): compiled(query) for number, query in enumerate(questions())}
    matcher = Matcher(queries)
    expected: dict[str, dict[int, object]] = {name: {} for name in queries}
    for number, document in enumerate(real.documents, start=1):
        for name, spans in matcher.match(document).items():
            expected[name][number] = spans
    wrong = {}
    for name, query in queries.items():
        hits = await find_hits(real.db, query, limit=EVERY)
        if [(hit.post.message_id, hit.spans) for hit in hits] != sorted(expected[name].items(), reverse=True):
            wrong[str(query.query)] = len(hits), len(expected[name])
    assert wrong == {}
    assert len(set(questions())) >= 300
    assert sum(map(bool, expected.values())) >= 200
    assert sum(map(len, expected.values())) >= 3_000


async def test_pages_of_any_size_bring_the_same_posts_as_one(real: RealPosts) -> None:
    dice = Random(2)  # noqa: S311 - a repeatable choice is wanted
    for question in dice.sample(questions(), 15):
        query = compiled(question)
        scope = Scope(channel_ids=(NEWS,))
        whole = await find_hits(real.db, query, limit=60, channel_ids=[NEWS])
        pages, before, more = [], None, True
        while more and len(pages) < 60:
            found = await find_newest(real.db, query, scope, limit=7, before=before, most=dice.choice((50, 500, 5000)))
            pages += found.hits
            before, more = found.before, found.before is not None
        assert pages[:60] == whole
