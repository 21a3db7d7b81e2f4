"""Topics as switches, which several screens offer."""

from collections.abc import Collection, Sequence

from bot.locales import Translator
from bot.locales.locale import topic_title
from bot.models.outgoing import ButtonRows
from bot.store.topics import Topic
from bot.text.buttons import rows_of, switch
from bot.text.markup import one_line

MOST_SWITCHES = 60  # Telegram takes 100 buttons
TOPICS_PAGE = 20  # topics of one page of switches
_LONGEST_LABEL = 30  # UTF-16 units; phones cut longer ones in a row of two


def topic_rows(topics: Sequence[Topic], on: Collection[int], t: Translator, *, screen: str) -> ButtonRows:
    """Offer topics as switches; a tap asks for the state that is not shown, and for `screen` to be drawn again."""
    switches = []
    for topic in topics:
        is_on, title = topic.id in on, one_line(topic_title(topic.name, t), _LONGEST_LABEL)
        label = f"🔒 {title}" if topic.restricted else title
        switches.append(switch(label, "topic", topic.id, "off" if is_on else "on", screen, is_on=is_on))
    return rows_of(switches, 2)
