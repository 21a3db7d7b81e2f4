"""Pairs of posts of our own, each all but word for word the other: other news, and the same in another dress."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence

import pytest

from bot.matching.similarity.compare import say_the_same
from bot.matching.similarity.features import Features
from tests.matching.detection import OURS

Pair = Mapping[str, str]  # the posts `a` and `b`, the `label` same or other, and of what `kind` their difference is
FEWEST = 60  # pairs of a label


@pytest.fixture(scope="module")
def pairs() -> Mapping[str, Sequence[Pair]]:
    found = defaultdict[str, list[Pair]](list)
    for line in (OURS / "lookalikes.jsonl").read_text(encoding="utf-8").splitlines():
        pair = json.loads(line)
        found[pair["label"]].append(pair)
    return found


def joined(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs that say the same, whichever of their posts comes first."""
    return [pair for pair in pairs if any(say_the_same(*order) for order in (both(pair), both(pair)[::-1]))]


def both(pair: Pair) -> tuple[Features, Features]:
    return Features(pair["a"]), Features(pair["b"])


def test_of_a_hundred_posts_that_tell_other_news_in_the_same_words_three_at_most_join(
    pairs: Mapping[str, Sequence[Pair]],
) -> None:
    others = pairs["other"]
    assert len(others) >= FEWEST
    wrong = joined(others)
    assert len(wrong) <= 0.03 * len(others), wrong


def test_of_a_hundred_reposts_in_another_dress_eighty_at_least_join(pairs: Mapping[str, Sequence[Pair]]) -> None:
    same = pairs["same"]
    assert len(same) >= FEWEST
    assert len(joined(same)) >= 0.8 * len(same)
