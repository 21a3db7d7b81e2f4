"""A rendering: a picture of a post as it is stored, for articles and files, which says that it is no screenshot. Pure.

It shows what a message said in one of its versions; an album is shown as one.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from bot import __version__
from bot.dossier.contents import DossierVersion, Messages, now_of
from bot.dossier.view import DossierLanguage, ShownFile, origin, show_file
from bot.locales import Translator
from bot.models import StoredPost
from bot.rendering.files import file_name
from bot.rendering.post_text import channel_name, full_text
from bot.store.media import KINDS
from bot.text.formatted import FormattedText
from bot.text.markup import one_line

_NAME = 120  # UTF-16 units
_BLOCKS = frozenset({"blockquote", "pre"})
_INLINE = frozenset(
    {"bold", "italic", "underline", "strike", "spoiler", "code", "text_url", "url", "mention", "hashtag", "cashtag"}
)
_BREAK = re.compile("[\n\v\f\r\x85\u2028\u2029]")  # of lines, as Typst takes them
_LONG = re.compile(r"\S{40,}")  # what no line has room for
_FRAME, _PHOTO, _WIDE = 15, 50, 45  # lines, of a photo too, and characters of a line
_PIECE = re.compile(r".{20}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRun:
    """A stretch of a text that looks alike."""

    text: str
    styles: tuple[str, ...]  # kinds of entities


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownBlock:
    """Paragraphs, a quotation or code."""

    kind: str  # of an entity; empty for paragraphs
    runs: tuple[ShownRun, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PostRendering:
    """A post in words, as its picture shows it."""

    language: str
    banner: str
    title: str
    username: str  # with @; empty where it has none
    link: str
    note: str  # from where it was forwarded; empty
    blocks: tuple[ShownBlock, ...]
    files: tuple[ShownFile, ...]
    gone: str
    facts: tuple[tuple[str, str], ...]
    hashes: tuple[str, ...]  # of the bytes of each message

    @property
    def lines(self) -> int:
        """About how many lines high its picture is."""
        texts = (run.text for block in self.blocks for run in block.runs)
        return _FRAME + _PHOTO * len(self.files) + sum(len(_BREAK.findall(text)) + len(text) // _WIDE for text in texts)


def renderings_of(messages: Messages, t: Translator, time_zone: str) -> list[tuple[str, PostRendering]]:
    """Write each version of a post, or an album as it is now, with a name for the file."""
    first = messages[0][0].post
    if len(messages) > 1:
        shown = render([now_of(each) for each in messages], 1, t, time_zone)
        return [(f"{first.channel_id}-{first.message_id}-album", shown)]
    (versions,) = messages
    return [
        (f"{first.channel_id}-{first.message_id}-v{each.post.number}", render([each], len(versions), t, time_zone))
        for each in versions
    ]


def rendering_now(messages: Messages, t: Translator, time_zone: str) -> PostRendering:
    """Write a post as it is now, or was last."""
    return render([now_of(each) for each in messages], max(map(len, messages)), t, time_zone)


def render(items: Sequence[DossierVersion], versions: int, t: Translator, time_zone: str) -> PostRendering:
    """Write what a picture shows: one message in a version, of so many that there are, or the messages of an album."""
    writer, first = DossierLanguage(t, time_zone), items[0].post
    facts = [(t.gettext("Posted (Telegram's time)"), writer.moment(first.date))]
    edited = max((each.post.edit_date for each in items if each.post.edit_date is not None), default=None)
    if edited is not None:
        facts.append((t.gettext("Edited (Telegram's time)"), writer.moment(edited)))
    facts.append((t.gettext("Seen (our clock)"), writer.moment(max(each.post.seen_at for each in items))))
    if len(items) == 1:
        facts.append((t.gettext("Version"), t.gettext("{n} of {all}").format(n=first.number, all=versions)))
    if first.author:
        facts.append((t.gettext("Signed"), one_line(first.author, _NAME)))
    facts.append((t.gettext("Made by"), f"channelwatch {__version__}"))
    gone = dict.fromkeys(line for each in items if (line := writer.gone(each.post)))
    return PostRendering(
        language=t.language,
        banner=t.gettext("Rendering by channelwatch from the stored message. Not a screenshot of Telegram."),
        title=_broken(channel_name(first, _NAME)),
        username=f"@{first.channel_username}" if first.channel_username else "",
        link=_broken(first.link),
        note="" if first.forward is None else t.gettext("Forwarded from {name}").format(name=origin(first)),
        blocks=tuple(block for each in items for block in _blocks(each.post, t)),
        files=tuple(replace(file, name=_broken(file.name)) for each in items for file in _files(each, writer)),
        gone="\n".join(gone),
        facts=tuple((name, _broken(value)) for name, value in facts),
        hashes=tuple(each.sha256.hex() for each in items),
    )


def _files(each: DossierVersion, writer: DossierLanguage) -> Iterator[ShownFile]:
    yield from (show_file(file, writer) for file in each.files)
    media, t = each.post.media, writer.t
    if media is not None and media.kind in KINDS and not each.files:
        name = file_name(media.title, media.kind, t, most=_NAME)
        yield ShownFile(name=name, about=t.gettext("not downloaded"), sha256="", picture=None, ending="")


def _blocks(post: StoredPost, t: Translator) -> Iterator[ShownBlock]:
    """Divide the text of a post with its formatting; what stands beside it follows as it is."""
    read = FormattedText.read(post.text, post.entities, kinds=_BLOCKS | _INLINE)
    points = sorted({0, len(post.text), *(point for style in read.styles for point in (style.start, style.end))})
    runs = []
    for start, end in pairwise(points):
        kinds = tuple(sorted({style.kind for style in read.styles if style.start < end and start < style.end}))
        runs.append(ShownRun(text=post.text[start:end], styles=kinds))
    for kind, found in groupby(runs, _block_of):
        if (block := _trimmed(kind, found)).runs:
            yield block
    beside = full_text("", post.parts, t)
    if beside:
        yield ShownBlock(kind="", runs=(ShownRun(text=_broken(beside), styles=()),))


def _block_of(run: ShownRun) -> str:
    return next((kind for kind in run.styles if kind in _BLOCKS), "")


def _trimmed(kind: str, runs: Iterable[ShownRun]) -> ShownBlock:
    """Leave out the empty lines around a block, which stands apart by itself."""
    found = list(runs)
    while found and not found[0].text.strip("\n"):
        del found[0]
    while found and not found[-1].text.strip("\n"):
        del found[-1]
    texts = [run.text for run in found]
    if texts:
        texts[0] = texts[0].lstrip("\n")
        texts[-1] = texts[-1].rstrip("\n")
    shown = (ShownRun(text=_broken(text), styles=run.styles) for text, run in zip(texts, found, strict=True))
    return ShownBlock(kind=kind, runs=tuple(shown))


def _broken(text: str) -> str:
    """Let words end a line inside that are longer than one."""
    return _LONG.sub(lambda word: _PIECE.sub("\\g<0>\N{ZERO WIDTH SPACE}", word[0]), text)
