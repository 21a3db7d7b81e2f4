"""The best first: a query and a scope come in, its hits go out ordered by how much of the query they hold.

SQLite's own bm25 would have to read every post with any of the words again, since the index keeps neither their places
nor the lengths of posts (measured: 140 ms where 474 posts match), and it takes each form for a rarity of its own.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from bot.matching.engine.compiled import Compiled
from bot.matching.words.tokens import analyse
from bot.search.scope import Scope
from bot.search.searcher import Found, Hit, look
from bot.store.database import Reader
from bot.store.rows import date_of

MOST_RANKED = 500  # hits, the newest ones
_MOST_ROWS = 50_000  # versions looked at for them
_SHORT = 100  # characters added to each length, so that a post of one word is not the best of all


async def look_for_best(  # noqa: PLR0913 - a question, where it is asked, and which page of the answer is wanted
    db: Reader, query: Compiled, scope: Scope, *, limit: int, skip: int = 0, before: int | None = None
) -> Found:
    """Rank the newest 500 hits; return `limit` of them after the first `skip`.

    More different words of the query come first, then more of them for the length of the post, then the newer one.
    The `before` of what is found begins the same ranking again however many posts have come meanwhile: it is to be
    handed over with a greater `skip`. It is None after the last page. Where there may be older hits, `reached` tells
    how far back those go that were ranked.
    """
    found = await look(db, query, scope, limit=MOST_RANKED, before=before, most=_MOST_ROWS)
    if not found.hits:
        return replace(found, before=None)
    start = found.hits[0].post.version_id + 1 if before is None else before
    ranked = await asyncio.to_thread(_ranked, query, found.hits)
    end = skip + limit
    return Found(
        hits=tuple(ranked[skip:end]),
        looked=found.looked,
        ranked=len(ranked),
        before=start if end < len(ranked) else None,
        reached=None if found.before is None else date_of(found.before),
    )


def _ranked(query: Compiled, hits: Sequence[Hit]) -> list[Hit]:
    words = {form: word for word, forms in query.forms.items() for form in forms}

    def worth(hit: Hit) -> tuple[int, float, int]:
        text = hit.post.whole
        marked = "\n".join(text[start:end] for start, end in hit.spans)
        different = {words.get(token, token).lstrip('"') for token in analyse(marked).tokens}
        return len(different), len(marked) / (len(text) + _SHORT), hit.post.version_id

    return sorted(hits, key=worth, reverse=True)
