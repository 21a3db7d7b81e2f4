"""Hostile input: nothing crashes, the work stays in bounds, and whatever is found stands in the original text.

Work is counted in calls of functions, so that no test depends on how busy a machine is.
"""

from collections.abc import Callable
from cProfile import Profile

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.matching.engine.compiled import MOST_FORMS, Compiled, compile_query, necessary, verify
from bot.matching.explain.explain import explain
from bot.matching.explain.hints import MOST_HINTS, hints
from bot.matching.query.parser import LONGEST_QUERY, parse
from bot.matching.query.refusals import QueryError
from bot.matching.query.tree import Pattern, Query, walk
from bot.matching.words.tokens import analyse
from tests.matching.kit import INFLECTOR, compiled, posts, queries, slug

LONGEST_TEXT = 4096
LONG = LONGEST_QUERY // 4  # characters; what grows with the square of them shows at once

_PIECES = [
    "а",
    "а ",
    "a",
    "=А|",
    "отключить ",
    "сбой|банк ",
    " ~99 ",
    "/5",
    "/",
    "near/",
    "-",
    "- а\n",
    "1. а\n",
    "1️⃣",
    "«",
    "»",
    "“",
    '"',
    "'",
    "а'",
    "' ",
    "(",
    ")",
    "(а ",
    "*",
    "аааа*",
    "=",
    "&",
    "+",
    "а+",
    "ааа/",
    ",",
    "1,",
    "\n",
    "\n\n",
    " ",
    "\u00a0",
    "\u200b",
    "\u00ad",
    "#а",
    "@а",
    "#А_б",
    "a.",
    "a@",
    "a-",
    "http://",
    "www.",
    "re:/",
    "re:/а/ ",
    "re:/(а+)+$/",
    "\\",
    "[",
    "\u0301",
    "и\u0306",
    "\ud800",
    "שלום ",
    "\u202e",
    "🏳️‍🌈",
    "👨‍👩‍👧",
    "ａ",
    "𝐚",
    "İ",
    "ﷺ",
    "\x00",
    "\U000e0041",
]
# A piece over and over, and a few pieces mixed; sizes up to the limits of queries and posts.
_repeated = st.tuples(st.lists(st.sampled_from(_PIECES), min_size=1, max_size=4).map("".join), st.integers(1, 4000))
hostile = (_repeated.map(lambda pair: pair[0] * pair[1]) | st.lists(st.sampled_from(_PIECES)).map("".join)).map(
    lambda text: text[:LONGEST_QUERY]
)


def _read(source: str) -> Query | QueryError:
    try:
        return parse(source)
    except QueryError as refusal:
        return refusal


def _understood(source: str) -> Query | None:
    outcome = _read(source)
    if isinstance(outcome, Query):
        return outcome
    assert 1 <= outcome.position <= len(source) + 1
    assert str(outcome)
    return None


def _compiled(source: str) -> Compiled | None:
    query = _understood(source)
    try:
        return compile_query(query, INFLECTOR) if query else None
    except QueryError:  # too many forms
        return None


def _calls(work: Callable[[], object]) -> int:
    profile = Profile()
    profile.runcall(work)
    return sum(entry.callcount for entry in profile.getstats())


@settings(max_examples=60)
@given(hostile)
@example(" " * LONGEST_QUERY)
@example("1️⃣" * 2000)
@example("не " + "а." * 49)
@example("« " * 4000)
@example(" ~1 ".join("а" * 1500))
def test_hostile_queries_are_refused_or_kept_as_they_are(source: str) -> None:
    query = _understood(source)
    if query is not None:
        printed = str(query)
        assert len(printed) <= LONGEST_QUERY
        assert parse(printed) == query
        assert str(parse(printed)) == printed


@settings(max_examples=30)
@given(hostile)
def test_hostile_queries_compile_within_bounds(source: str) -> None:
    kept = _compiled(source)
    if kept is None:
        return
    assert sum(map(len, kept.forms.values())) <= MOST_FORMS
    assert Compiled.from_json(kept.to_json()) == kept
    necessary(kept)
    assert len(hints(kept.query, INFLECTOR)) <= MOST_HINTS


@settings(max_examples=60)
@given(hostile.map(lambda text: text[:LONGEST_TEXT]) | posts, queries)
def test_spans_stand_at_whole_tokens_of_the_original_text(text: str, source: str) -> None:
    spans = verify(compiled(source), analyse(text)) or ()
    edges = [edge for span in spans for edge in span]
    assert edges == sorted(set(edges))
    if any(isinstance(node, Pattern) for node in walk(compiled(source).query.root)):
        return  # expressions look at letters, not at tokens
    starts, ends = {start for start, _ in analyse(text).spans}, {end for _, end in analyse(text).spans}
    assert all(start in starts and end in ends for start, end in spans)


@settings(max_examples=30)
@given(hostile, hostile.map(lambda text: text[:LONGEST_TEXT]))
def test_hostile_queries_meet_hostile_texts(source: str, text: str) -> None:
    kept = _compiled(source)
    if kept is None:
        return
    document = analyse(text)
    assert (explain(kept, document).spans or None) == (verify(kept, document) or None)


@pytest.mark.parametrize(
    "source",
    [
        " ~99 ".join(["=а"] * 20),
        "(" * 18 + "=а" + " ~99 =а)" * 18,
        '"' + " ".join(["=а"] * 50) + '"~99',
        "|".join(f'"=а =а"~{gap}' for gap in range(1, 90)) + " ~99 =а",
        "(" + "|".join(f'"=а =а"~{gap}' for gap in range(1, 90)) + ") ~99 (" + '"=а =а =а"~9|' * 40 + "=а)",
        "|".join(["=А", "=А|=Б"] * 200) + " ~99 =а",
        ", ".join(['"=а =а =а"~9'] * 300),
        ", ".join(f"отк* ~{distance} бло*|а" for distance in range(1, 99)),
    ],
    ids=slug,
)
@pytest.mark.parametrize("text", ["а " * 512, "а\n\n" * 325, "А б " * 256], ids=slug)
def test_what_repeats_does_not_multiply(source: str, text: str) -> None:
    kept = compiled(source)
    document = analyse(text)
    assert _calls(lambda: verify(kept, document)) < 500_000


@pytest.mark.parametrize("piece", _PIECES, ids=ascii)
def test_reading_a_query_takes_a_few_calls_a_character(piece: str) -> None:
    source = (piece * LONG)[:LONG]
    assert _calls(lambda: _read(source)) < 150 * LONG  # a ligature may become 18 letters
