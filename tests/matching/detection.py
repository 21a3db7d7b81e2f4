"""Labelled posts and the built-in topics come in; how often the topics are right goes out, as raw counts."""

import argparse
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from rich.console import Console

from bot.matching.engine.matcher import Matcher
from bot.matching.topics import builtin_topics
from bot.matching.words.tokens import analyse
from tests.matching.kit import compiled

# Real posts lie beside the project, never in it; the labels that are ours name them by their ids.
SHARED = Path(__file__).parents[3] / "shared" / "data"
console = Console(highlight=False, markup=False, soft_wrap=True)
OURS = Path(__file__).parents[1] / "data"
HALVES = ("tune", "report")
# Of the posts drawn by active learning: those of the channels that may be tuned on, and those of the others.
DRAWN = ("dev", "held")
LANGUAGES = ("en", "ru", "uk")
LONG = 800  # characters, of a post that many words stand in by chance
# What one foreign label stands for.
FOREIGN = {"outage": frozenset({"outages", "shutdowns", "utilities"}), "sovereignty": frozenset({"sovereignty"})}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One post as people and as a topic see it."""

    id: str
    text: str
    truth: bool
    found: bool
    language: str | None = None  # of LANGUAGES, where it was noted


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Raw counts over many posts."""

    hits: int  # found, and rightly
    false: int  # found, and wrongly
    missed: int

    @property
    def precision(self) -> float:
        """The share of what was found that is right."""
        return self.hits / max(1, self.hits + self.false)

    @property
    def recall(self) -> float:
        """The share of what is right that was found."""
        return self.hits / max(1, self.hits + self.missed)

    def __str__(self) -> str:
        return f"P {self.precision:.2f} R {self.recall:.2f}  tp {self.hits} fp {self.false} fn {self.missed}"


def counts(judged: Iterable[Judged]) -> Counts:
    """Count hits, false finds and misses."""
    every = list(judged)
    return Counts(
        hits=sum(post.truth and post.found for post in every),
        false=sum(post.found and not post.truth for post in every),
        missed=sum(post.truth and not post.found for post in every),
    )


def half(post_id: str) -> str:
    """Return the half a post belongs to, for good."""
    return HALVES[int(sha256(post_id.encode()).hexdigest(), 16) % 2]


def ours(topic: str, part: str) -> list[Judged]:
    """Judge a topic on one half of our labels; posts whose label is unsure are left out."""
    return _judged(topic, (row for row in _rows("labels.jsonl") if half(row["id"]) == part))


def drawn(topic: str, part: str) -> list[Judged]:
    """Judge a topic on the posts that were drawn by active learning, of one part of the channels."""
    return _judged(topic, _rows(f"labels_{part}.jsonl"))


def _judged(topic: str, rows: Iterable[Mapping[str, Any]]) -> list[Judged]:
    texts = real_posts()
    return [
        Judged(
            id=row["id"],
            text=texts[row["id"]],
            truth=topic in row["topics"],
            found=topic in _found(texts[row["id"]]),
            language=row.get("language"),
        )
        for row in rows
        if topic not in row.get("unsure", ())
    ]


def _rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (OURS / name).read_text(encoding="utf-8").splitlines()]


def written(topic: str, part: str) -> list[Judged]:
    """Judge a topic on the posts that were written to try it."""
    return [
        Judged(
            id=f"written {number}", text=row["text"], truth=topic in row["topics"], found=topic in _found(row["text"])
        )
        for number, row in enumerate(_rows("written.jsonl"), start=1)
        if row["half"] == part
    ]


def foreign(label: str) -> list[Judged]:
    """Judge the topics that a label of `labelled.jsonl` stands for."""
    rows = [json.loads(line) for line in (SHARED / "labelled.jsonl").read_text(encoding="utf-8").splitlines()]
    return [
        Judged(
            id=f"line {number}",
            text=row["text"],
            truth=bool(row["labels"][label]),
            found=bool(_found(row["text"]) & FOREIGN[label]),
        )
        for number, row in enumerate(rows, start=1)
        if label in row["labels"]
    ]


@cache
def real_posts() -> Mapping[str, str]:
    """Return the texts of the real posts by their ids."""
    rows = map(json.loads, (SHARED / "posts.jsonl").read_text(encoding="utf-8").splitlines())
    return {f"{row['channel']}/{row['id']}": row["text"] for row in rows}


@cache
def _matcher() -> Matcher:
    return Matcher({topic.name: compiled(topic.query) for topic in builtin_topics()})


@cache
def _found(text: str) -> frozenset[str]:
    return frozenset(_matcher().match(analyse(text)))


def main() -> None:
    """Print the counts of each topic."""
    parser = argparse.ArgumentParser(prog="python -m tests.matching.detection", description=__doc__)
    parser.add_argument(
        "--errors", action="store_true", help="show the posts that may be tuned on and are judged wrongly"
    )
    wanted = parser.parse_args()
    if SHARED.exists():
        _print_real()
    else:
        console.print(f"the real posts are skipped, they are not here: {SHARED}")
    for part in HALVES:
        for topic in builtin_topics():
            console.print(f"written {part:6} {topic.name:12} {counts(written(topic.name, part))}")
    if wanted.errors:
        _print_errors()


def _print_real() -> None:
    for label in FOREIGN:
        console.print(f"labelled.jsonl {label:12} {counts(foreign(label))}")
    for part in HALVES:
        for topic in builtin_topics():
            console.print(f"real {part:9} {topic.name:12} {counts(ours(topic.name, part))}")
        console.print(f"real {part:9} {'any outage':12} {counts(_any_of(FOREIGN['outage'], part))}")
    for part in DRAWN:
        if (OURS / f"labels_{part}.jsonl").exists():
            for topic in builtin_topics():
                _print_drawn(f"drawn {part:8} {topic.name:12}", drawn(topic.name, part))


def _print_drawn(title: str, posts: list[Judged]) -> None:
    console.print(f"{title} {counts(posts)}")
    for language in LANGUAGES:
        told = [post for post in posts if post.language == language]
        if told:
            console.print(f"{title} {counts(told)}  {language}")
    console.print(f"{title} {counts(post for post in posts if len(post.text) > LONG)}  over {LONG} characters")


def _any_of(topics: Iterable[str], part: str) -> list[Judged]:
    """Judge several topics as one, on the posts that are sure for all of them."""
    lists = [{post.id: post for post in ours(topic, part)} for topic in topics]
    shared = set.intersection(*(set(posts) for posts in lists))
    return [
        Judged(
            id=post_id,
            text=lists[0][post_id].text,
            truth=any(posts[post_id].truth for posts in lists),
            found=any(posts[post_id].found for posts in lists),
        )
        for post_id in sorted(shared)
    ]


def _print_errors() -> None:
    for topic in builtin_topics():
        real = [*ours(topic.name, "tune"), *drawn(topic.name, "dev")] if SHARED.exists() else []
        for post in (*real, *written(topic.name, "tune")):
            if post.truth != post.found:
                kind = "missed" if post.truth else "false"
                console.print(f"\n{topic.name} {kind} {post.id}\n{post.text[:600]}")


if __name__ == "__main__":
    main()
