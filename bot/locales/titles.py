"""The name of a topic comes in; the title that people read goes out."""

from bot.locales import N_, Translator

BUILTIN_TITLES = {  # short: they stand in the first line of an alert
    "outages": N_("Outages"),
    "shutdowns": N_("Internet shutdowns"),
    "utilities": N_("Power, water, heating"),
    "sovereignty": N_("Digital sovereignty"),
    "blocking": N_("Blocked services"),
}


def topic_title(name: str, translator: Translator) -> str:
    """Translate the title of a built-in topic; a topic made in chat is called by its name."""
    title = BUILTIN_TITLES.get(name)
    return name if title is None else translator.gettext(title)
