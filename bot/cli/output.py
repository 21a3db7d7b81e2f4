"""Found posts on their way to a terminal, a file or a pipe: a post and what of it was found come in, lines go out."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from bot.cli.shell import console
from bot.store.posts import StoredPost

# What would move the cursor, colour the terminal or turn a line around: controls but for line breaks and tabs, and
# the signs that override the direction of writing. One sign stands for one, so that places in a text stay true.
_UNSAFE = {
    code: "\N{REPLACEMENT CHARACTER}"
    for code in (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
    if chr(code) not in "\n\t"
} | {ord("\r"): " "}


def plain(text: str) -> str:
    """Return a foreign text as long as it was, without what a terminal would obey."""
    return text.translate(_UNSAFE)


def print_post(
    post: StoredPost, text: str, spans: Sequence[tuple[int, int]], *, reason: str = "", brackets: bool = False
) -> None:
    """Print when and where a post stands, why it is shown, and `text` of it with `spans` marked.

    With `brackets`, spans stand in square brackets where no terminal can colour them.
    """
    # a link that is broken cannot be opened, nor can a broken line be searched in a file
    console.print(Text("  ".join(_heading(post)), "bold"), soft_wrap=True)
    if reason:
        console.print(Text(f"  {plain(reason)}", "yellow"), soft_wrap=True)
    console.print(_marked(plain(text), spans, brackets=brackets), soft_wrap=not console.is_terminal)


def _heading(post: StoredPost) -> Iterator[str]:
    yield f"{post.date:%Y-%m-%d %H:%M} UTC"
    yield " ".join(plain(post.channel_title).split())
    yield post.link
    if not post.is_current:
        yield f"(earlier wording, {post.edit_date or post.date:%Y-%m-%d %H:%M} UTC)"
    if post.gone_at is not None:
        yield f"(no longer visible since {post.gone_at:%Y-%m-%d %H:%M} UTC)"


def _marked(text: str, spans: Sequence[tuple[int, int]], *, brackets: bool) -> Text:
    marked, end = Text(), 0
    for start, stop in spans:
        found = text[start:stop]
        marked.append(text[end:start])
        marked.append(f"[{found}]" if brackets and not console.is_terminal else found, "reverse")
        end = stop
    return marked.append(text[end:])
