"""The titles of built-in topics and of the parts of a post, in the language of a chat."""

from bot.locales import N_, Translator
from bot.parts import PartKind

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
    """Return the title of a built-in topic; a topic made in a chat is called by its name."""
    title = BUILTIN_TITLES.get(name)
    return name if title is None else translator.gettext(title)


def part_title(kind: PartKind, translator: Translator) -> str:
    """Return what a part is, in a word or two: «Link preview»."""
    return translator.gettext(PART_TITLES[kind])
