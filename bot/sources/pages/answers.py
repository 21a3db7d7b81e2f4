"""What a question to Telegram's public pages brought, as values; refusals are no errors here."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.runtime.web import PageReply
from bot.sources.pages.page import ChannelPage, EmbedPage, LandingPage, PagePost
from bot.store.channels import ResolvedChannel


class AnswerKind(StrEnum):
    """What an answer is to whoever asked for a channel."""

    POSTS = "posts"  # of the channel, which may have another name by now
    TAKEN_OVER = "taken over"  # posts of another channel that has this name now: never to be mixed
    NO_PAGE = "no page"  # `landing` says what has the name; it is not believed of a known channel at one look
    NOT_UNDERSTOOD = "not understood"  # the page is built in a new way
    THROTTLED = "throttled"  # nothing is known; ask at `retry_at`
    UNREACHABLE = "unreachable"  # likewise


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
    reply: PageReply | None = None  # as it came
    reason: str = ""  # a sentence for people
    retry_at: datetime | None = None

    @property
    def is_read(self) -> bool:
        """Whether the channel that was asked for was read."""
        return self.kind is AnswerKind.POSTS

    def channel(self, name: str) -> ResolvedChannel | None:
        """Return the channel that was asked for by a name; None where there is no page, or it does not say which."""
        page = self.page
        if page is None or page.channel_id is None:
            return None
        username = page.username or name
        return ResolvedChannel(id=page.channel_id, kind="broadcast", title=page.title or username, username=username)

    def evidence(self, post: PagePost) -> bytes:
        """Return what is kept of a post: where it was seen, when by the server's clock, and its element."""
        page = self.page or self.embed
        rendered = None if page is None else page.rendered_at
        shown = "" if rendered is None else str(int(rendered.timestamp()))
        return f"url: {self.url}\nstatus: {self.status}\nt: {shown}\n\n{post.html}".encode()
