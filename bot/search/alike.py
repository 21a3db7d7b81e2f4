"""Stored posts that say the same as another one, or tell of the same event; for a process of the `SearchPool`.

The full-text index proposes what shares two of its longest words, the share of common words drops most of that, and the
comparison by which alerts are joined decides.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations

from bot.matching.similarity.compare import say_the_same
from bot.matching.similarity.features import Features, features
from bot.matching.similarity.novelty import common_words
from bot.matching.similarity.words import FILLERS
from bot.models import PostKey, StoredPost
from bot.search.deadline import Deadline
from bot.store import fulltext, posts
from bot.store.database import Reader
from bot.store.fulltext import Scope
from bot.store.rows import date_of

WITHIN = timedelta(days=3)  # of a post, in which it is passed on
_KEYS = 7  # longest words, of which two have to be shared
_SHORTEST = 4  # letters of such a word
_SHARED = 0.3  # of the words of the shorter of two posts, at least, before they are compared
_ONE_EVENT = 0.4  # of their content words, from which on one is more of the other
_AT_ONCE, _COMPARED_AT_ONCE = 400, 50  # versions
_MOST_COMPARED = 600  # posts, the newest


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """The posts that are like another."""

    posts: tuple[StoredPost, ...]
    reached: datetime | None = None  # how far back the search came, where it stopped early


async def find_spread(db: Reader, post: StoredPost, scope: Scope, *, deadline: Deadline | None = None) -> Alike:
    """Find the posts that say the same within three days, or did before an edit, and the post itself, the oldest first.

    What the post said at first counts as well as what it says now.
    """
    versions = await posts.versions(db, post.channel_id, post.message_id)
    said = [features(each) for each in {wording(post), *map(wording, versions[:1])}]
    forwards: list[StoredPost] = []

    def is_same(other: StoredPost) -> bool:
        forwards.extend([other] if other.forward is not None else [])
        if _origin(other) == _origin(post) or _key(other) == _key(post):
            return True
        theirs, apart = features(wording(other)), abs(other.date - post.date)
        pairs = [(theirs, own) if other.date < post.date else (own, theirs) for own in said]
        return any(one.tokens == two.tokens or say_the_same(one, two, apart=apart) for one, two in pairs)

    between = Scope(hidden=scope.hidden, since=post.date - WITHIN, until=post.date + WITHIN)
    found, reached, deadline = dict[PostKey, StoredPost](), None, deadline or Deadline()
    for own in said:
        more, end = await _find(db, own, between, is_same, deadline)
        found, reached = found | more, max(filter(None, (reached, end)), default=None)
    found.setdefault(_key(post), post)
    origins = {_origin(each) for each in found.values()}
    found |= {_key(each): each for each in forwards if _origin(each) in origins}  # whatever is left of the words
    return Alike(posts=tuple(sorted(found.values(), key=lambda each: (each.date, each.id))), reached=reached)


async def find_like(  # noqa: PLR0913 - a text, and how much of an answer is wanted
    db: Reader,
    text: str,
    scope: Scope,
    *,
    limit: int,
    but: PostKey | None = None,
    deadline: Deadline | None = None,
) -> Alike:
    """Find the posts that share most of the content words of a text, the most alike first, among the newest ones.

    `but` is the post that says the text.
    """

    def is_like(other: StoredPost) -> bool:
        return other.is_current and _key(other) != but and common_words(text, wording(other)) >= _ONE_EVENT

    found, reached = await _find(db, features(text), scope, is_like, deadline or Deadline())
    best = sorted(found.values(), key=lambda each: (common_words(text, wording(each)), each.id), reverse=True)
    return Alike(posts=tuple(best[:limit]), reached=reached)


async def _find(
    db: Reader, own: Features, scope: Scope, is_wanted: Callable[[StoredPost], bool], deadline: Deadline
) -> tuple[dict[tuple[int, str], StoredPost], datetime | None]:
    """Return the wanted candidates by channel and post, and the date where the search stopped."""
    found: dict[tuple[int, str], StoredPost] = {}
    compared = 0
    async for version_ids, last in _candidates(db, own, scope):
        for start in range(0, len(version_ids), _COMPARED_AT_ONCE):
            for post in await posts.of_versions(db, version_ids[start : start + _COMPARED_AT_ONCE]):
                if deadline.is_over() or compared == _MOST_COMPARED:
                    return found, date_of(post.version_id)
                compared += 1
                if is_wanted(post):
                    found[_key(post)] = post
        if deadline.is_over():
            return found, date_of(last)
    return found, None


async def _candidates(db: Reader, own: Features, scope: Scope) -> AsyncIterator[tuple[list[int], int]]:
    """Yield the versions of each page that share enough words, newest first, and the last version of the page."""
    words = set(own.document.tokens)
    long = {word for word in own.words if len(word) >= _SHORTEST and word.isalnum() and word not in FILLERS} & words
    keys = sorted(long, key=lambda word: (-len(word), word))[:_KEYS]
    pairs = [f'("{one}" AND "{other}")' for one, other in combinations(keys, 2)] or [f'"{key}"' for key in keys]
    before = None
    while pairs:
        page = await fulltext.candidate_versions(
            db,
            " OR ".join(pairs),
            scope,
            limit=_AT_ONCE,
            with_text=False,
            before=before,
        )
        if page:
            yield [each.version_id for each in page if _share(words, each.words) >= _SHARED], page[-1].version_id
        if len(page) < _AT_ONCE:
            return
        before = page[-1].version_id


def _share(words: set[str], indexed: str) -> float:
    others = set(indexed.split()[1:])
    return len(words & others) / max(1, min(len(words), len(others)))


def wording(post: StoredPost) -> str:
    """Return what of a post is compared with others."""
    return post.text if post.text.strip() else post.whole


def _key(post: StoredPost) -> tuple[int, str]:
    return post.channel_id, post.key


def _origin(post: StoredPost) -> tuple[int, int]:
    forward = post.forward
    if forward is None or forward.channel_id is None or forward.message_id is None:
        return post.channel_id, post.message_id
    return forward.channel_id, forward.message_id
