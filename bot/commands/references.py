"""What people paste after /follow comes in; the channels that it names go out, and what nobody could understand."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.store.channels import normalise_reference

_EXPLICIT = re.compile(r"^(@|https?://|tg:|\+|-100\d)|\bt(elegram)?\.(me|dog)/|\bweb\.telegram\.org/", re.IGNORECASE)
_TRIM = ".,;:!?()[]<>«»\"'•–—*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pasted:
    """What a pasted list names."""

    references: tuple[str, ...]  # canonical, in order, each once
    unclear: tuple[str, ...]  # as typed


def read_list(text: str, links: Iterable[str] = (), *, explicit_only: bool = False) -> Pasted:
    """Read channels from a text of one or many lines, and from links hidden behind its words.

    In a line with an @name or a link, the other words are a title or a comment; a line without one is a list of bare
    names, which must all be understood; with `explicit_only` it is talk, and names nothing.
    """
    found: dict[str, None] = {}
    unclear: list[str] = []
    hidden = [reference for link in links if (reference := normalise_reference(link))]
    for line in text.splitlines():
        words = [word for part in re.split(r"[\s,;]+", line) if (word := part.rstrip(_TRIM).lstrip(_TRIM))]
        explicit = [word for word in words if _EXPLICIT.search(word)]
        named = {word: normalise_reference(word) for word in explicit or ([] if explicit_only else words)}
        sure = explicit or all(named.values())
        found |= {reference: None for reference in named.values() if reference and sure}
        if explicit or not hidden:
            unclear += [word for word, reference in named.items() if not (reference and sure)]
    return Pasted(references=tuple(found | dict.fromkeys(hidden)), unclear=tuple(unclear))
