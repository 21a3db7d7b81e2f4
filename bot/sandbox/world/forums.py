"""What comes in is a message for a forum, and verbs that close its topics; what goes out: where it stands, or no."""

from collections.abc import Mapping
from dataclasses import replace

from bot.sandbox.world.messages import Draft, Message
from bot.sandbox.world.refused import Refused

GENERAL = 1  # the topic that every forum has; its messages name none


class Forum:
    """The topics of a supergroup, by the number of the service message that opened each."""

    def __init__(self) -> None:
        self.topics: dict[int, str] = {GENERAL: "General"}  # titles
        self.closed: set[int] = set()  # only those who may manage topics write there
        self.deleted: set[int] = set()

    @property
    def open(self) -> bool:
        """Whether the supergroup is a forum: somebody has opened a topic."""
        return len(self.topics) + len(self.deleted) > 1

    def placed(self, draft: Draft, kept: Mapping[int, Message], *, manages: bool) -> Draft:
        """Return a draft that names its topic, and what it answers only where that is more than the topic itself.

        Raises Refused where the topic is closed to the sender or gone.
        """
        topic, reply_to = draft.topic, draft.reply_to
        if reply_to in self.topics or reply_to in self.deleted:
            topic, reply_to = reply_to, None
        elif reply_to is not None and reply_to in kept:
            topic = kept[reply_to].topic
        if topic in self.deleted:
            raise Refused("TOPIC_DELETED")
        if (topic or GENERAL) not in self.topics:
            raise Refused("REPLY_MESSAGE_ID_INVALID")
        if (topic or GENERAL) in self.closed and not manages:
            raise Refused("TOPIC_CLOSED")
        return replace(draft, topic=None if topic == GENERAL else topic, reply_to=reply_to)
