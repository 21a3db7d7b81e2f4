"""What a question to Telegram's public pages brought, as values; refusals are no errors here."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.sources.preview.page import ChannelPage, EmbedPage, LandingPage, PagePost


class AnswerKind(StrEnum):
    """What an answer is to whoever asked for a channel."""

    POSTS = "posts"
    NOTHING_NEW = "nothing new"  # posts, none of them newer than the newest that is known: some may be edited
    RENAMED = "renamed"  # posts of this channel, which has another name now
    TAKEN_OVER = "taken over"  # posts of another channel that has this name now: never to be mixed
    NO_PREVIEW = "no preview"  # `landing` says what has the name; it is not believed of a known channel at one look
    NOT_UNDERSTOOD = "not understood"  # the page is built in a new way; `html` is all of it
    THROTTLED = "throttled"  # nothing is known; ask at `retry_at`
    UNREACHABLE = "unreachable"  # likewise


_READ = frozenset({AnswerKind.POSTS, AnswerKind.NOTHING_NEW, AnswerKind.RENAMED})


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAnswer:
    """An answer, and the page it was read from where there is one."""

    kind: AnswerKind
    url: str
    asked_at: datetime  # by our clock
    status: int | None = None  # of HTTP; None: no answer came
    page: ChannelPage | None = None
    embed: EmbedPage | None = None
    landing: LandingPage | None = None
    html: str = ""  # only of a page that is not understood
    reason: str = ""  # a sentence for people
    retry_at: datetime | None = None

    @property
    def is_read(self) -> bool:
        """Whether the channel that was asked for was read."""
        return self.kind in _READ

    def evidence(self, post: PagePost) -> bytes:
        """Return what is kept of a post: where it was seen, when by the server's clock, and its element."""
        page = self.page or self.embed
        rendered = None if page is None else page.rendered_at
        shown = "" if rendered is None else str(int(rendered.timestamp()))
        return f"url: {self.url}\nstatus: {self.status}\nt: {shown}\n\n{post.html}".encode()
