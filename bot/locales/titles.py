"""The name of a topic, or of what stands beside a post, comes in; the title that people read goes out."""

from collections.abc import Iterable, Sequence

from bot.locales import N_, Translator
from bot.parts import Part, PartKind, common_parts, worded_parts

Said = tuple[str, Sequence[Part]]  # a text and what stands beside it

BUILTIN_TITLES = {  # short: they stand in the first line of an alert
    "outages": N_("Outages"),
    "shutdowns": N_("Internet shutdowns"),
    "utilities": N_("Power, water, heating"),
    "sovereignty": N_("Digital sovereignty"),
    "blocking": N_("Blocked services"),
}
PART_TITLES = {
    PartKind.POLL: N_("Poll"),
    PartKind.TO_DO: N_("To-do list"),
    PartKind.PREVIEW: N_("Link preview"),
    PartKind.QUOTE: N_("Quote"),
    PartKind.FILE: N_("File"),
    PartKind.AUDIO: N_("Audio"),
    PartKind.PLACE: N_("Place"),
    PartKind.CONTACT: N_("Contact"),
    PartKind.INVOICE: N_("Invoice"),
    PartKind.GAME: N_("Game"),
    PartKind.GIVEAWAY: N_("Giveaway"),
    PartKind.STORY: N_("Story"),
    PartKind.BUTTON: N_("Button"),
    PartKind.NOTE: N_("Fact check"),
}


def topic_title(name: str, translator: Translator) -> str:
    """Translate the title of a built-in topic; a topic made in chat is called by its name."""
    title = BUILTIN_TITLES.get(name)
    return name if title is None else translator.gettext(title)


def part_title(kind: PartKind, translator: Translator) -> str:
    """Say in a word where beside a post a text stands."""
    return translator.gettext(PART_TITLES[kind])


def in_full(text: str, parts: Iterable[Part], translator: Translator) -> str:
    """Write a post's text and, each on a line of its own, what stands beside it."""
    lines = (f"{part_title(part.kind, translator)}: {part.text}" for part in parts)
    return "\n".join(filter(str.strip, (text, *lines)))


def comparable(before: Said, after: Said, translator: Translator) -> tuple[str, str]:
    """Write two wordings so that their difference shows; what stands beside them only where its words have changed.

    What is missing beside another text may still load; beside the same text it was removed.
    """
    old = worded_parts(before[1]) if before[0] == after[0] else common_parts(before[1], after[1])
    new = common_parts(after[1], before[1])
    if sorted(old) == sorted(new):
        return before[0], after[0]
    return in_full(before[0], old, translator), in_full(after[0], new, translator)


def written_by(author: str, title: str, t: Translator) -> str:
    """Say who wrote a post of the channel of this title, by the name that was seen; empty where nobody was named.

    Anonymous admins of a supergroup bear its name. That says nothing more: any member can call themselves so, too.
    """
    return "" if author in {"", title} else t.gettext("by {name}").format(name=author)
