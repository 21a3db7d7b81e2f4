"""Labelled pairs of posts come in; how often their joining is right goes out, as raw counts."""

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from bot.matching.similarity.compare import SHARE, SHARE_SOON, is_other_news, jaccard
from bot.matching.similarity.features import Features
from bot.matching.similarity.index import SimilarityIndex
from bot.models import ComparedPost
from bot.pipeline.decisions.grouping import DUPLICATE_WITHIN
from tests.matching.detection import HALVES, OURS, SHARED, Counts, Judged, console, counts, half, real_posts

SHARES = (0.20, 0.25, 0.30, 0.35, 0.40, 0.50)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two posts, and what a reader says of them."""

    a: str  # id of the earlier one: channel/number
    b: str
    label: str  # same, other or unsure

    @property
    def id(self) -> str:
        """What decides on its half."""
        return f"{self.a} {self.b}"

    @property
    def is_across(self) -> bool:
        """Whether the posts are of two channels; within one, only what is word for word the same joins."""
        return self.a.rpartition("/")[0] != self.b.rpartition("/")[0]


def pairs() -> list[Pair]:
    """Read the labels."""
    return [Pair(**json.loads(line)) for line in (OURS / "reposts.jsonl").read_text(encoding="utf-8").splitlines()]


def judged(pair: Pair) -> Judged:
    """Judge a pair as the service does, for which the earlier post is the only one that was told."""
    memory = SimilarityIndex(within=DUPLICATE_WITHIN)
    memory.add(_said(pair.a))
    found = bool(memory.similar(_said(pair.b)))
    return Judged(id=pair.id, text=_text(pair), truth=pair.label == "same", found=found)


def by_share(pair: Pair, least: float, *, told_apart: bool) -> Judged:
    """Judge a pair by the share of common runs; where other news is `told_apart`, by that too."""
    one, other = wording(pair.a), wording(pair.b)
    found = pair.is_across and not (one.is_short or other.is_short) and jaccard(one.shingles, other.shingles) >= least
    found = found and not (told_apart and is_other_news(one, other))
    return Judged(id=pair.id, text=_text(pair), truth=pair.label == "same", found=found)


@cache
def wording(post_id: str) -> Features:
    """Read a post."""
    return Features(real_posts()[post_id])


def _said(post_id: str) -> ComparedPost:
    channel, _, number = post_id.rpartition("/")
    channel_id = sorted(_channels()).index(channel)
    return ComparedPost(
        channel_id=channel_id,
        post_key=f"m{number}",
        text=real_posts()[post_id],
        date=_dates()[post_id],
        origin=(channel_id, int(number)),
    )


@cache
def _channels() -> frozenset[str]:
    return frozenset(post_id.rpartition("/")[0] for post_id in real_posts())


@cache
def _dates() -> Mapping[str, datetime]:
    rows = map(json.loads, (SHARED / "posts.jsonl").read_text(encoding="utf-8").splitlines())
    return {f"{row['channel']}/{row['id']}": datetime.fromisoformat(row["date"]) for row in rows}


def _text(pair: Pair) -> str:
    return f"{pair.a}: {real_posts()[pair.a]}\n{pair.b}: {real_posts()[pair.b]}"


def sure() -> list[Pair]:
    """Return the pairs that count: those with a label that is sure."""
    return [pair for pair in pairs() if pair.label != "unsure"]


def measured(part: str | None = None) -> Counts:
    """Count over one half, or over both."""
    return counts(judged(pair) for pair in sure() if part is None or half(pair.id) == part)


def main() -> None:
    """Print the counts for some shares, and of what the service does."""
    parser = argparse.ArgumentParser(prog="python -m tests.matching.likeness", description=__doc__)
    parser.add_argument("--errors", action="store_true", help="show the pairs of the half «tune» judged wrongly")
    wanted = parser.parse_args()
    if not SHARED.exists():
        console.print(f"skipped, the real posts are not here: {SHARED}")
        return
    for part in HALVES:
        chosen = [pair for pair in sure() if half(pair.id) == part]
        for least in SHARES:
            bare = counts(by_share(pair, least, told_apart=False) for pair in chosen)
            both = counts(by_share(pair, least, told_apart=True) for pair in chosen)
            console.print(f"{part:6} share ≥ {least:.2f}  {bare}   other news told apart  {both}")
    for part in (*HALVES, None):
        console.print(f"{part or 'both':6} the service, {SHARE_SOON:.2f} soon, {SHARE:.2f} later  {measured(part)}")
    unsure = [judged(pair) for pair in pairs() if pair.label == "unsure"]
    console.print(f"unsure pairs that join: {sum(pair.found for pair in unsure)} of {len(unsure)}")
    if wanted.errors:
        _print_errors()


def _print_errors() -> None:
    for pair in (judged(pair) for pair in sure() if half(pair.id) == "tune"):
        if pair.truth != pair.found:
            console.print(f"\n{'missed' if pair.truth else 'false'}\n{pair.text[:1200]}")


if __name__ == "__main__":
    main()
