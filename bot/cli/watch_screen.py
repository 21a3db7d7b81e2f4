"""What `watch` shows: lines, and on a terminal one line of state below them."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import wraps
from typing import Concatenate, ParamSpec

from rich.text import Text

from bot.cli import console
from bot.cli.output import plain, print_post
from bot.cli.trial import FirstLook, TrialState
from bot.errors import ChannelwatchError, TargetError, Verdict
from bot.locales import translator
from bot.locales.locale import topic_title
from bot.matching.engine.compiled import Compiled
from bot.models import Clock
from bot.models.targets import TargetMessage
from bot.rendering.post_text import excerpt_post
from bot.targets.address import Address
from bot.text.formatted import FormattedText

P = ParamSpec("P")

_STYLES = {
    "bold": "bold",
    "italic": "italic",
    "code": "cyan",
    "pre": "cyan",
    "strike": "strike",
    "text_url": "underline",
}
_FUTURES = {Verdict.RETRY: "it is tried again", Verdict.SUSPEND: "nothing more is sent there"}


def _while_read(
    show: Callable[Concatenate["WatchScreen", P], None],
) -> Callable[Concatenate["WatchScreen", P], None]:
    """Let a method that prints end the watch where whoever reads the output, such as `head`, has enough."""

    @wraps(show)
    def shown(screen: "WatchScreen", /, *args: P.args, **how: P.kwargs) -> None:
        try:
            show(screen, *args, **how)
        except SystemExit:  # how rich says it, which would leave the event loop as it is
            screen.is_unread = True
            screen.stop.set()

    return shown


@dataclass(slots=True)
class WatchScreen:
    """What the terminal shows: lines, and below them one line of state."""

    queries: Mapping[str, Compiled]
    clock: Clock
    stop: asyncio.Event  # set once nobody reads what is printed
    is_unread: bool = False
    alerts: int = 0
    failing: set[str] = field(default_factory=set)  # services that did not take the last message
    titles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Name the topics as people know them."""
        english = translator("en")
        self.titles = [topic_title(name, english) for name in self.queries]

    @_while_read
    def show_look(self, look: FirstLook, *, asked: str, is_known: bool) -> None:
        """Print what was understood of a channel, and what its last posts would have brought."""
        if look.username.lower() != asked:
            console.print(f"@{asked} is called @{look.username} now.", soft_wrap=True)
        if is_known:
            return
        newest = "none yet" if look.newest is None else f"{look.newest:%Y-%m-%d %H:%M} UTC"
        line = Text.assemble(
            (plain(look.title), "bold"), f" (@{look.username}): {look.posts} posts read, newest {newest}"
        )
        if look.unreadable:
            line.append(f"; {look.unreadable} can only be read in Telegram itself", "yellow")
        console.print(line, soft_wrap=True)
        for match in look.matches:
            topics = ", ".join(topic_title(name, translator("en")) for name in match.topics)
            excerpt = excerpt_post(match.post.text, match.post.parts, match.spans, translator("en"))
            print_post(match.post, *excerpt, reason=f"earlier, no alarm: {topics}", brackets=True)

    @_while_read
    def show_refusal(self, error: ChannelwatchError) -> None:
        """Print why a channel is not watched."""
        console.print(Text(plain(str(error)), "red"), soft_wrap=True)

    @_while_read
    def show_target(self, address: Address) -> None:
        """Print where alerts go as well, and the secret with which one can verify them where it was made just now."""
        signed = "" if address.made_secret is None else f", signed with {address.made_secret.get_secret_value()}"
        console.print(f"Each alert goes to {address.service} as well{signed}.", soft_wrap=True)

    @_while_read
    def show_alert(self, message: TargetMessage) -> None:
        """Print an alert as a chat would show it, with the link to its post."""
        self.alerts += message.kind == "alert"
        if console.is_terminal:
            console.bell()
        console.print(Text(f"── {self.clock():%H:%M:%S} UTC ──", "bold red"))
        console.print(_styled(message), soft_wrap=not console.is_terminal)
        if message.post is not None:
            console.print(message.post.link, soft_wrap=True)

    @_while_read
    def show_failure(self, service: str, error: TargetError) -> None:
        """Print once that a service takes nothing."""
        if service not in self.failing:
            line = f"{service} did not take an alert ({error.error}): {_FUTURES.get(error.verdict, 'this one is lost')}"
            console.print(Text(plain(line), "red"), soft_wrap=True)
        self.failing.add(service)

    @_while_read
    def show_clock(self, error: timedelta) -> None:
        """Print that this machine's clock is wrong."""
        seconds, word = abs(error).total_seconds(), "behind" if error > timedelta() else "ahead"
        line = f"This machine's clock is {seconds:.0f} s {word}; Telegram's time is used. Set it by NTP."
        console.print(Text(line, "yellow"), soft_wrap=True)

    def state_line(self, state: TrialState, *, waiting: int) -> Text:
        """Return the one line of state; so many channels could not be read yet."""
        now = self.clock()
        what = f"{state.channels} channels" if state.channels != 1 else "1 channel"
        seen = "not read yet" if state.read_at is None else f"last read {state.read_at:%H:%M:%S} UTC"
        if waiting:
            what += f", {waiting} not readable yet"
        parts = [f"Watching {what} (Ctrl-C ends)", f"{state.posts} posts", f"{self.alerts} alerts", seen]
        if state.retry_at is not None and state.retry_at > now:
            parts.append(f"waiting until {state.retry_at:%H:%M:%S}: {state.trouble}")
        return Text(plain(" · ".join([*parts, f"looking for {', '.join(self.titles)}"])), "dim")

    @_while_read
    def say_end(self) -> None:
        """Print how it ended."""
        alerts = "1 alert" if self.alerts == 1 else f"{self.alerts} alerts"
        line = f"Stopped after {alerts}; nothing is left behind. To keep an archive: channelwatch run"
        console.print(line, soft_wrap=True)


def _styled(message: TargetMessage) -> Text:
    outgoing = message.outgoing
    shown = FormattedText.read(outgoing.text, outgoing.entities, kinds=frozenset(_STYLES))
    text = Text(plain(shown.text))
    for style in shown.styles:
        text.stylize("bold reverse" if style.is_match else _STYLES[style.kind], style.start, style.end)
    return text
