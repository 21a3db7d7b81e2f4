"""What goes wrong with the pages, on demand: each verb of a rule adds one, `clear` removes all.

`name` is the username that a request is about; without one, a rule strikes them all. `times` is how often it strikes,
None for always. Of the rules that fit a request, the oldest that is left strikes.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.sandbox.faults import Hold
from bot.sandbox.pages.frame import contact
from bot.sandbox.world.channels import Channel
from bot.sandbox.world.messages import Message

_CHALLENGE = "<html><head><script>document.cookie='ok=1';location.reload()</script></head></html>"


class Answer(NamedTuple):
    """What the server answers."""

    status: int
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()


class Request(NamedTuple):
    """A request, and what can be answered."""

    name: str
    make: Callable[[], Answer]  # the page as it is now
    last: Answer | None  # the page that was given for the same address before


@dataclass(slots=True, kw_only=True, eq=False)
class _Rule:
    kind: str
    answer: Callable[[Request], Answer | None]  # None: the connection is reset
    name: str | None
    left: int | None


@dataclass(slots=True, eq=False)
class PageFaults:
    """All faults asked for."""

    gzip: bool = True  # whether pages are compressed for those who accept it
    lag_s: float = 0.0  # how long a new post is not listed
    struck: Counter[str] = field(default_factory=Counter)  # how often each kind of rule has struck
    aliases: dict[str, Channel] = field(default_factory=dict)  # lower-case name → a channel with another username
    _rules: list[_Rule] = field(default_factory=list)
    _holds: list[tuple[str | None, Hold]] = field(default_factory=list)
    _closed: set[int] = field(default_factory=set)  # ids of channels whose posts no page shows
    _hidden: set[tuple[int, int]] = field(default_factory=set)  # posts, by the marked id of their chat
    _unlisted: set[tuple[int, int]] = field(default_factory=set)

    def clear(self) -> None:
        """Remove every fault, and answer the requests that wait."""
        self.gzip, self.lag_s = True, 0.0
        for _, hold in self._holds:
            hold.release()
        for asked in (self.aliases, self._rules, self._holds, self._closed, self._hidden, self._unlisted):
            asked.clear()

    def reset(self, name: str | None = None, *, times: int | None = 1) -> None:
        """Reset the connection instead of answering; aiohttp asks once more by itself on one that it used before."""
        self._add("reset", lambda _: None, name, times)

    def stall(self, name: str | None = None, *, times: int | None = None) -> Hold:
        """Leave requests waiting, all or `times` of them, until the returned hold is released."""
        hold = Hold("GET", left=times)
        self._holds.append((name, hold))
        return hold

    def throttle(self, name: str | None = None, *, seconds: int | None = 30, times: int | None = 1) -> None:
        """Answer 429, with the seconds to wait if given."""
        headers = () if seconds is None else (("Retry-After", str(seconds)),)
        self._add("throttle", lambda _: Answer(429, "", headers), name, times)

    def fail(self, name: str | None = None, *, status: int = 502, times: int | None = 1) -> None:
        """Answer with an error of the server."""
        self._add("fail", lambda _: Answer(status, f"<html><title>{status}</title></html>"), name, times)

    def shell(self, name: str | None = None, *, times: int | None = 1) -> None:
        """Answer 200 with «Contact @name», as for a free name: Telegram throttles so, too."""
        self._add("shell", lambda request: Answer(200, contact(request.name)), name, times)

    def challenge(self, name: str | None = None, *, body: str = _CHALLENGE, times: int | None = 1) -> None:
        """Answer 200 with a tiny page that is not Telegram's."""
        self._add("challenge", lambda _: Answer(200, body), name, times)

    def redesign(self, name: str | None = None, *, classes: str = "tgme_", times: int | None = None) -> None:
        """Change the front end: the classes that begin so have other names."""
        found = re.compile(rf"(?<=[\"\s]){re.escape(classes)}")

        def change(request: Request) -> Answer:
            page = request.make()
            return page._replace(body=found.sub("x-", page.body))

        self._add("redesign", change, name, times)

    def stale(self, name: str | None = None, *, times: int | None = 1) -> None:
        """Answer with the page that was given for the same address before, if one was."""
        self._add("stale", lambda request: request.last or request.make(), name, times)

    def switch_off(self, channel: Channel) -> None:
        """Show the posts of a channel on no page: it stays, and has a landing page."""
        self._closed.add(channel.id)

    def switch_on(self, channel: Channel) -> None:
        """Show the posts of a channel on its page again."""
        self._closed.discard(channel.id)

    def alias(self, name: str, channel: Channel) -> None:
        """Give a channel a second name, whose pages name its first."""
        self.aliases[name.lower()] = channel

    def hide(self, message: Message) -> None:
        """Show a box in place of what a post says, as for a rich one."""
        self._hidden.add((message.chat, message.id))

    def unlist(self, message: Message) -> None:
        """Leave a post out of every page."""
        self._unlisted.add((message.chat, message.id))

    def lag(self, seconds: float) -> None:
        """List new posts so many seconds late, on the world's clock."""
        self.lag_s = seconds

    def has_page(self, channel: Channel) -> bool:
        """Tell whether a channel's posts can be seen."""
        return not channel.megagroup and channel.id not in self._closed

    def is_hidden(self, message: Message) -> bool:
        """Tell whether a post is there without its content."""
        return (message.chat, message.id) in self._hidden

    def is_listed(self, message: Message) -> bool:
        """Tell whether a post is there, whatever its age."""
        return (message.chat, message.id) not in self._unlisted

    def find_hold(self, name: str) -> Hold | None:
        """Return the hold that a request waits for, if any."""
        fitting = (hold for about, hold in self._holds if about in (None, name) and not hold.released)
        return next(fitting, None)

    def answer(self, request: Request) -> Answer | None:
        """Return what to answer, None for a reset; counts as one strike of the rule that decides."""
        for rule in self._rules:
            if rule.left != 0 and rule.name in (None, request.name):
                if rule.left is not None:
                    rule.left -= 1
                self.struck[rule.kind] += 1
                return rule.answer(request)
        return request.make()

    def _add(self, kind: str, answer: Callable[[Request], Answer | None], name: str | None, times: int | None) -> None:
        self._rules.append(_Rule(kind=kind, answer=answer, name=name, left=times))
