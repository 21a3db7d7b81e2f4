"""The commands as people see them: name, who may, what for. Telegram's menu, /help and suggestions are made from it."""

from dataclasses import dataclass
from difflib import get_close_matches

from bot.commands.context import Need
from bot.locales import N_, Translator


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command."""

    name: str  # without slash
    usage: str = ""  # what may follow it
    need: Need
    summary: str  # to be translated; Telegram's menu shows it
    reads_replied: bool = False  # wants the text of the message that it answers


MENU = (
    Command(name="topics", need=Need.LOOK, summary=N_("topics on and off, how each does, what is muted")),
    Command(name="track", usage=N_("NAME: words"), need=Need.CHAT, summary=N_("get alerts on a topic, or make one")),
    Command(name="untrack", usage=N_("NAME"), need=Need.CHAT, summary=N_("no more alerts on a topic")),
    Command(
        name="test",
        usage=N_("words"),
        need=Need.LOOK,
        summary=N_("try a query before it becomes a topic"),
        reads_replied=True,
    ),
    Command(
        name="explain",
        need=Need.LOOK,
        summary=N_("as a reply to an alert or a post: why it fits"),
        reads_replied=True,
    ),
    Command(name="search", usage=N_("words"), need=Need.LOOK, summary=N_("find stored posts")),
    Command(name="latest", usage=N_("@name"), need=Need.LOOK, summary=N_("the newest posts")),
    Command(name="post", usage=N_("link"), need=Need.LOOK, summary=N_("what a post says, said before, and when")),
    Command(name="channels", need=Need.LOOK, summary=N_("the channels I follow")),
    Command(name="follow", usage=N_("@name"), need=Need.INSTANCE, summary=N_("follow channels, one or a whole list")),
    Command(name="unfollow", usage=N_("@name"), need=Need.INSTANCE, summary=N_("stop following a channel")),
    Command(name="mute", usage=N_("@name 8h"), need=Need.CHAT, summary=N_("no alerts from a channel, or on a topic")),
    Command(name="unmute", usage=N_("@name"), need=Need.CHAT, summary=N_("end a mute")),
    Command(
        name="priority",
        usage=N_("NAME silent"),
        need=Need.CHAT,
        summary=N_("how alerts on a topic arrive: loud, silent …"),
    ),
    Command(name="quiet", usage="23:00-07:00", need=Need.CHAT, summary=N_("hours in which alerts wait")),
    Command(name="digest", usage=N_("daily 9:00"), need=Need.CHAT, summary=N_("when the digests of this chat come")),
    Command(name="storms", usage="10 5", need=Need.CHAT, summary=N_("when many alerts become one message")),
    Command(name="edits", need=Need.CHAT, summary=N_("which changes of posts I tell of")),
    Command(
        name="confirmations",
        usage="on",
        need=Need.CHAT,
        summary=N_("whether I ring when a second channel says the same"),
    ),
    Command(name="media", usage="on", need=Need.CHAT, summary=N_("whether photos and documents follow alerts")),
    Command(name="here", usage=N_("NAME"), need=Need.CHAT, summary=N_("in a thread: send alerts into it")),
    Command(name="status", need=Need.LOOK, summary=N_("what I watch and whether all is well")),
    Command(name="start", need=Need.LOOK, summary=N_("language, time zone and topics of this chat")),
    Command(name="language", usage="en", need=Need.CHAT, summary=N_("the language I speak here")),
    Command(name="receipt", usage="on", need=Need.CHAT, summary=N_("each day a silent note that nothing is missing")),
    Command(name="ping", need=Need.LOOK, summary=N_("send a test alert and time it")),
    Command(name="help", need=Need.LOOK, summary=N_("all commands, and how to write a query")),
)
HEADINGS = {  # of /help, over the command of this name
    "topics": N_("Topics"),
    "search": N_("Posts"),
    "channels": N_("Channels"),
    "mute": N_("How alerts arrive"),
    "status": N_("This chat"),
}
NAMES = tuple(command.name for command in MENU)
BY_NAME = {command.name: command for command in MENU}


def suggestion(typed: str) -> str | None:
    """Return the command that was probably meant; None where nothing is close."""
    return next(iter(get_close_matches(typed, NAMES, n=1, cutoff=0.6)), None)


def summaries(t: Translator) -> list[tuple[str, str]]:
    """Return name and translated summary of each command, for Telegram's menu."""
    return [(command.name, t.gettext(command.summary)) for command in MENU]
