"""Posts made of blocks: every word is read, as one text with entities, and every photo and video of theirs."""

import inspect
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.tl import TLObject, alltlobjects, types

from bot.models import Entity, Media, Post
from bot.parts import PartKind
from bot.telegram.convert import to_post
from bot.telegram.rich import flatten

DATE = datetime(2024, 5, 6, 12, 0, tzinfo=UTC)
plain = types.TextPlain
NOTHING = types.PageCaption(types.TextEmpty(), types.TextEmpty())
BLOCKS = [
    kind
    for kind in alltlobjects.tlobjects.values()
    if kind.SUBCLASS_OF_ID == types.PageBlockParagraph.SUBCLASS_OF_ID and not kind.__name__.startswith("Input")
]
INLINE = [
    kind
    for kind in alltlobjects.tlobjects.values()
    if kind.SUBCLASS_OF_ID == types.TextPlain.SUBCLASS_OF_ID and kind not in (types.TextEmpty, types.TextConcat)
]
UNSEEN = {"name", "html", "language", "type"}  # strings that no reader sees as words of the post


def rich(*blocks: TLObject, **fields: object) -> types.RichMessage:
    return types.RichMessage(list(blocks), **{"photos": [], "documents": [], **fields})


def read(message: types.RichMessage, text: str = "", **fields: object) -> Post:
    post = to_post(types.Message(7, types.PeerChannel(5), DATE, text, rich_message=message, **fields))
    assert post is not None
    return post


def paragraph(text: str | TLObject) -> types.PageBlockParagraph:
    return types.PageBlockParagraph(plain(text) if isinstance(text, str) else text)


class Filler:
    """Fills every field of a constructor, and each field that holds words with a word of its own."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self._numbers = count(1)

    def word(self) -> str:
        self.words.append(f"word{next(self._numbers)}x")
        return self.words[-1]

    def make(self, kind: type[TLObject]) -> TLObject:
        parameters = [p for p in inspect.signature(kind.__init__).parameters.values() if p.name not in ("self", "args")]
        return kind(**{p.name: self._value(p.name, str(p.annotation)) for p in parameters if p.kind != p.VAR_KEYWORD})

    def _value(self, name: str, annotation: str) -> object:
        values = {
            "TypeRichText": lambda: plain(self.word()),
            "TypePageCaption": lambda: types.PageCaption(plain(self.word()), plain(self.word())),
            "TypePageBlock'": lambda: paragraph(self.word()),
            "TypePageListItem'": lambda: types.PageListItemText(plain(self.word())),
            "TypePageListOrderedItem": lambda: types.PageListOrderedItemText(plain(self.word())),
            "TypePageTableRow": lambda: types.PageTableRow([types.PageTableCell(text=plain(self.word()))]),
            "TypePageRelatedArticle": lambda: self.make(types.PageRelatedArticle),
            "TypePageButton": lambda: types.PageButton(plain(self.word()), types.InlineButtonTypeUrl("https://e.org")),
            "TypeInlineButtonType": lambda: types.InlineButtonTypeUrl("https://e.org"),
            "TypeChat": lambda: types.Channel(5, self.word(), types.ChatPhotoEmpty(), DATE),
        }
        made = next((make() for part, make in values.items() if part in annotation), None)
        if made is None and "str" in annotation and name not in UNSEEN:
            return f"https://e.org/{name}" if name in ("url", "email", "phone", "num") else self.word()
        return [made] if made is not None and "List" in annotation else made


@pytest.mark.parametrize("kind", BLOCKS, ids=lambda kind: kind.__name__)
def test_every_word_of_every_block_is_read_once(kind: type[TLObject]) -> None:
    filler = Filler()
    text = flatten(rich(filler.make(kind))).text
    assert sorted(filler.words) == sorted(word for word in filler.words if text.count(word) == 1)


@pytest.mark.parametrize("kind", INLINE, ids=lambda kind: kind.__name__)
def test_every_word_of_inline_text_is_read_in_the_line(kind: type[TLObject]) -> None:
    filler = Filler()
    made = types.TextConcat([plain("before "), filler.make(kind), plain(" after")])
    text = flatten(rich(paragraph(made))).text
    assert text.startswith("before ")
    assert text.endswith(" after")
    assert "\n" not in text
    assert all(word in text for word in filler.words)


def test_blocks_are_paragraphs_and_lines_of_one_block_follow_each_other() -> None:
    item = types.PageListItemText(types.TextConcat([plain("an "), types.TextBold(plain("outage"))]))
    ordered = types.PageListOrderedItemBlocks([paragraph("first"), paragraph("more")])
    cells = [types.PageTableCell(text=plain(word)) for word in ("Moscow", "down")]
    found = flatten(
        rich(
            types.PageBlockHeading1(plain("Report")),
            paragraph(types.TextUrl(plain("everywhere"), "https://e.org", 0)),
            types.PageBlockList([item, types.PageListItemText(plain("done"), checkbox=True, checked=True)]),
            types.PageBlockOrderedList([ordered, types.PageListOrderedItemText(plain("second"))], start=3),
            types.PageBlockDivider(),
            types.PageBlockTable(plain("Cities"), [types.PageTableRow(cells)]),
        )
    )
    assert found.text == (
        "Report\n\neverywhere\n\n• an outage\n☑ done\n\n3. first\nmore\n4. second\n\nCities\nMoscow | down"
    )
    assert found.entities == (
        Entity(kind="bold", offset=0, length=6),
        Entity(kind="text_url", offset=8, length=10, value="https://e.org"),
        Entity(kind="bold", offset=25, length=6),
    )


def test_links_of_blocks_are_entities() -> None:
    found = flatten(
        rich(
            types.PageBlockPhoto(1, types.PageCaption(plain("the map"), types.TextEmpty()), url="https://e.org/map"),
            types.PageBlockEmbed(NOTHING, url="https://e.org/film"),
            types.PageBlockEmbedPost("https://e.org/post", 0, 0, "Anna", DATE, [paragraph("quoted")], NOTHING),
            types.PageBlockRelatedArticles(plain("More"), [types.PageRelatedArticle("https://e.org/a", 0, "Title")]),
            types.PageBlockChannel(types.Channel(5, "News", types.ChatPhotoEmpty(), DATE, username="news")),
            types.PageBlockButtonRow([types.PageButton(plain("Go"), types.InlineButtonTypeUrl("https://e.org/go"))]),
        )
    )
    links = {(found.text[e.offset : e.offset + e.length], e.value) for e in found.entities if "url" in e.kind}
    assert links == {
        ("the map", "https://e.org/map"),
        ("https://e.org/film", None),
        ("Anna", "https://e.org/post"),
        ("Title", "https://e.org/a"),
        ("News", "https://t.me/news"),
        ("Go", "https://e.org/go"),
    }


def test_a_text_beside_the_blocks_comes_first_and_is_not_repeated() -> None:
    bold = rich(paragraph(types.TextBold(plain("Report"))), paragraph("an outage"))
    post = read(bold, "🛠 Lead", entities=[types.MessageEntityItalic(3, 4)])
    assert post.text == "🛠 Lead\n\nReport\n\nan outage"
    assert post.entities == (Entity(kind="italic", offset=3, length=4), Entity(kind="bold", offset=9, length=6))
    assert read(bold, "Report\nan outage").text == "Report\nan outage"


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\n"), min_size=1, max_size=9)
TEXTS = st.recursive(
    st.builds(plain, WORDS),
    lambda inner: st.one_of(
        st.builds(types.TextBold, inner),
        st.builds(types.TextUrl, inner, st.just("https://e.org"), st.just(0)),
        st.lists(inner, min_size=1, max_size=3).map(types.TextConcat),
    ),
)


def strings(text: TLObject) -> Iterator[str]:
    for each in text.texts if isinstance(text, types.TextConcat) else [text.text]:
        yield each if isinstance(each, str) else "".join(strings(each))


def linked(text: TLObject) -> Iterator[str]:
    if isinstance(text, types.TextUrl):
        yield "".join(strings(text))
    for each in text.texts if isinstance(text, types.TextConcat) else [text.text]:
        if isinstance(each, TLObject):
            yield from linked(each)


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_links_stand_where_their_words_are_in_utf_16(texts: list[TLObject]) -> None:
    found = flatten(rich(*map(paragraph, texts)))
    encoded = found.text.encode("utf-16-le")
    shown = [encoded[2 * e.offset :][: 2 * e.length].decode("utf-16-le") for e in found.entities if e.value]
    assert sorted(shown) == sorted(word for text in texts for word in linked(text))
    assert found.text == "\n\n".join("".join(strings(text)) for text in texts)


def test_blocks_that_nobody_could_read_do_no_harm() -> None:
    text: TLObject = plain("deep")
    for _ in range(400):
        text = types.TextBold(text)
    assert flatten(rich(paragraph(text))).text == "deep"
    block: TLObject = paragraph("deep")
    for _ in range(400):
        block = types.PageBlockDetails([block], plain("more"))
    assert flatten(rich(block, paragraph("after"))).text.endswith("after")


def document(number: int, name: str) -> types.Document:
    attributes = [types.DocumentAttributeFilename(name)]
    return types.Document(number, 1, b"", DATE, "text/plain", 3, 2, attributes)


def test_media_of_blocks_are_media_by_their_ids() -> None:
    caption = types.PageCaption(plain("the map"), types.TextEmpty())
    blocks = (
        types.PageBlockCollage([types.PageBlockPhoto(1, NOTHING), types.PageBlockVideo(2, NOTHING)], NOTHING),
        types.PageBlockDocument(3, caption),
        types.PageBlockPhoto(1, NOTHING),  # shown twice
        types.PageBlockEmbedPost(
            "https://e.org/post", 0, 99, "Anna", DATE, [types.PageBlockPhoto(4, NOTHING)], NOTHING
        ),
    )
    post = read(rich(*blocks, photos=[types.PhotoEmpty(1)], documents=[document(3, "order.pdf")]))
    files = (("photo", 1), ("document", 2), ("document", 3), ("photo", 4))
    assert post.media == Media(kind="photo", id=1, files=files)
    assert [(part.kind, part.text) for part in post.parts] == [(PartKind.FILE, "order.pdf")]
    alone = read(rich(types.PageBlockDocument(3, caption), documents=[document(3, "order.pdf")]))
    assert alone.media == Media(kind="document", id=3, title="order.pdf")
    other = read(rich(*blocks[:2], photos=[types.PhotoEmpty(1)], documents=[document(3, "order.pdf")]))
    assert post.content_hash() != other.content_hash()
