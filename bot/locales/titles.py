"""The name of a topic, or of what stands beside a post, comes in; the title that people read goes out."""

from collections.abc import Iterable, Sequence

from bot.locales import N_, Translator
from bot.parts import Aside, AsideKind, in_both, worded

Said = tuple[str, Sequence[Aside]]  # a text and what stands beside it

BUILTIN_TITLES = {  # short: they stand in the first line of an alert
    "outages": N_("Outages"),
    "shutdowns": N_("Internet shutdowns"),
    "utilities": N_("Power, water, heating"),
    "sovereignty": N_("Digital sovereignty"),
    "blocking": N_("Blocked services"),
}
ASIDE_TITLES = {
    AsideKind.POLL: N_("Poll"),
    AsideKind.TO_DO: N_("To-do list"),
    AsideKind.PREVIEW: N_("Link preview"),
    AsideKind.QUOTE: N_("Quote"),
    AsideKind.FILE: N_("File"),
    AsideKind.AUDIO: N_("Audio"),
    AsideKind.PLACE: N_("Place"),
    AsideKind.CONTACT: N_("Contact"),
    AsideKind.INVOICE: N_("Invoice"),
    AsideKind.GAME: N_("Game"),
    AsideKind.GIVEAWAY: N_("Giveaway"),
    AsideKind.STORY: N_("Story"),
    AsideKind.BUTTON: N_("Button"),
    AsideKind.NOTE: N_("Fact check"),
}


def topic_title(name: str, translator: Translator) -> str:
    """Translate the title of a built-in topic; a topic made in chat is called by its name."""
    title = BUILTIN_TITLES.get(name)
    return name if title is None else translator.gettext(title)


def aside_title(kind: AsideKind, translator: Translator) -> str:
    """Say in a word where beside a post a text stands."""
    return translator.gettext(ASIDE_TITLES[kind])


def in_full(text: str, asides: Iterable[Aside], translator: Translator) -> str:
    """Write a post's text and, each on a line of its own, what stands beside it."""
    lines = (f"{aside_title(aside.kind, translator)}: {aside.text}" for aside in asides)
    return "\n".join(filter(str.strip, (text, *lines)))


def comparable(before: Said, after: Said, translator: Translator) -> tuple[str, str]:
    """Write two wordings so that their difference shows; what stands beside them only where its words have changed.

    What is missing beside another text may still load; beside the same text it was removed.
    """
    old = worded(before[1]) if before[0] == after[0] else in_both(before[1], after[1])
    new = in_both(after[1], before[1])
    if sorted(old) == sorted(new):
        return before[0], after[0]
    return in_full(before[0], old, translator), in_full(after[0], new, translator)


def written_by(author: str, title: str, t: Translator) -> str:
    """Say who wrote a post of the channel of this title, by the name that was seen; empty where nobody was named.

    Anonymous admins of a supergroup bear its name. That says nothing more: any member can call themselves so, too.
    """
    return "" if author in {"", title} else t.gettext("by {name}").format(name=author)
