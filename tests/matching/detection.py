"""Labelled posts and the built-in topics come in; how often the topics are right goes out, as raw counts.

Labels are rows of JSON: `id` of a real post or its `text`, and either `labels` with 1, 0 or "unsure" by topic, or the
`topics` it is on and those it is `unsure` for.
"""

import argparse
import json
import re
from collections.abc import Iterable, Iterator, Mapping
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
UNREAD = ("report", "held")  # whose posts are counted and never shown
TOPICS = tuple(topic.name for topic in builtin_topics())
LONG = 800  # characters; a longer post is a long one
GROUPS = ("ru", "uk", "en", "short", "long")
# What one foreign label stands for.
FOREIGN = {"outage": frozenset({"outages", "shutdowns", "utilities"}), "sovereignty": frozenset({"sovereignty"})}
_LATIN, _CYRILLIC = re.compile("[a-z]", re.IGNORECASE), re.compile("[а-яіїєґё]", re.IGNORECASE)
_UKRAINIAN, _RUSSIAN = re.compile("[іїєґ]", re.IGNORECASE), re.compile("[ыэъё]", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One post as people and as a topic see it."""

    id: str
    text: str
    truth: bool
    found: bool

    @property
    def groups(self) -> tuple[str, str]:
        """The language of the post, by its letters, and whether it is long."""
        return language(self.text), "long" if len(self.text) > LONG else "short"


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


def language(text: str) -> str:
    """Return "en", "uk" or "ru"."""
    if len(_LATIN.findall(text)) > len(_CYRILLIC.findall(text)):
        return "en"
    return "uk" if len(_UKRAINIAN.findall(text)) > len(_RUSSIAN.findall(text)) else "ru"


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
    return [post for post in labelled(OURS / "labels.jsonl", topic) if half(post.id) == part]


def written(topic: str, part: str) -> list[Judged]:
    """Judge a topic on the posts that were written to try it."""
    return [
        _judged(f"written {number}", row["text"], topic, truth=topic in row["topics"])
        for number, row in enumerate(_rows(OURS / "written.jsonl"), start=1)
        if row["half"] == part
    ]


def shapes(topic: str) -> list[Judged]:
    """Judge a topic on short posts of the shapes that news take; most of them have a label for one topic only."""
    return [
        _judged(f"shape {number}", row["text"], topic, truth=row["truth"] if "topic" in row else topic in row["topics"])
        for number, row in enumerate(_rows(OURS / "shapes.jsonl"), start=1)
        if row.get("topic", topic) == topic
    ]


def labelled(path: Path, topic: str, texts: Mapping[str, str] | None = None) -> list[Judged]:
    """Judge a topic on a file of labels; posts whose label is unsure are left out. Raises KeyError for a foreign id."""
    return [
        _judged(
            row.get("id", f"line {number}"),
            row.get("text") or (texts or {}).get(row["id"]) or real_posts()[row["id"]],
            topic,
            truth=label == 1,
        )
        for number, row in enumerate(_rows(path), start=1)
        if (label := _label(row, topic)) != "unsure"
    ]


def _label(row: Mapping[str, Any], topic: str) -> object:
    if "labels" in row:
        return row["labels"].get(topic, "unsure")
    return "unsure" if topic in row.get("unsure", ()) else int(topic in row["topics"])


def foreign(label: str) -> list[Judged]:
    """Judge the topics that a label of `labelled.jsonl` stands for."""
    return [
        Judged(
            id=f"line {number}",
            text=row["text"],
            truth=bool(row["labels"][label]),
            found=bool(_found(row["text"]) & FOREIGN[label]),
        )
        for number, row in enumerate(_rows(SHARED / "labelled.jsonl"), start=1)
        if label in row["labels"]
    ]


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    return map(json.loads, path.read_text(encoding="utf-8").splitlines())


def _judged(post_id: str, text: str, topic: str, *, truth: bool) -> Judged:
    return Judged(id=post_id, text=text, truth=truth, found=topic in _found(text))


@cache
def real_posts() -> Mapping[str, str]:
    """Return the texts of the real posts by their ids."""
    return {f"{row['channel']}/{row['id']}": row["text"] for row in _rows(SHARED / "posts.jsonl")}


@cache
def _matcher() -> Matcher:
    return Matcher({topic.name: compiled(topic.query) for topic in builtin_topics()})


@cache
def _found(text: str) -> frozenset[str]:
    return frozenset(_matcher().match(analyse(text)))


def main() -> None:
    """Print the counts of each topic."""
    parser = argparse.ArgumentParser(prog="python -m tests.matching.detection", description=__doc__)
    parser.add_argument("--labels", type=Path, nargs="+", metavar="FILE", help="report on these files of labels alone")
    parser.add_argument("--texts", type=Path, metavar="FILE", help="their posts, `id` and `text`, beside the real ones")
    parser.add_argument("--errors", action="store_true", help="show what is judged wrongly, but in reports")
    wanted = parser.parse_args()
    texts = {row["id"]: row["text"] for row in _rows(wanted.texts)} if wanted.texts else None
    for title, posts in _labels(wanted.labels, texts) if wanted.labels else _sets():
        for topic, judged in posts.items():
            _print_counts(f"{title:14} {topic:12}", judged)
            if wanted.errors and not title.endswith(UNREAD):
                _print_errors(topic, judged)


def _labels(files: Iterable[Path], texts: Mapping[str, str] | None) -> Iterator[tuple[str, dict[str, list[Judged]]]]:
    """Yield files of labels with their names, judged by topic."""
    for path in files:
        yield path.stem, {topic: labelled(path, topic, texts) for topic in TOPICS}


def _sets() -> Iterator[tuple[str, dict[str, list[Judged]]]]:
    """Yield sets of posts with their titles, judged by topic."""
    if SHARED.exists():
        yield "labelled.jsonl", {label: foreign(label) for label in FOREIGN}
        for part in HALVES:
            yield f"real {part}", {topic: ours(topic, part) for topic in TOPICS}
        for part in DRAWN:
            path = OURS / f"labels_{part}.jsonl"
            if path.exists():
                yield f"drawn {part}", {topic: labelled(path, topic) for topic in TOPICS}
    else:
        console.print(f"the real posts are skipped, they are not here: {SHARED}")
    for part in (*HALVES, "wide"):
        yield f"written {part}", {topic: written(topic, part) for topic in TOPICS}
    yield "shapes", {topic: shapes(topic) for topic in TOPICS}


def _print_counts(title: str, judged: list[Judged]) -> None:
    groups = {name: counts([post for post in judged if name in post.groups]) for name in GROUPS}
    shares = (f"{name} {each.hits}/{each.false}/{each.missed}" for name, each in groups.items())
    console.print(f"{title} {counts(judged)!s:42} {'  '.join(shares)}")


def _print_errors(topic: str, judged: list[Judged]) -> None:
    for post in judged:
        if post.truth != post.found:
            console.print(f"\n{topic} {'missed' if post.truth else 'false'} {post.id}\n{post.text[:600]}")


if __name__ == "__main__":
    main()
