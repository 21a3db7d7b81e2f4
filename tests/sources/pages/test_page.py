"""Public pages: identity, posts and what is checked of their structure."""

from datetime import UTC, datetime

import pytest

from bot.models import Forward, Media
from bot.parts import Part, PartKind
from bot.sources.pages.page import (
    EmbedRefusal,
    LandingKind,
    PageNotUnderstoodError,
    PagePost,
    is_by_telegram,
    read_embed,
    read_landing,
    read_page,
)
from tests.sources.pages import html
from tests.sources.pages.html import (
    CHANNEL,
    FALLBACK,
    LABEL,
    OPEN_TELEGRAM,
    SMILE,
    album,
    embed,
    landing,
    more,
    page,
    photo,
    post,
    words,
)

VIDEO = f'<a class="tgme_widget_message_video_player">{LABEL.format(more="", label="Media is too big")}</a>'
STICKER = (
    LABEL.format(more="media_not_supported_cont", label="Not in your browser")
    + '<div class="tgme_widget_message_sticker_wrap media_supported_cont"></div>'
)
MUSIC = """<a class="tgme_widget_message_document_wrap"><div class="tgme_widget_message_document_icon audio"></div>
  <div class="tgme_widget_message_document_title">Song</div>
  <div class="tgme_widget_message_document_extra">Band</div></a>"""
POLL = """<div class="tgme_widget_message_poll"><div class="tgme_widget_message_poll_question">Tea?</div>
  <div class="tgme_widget_message_poll_option_text">Yes</div>
  <div class="tgme_widget_message_poll_option_text">No</div></div>"""


def read(content: str, **how: str) -> PagePost:
    return read_page(page(post(content, **how))).posts[0]  # type: ignore[arg-type]


def test_a_page_is_a_channel_and_its_posts_oldest_first() -> None:
    read = read_page(
        page(post(words("two"), 9), post(words("one"), 7), head='<link rel="prev" href="/s/news?before=7">')
    )
    assert (read.channel_id, read.username, read.title, read.description) == (
        CHANNEL,
        "news",
        "The News",
        "All the news\nof the day",
    )
    assert [(p.message_id, p.text) for p in read.posts] == [(7, "one"), (9, "two")]
    assert read.older == 7
    assert read.rendered_at == datetime.fromtimestamp(html.RENDERED, UTC)
    first = read.posts[0]
    assert (first.date, first.views) == (datetime(2026, 9, 21, 12, tzinfo=UTC), 12_500)
    assert (first.album, first.is_edited, first.is_service, first.is_unreadable) == ((), False, False, False)


def test_the_name_is_the_page_s_own_and_not_the_one_asked_for() -> None:
    assert read_page(page(post(words("x"), name="NewsToday"), name="NewsToday")).username == "NewsToday"


@pytest.mark.parametrize(
    ("ids", "head", "before", "older"),
    [
        ((7, 9), "", more(5), 5),
        ((7, 9), "", "", 7),
        ((7, 9), '<link rel="prev" href="/s/news?before=0">', "", 7),
        ((7, 9), '<link rel="prev" href="/s/news?before=99">', "", 7),  # forwards: an endless loop
        ((7, 9), "", more(""), 7),
        ((1,), "", "", None),
        ((), "", more(""), None),
    ],
    ids=[
        "the link",
        "the lowest id",
        "never 0",
        "never forwards",
        "an empty link",
        "the first post",
        "before the first",
    ],
)
def test_the_cursor_goes_back_or_ends(ids: tuple[int, ...], head: str, before: str, older: int | None) -> None:
    read = read_page(page(*(post(words("x"), each) for each in ids), head=head, before=before))
    assert read.older == older


def test_no_hits_are_no_posts() -> None:
    assert not read_page(
        page('<div class="tgme_widget_message_wrap"><div class="tme_no_messages_found">No</div></div>')
    ).posts


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html><body>Please log in to the hotel's network</body></html>",
        page('<div class="tgme_post">new</div>'),
        page('<div class="tgme_widget_message_wrap"><article data-post="news/7">new</article></div>'),
        page(post(words("x")), '<article data-post="news/8">new</article>'),
        page(post(words("x"), date="soon")),
        page(post(words("x"), date="2026-09-21T12:00:00")),
        page(post(words("x"), name="")),
        page(post(words("x"), seen=html.view(8))),
        page(post(words("x"), seen=html.view(7, 0))),
        page(post(words("x"), seen=html.view(7, 10**12 + 5))),
        page(post(words("x"), 7), post(words("x"), 8, seen=html.view(8, 5))),
        page(post(words("x"), 7), post(words("x"), 8, name="others")),
        page(*(post(f'<div class="rich_text_v2">{each}</div>', each) for each in (7, 8, 9))),
        landing("5 subscribers"),
    ],
)
def test_a_page_that_is_built_otherwise_is_told_and_never_empty(text: str) -> None:
    with pytest.raises(PageNotUnderstoodError):
        read_page(text)


@pytest.mark.parametrize(("element", "times"), [("<b>", 1_500), ("<div>", 20_000)], ids=["deep", "without end"])
def test_elements_without_end_are_told(element: str, times: int) -> None:
    with pytest.raises(PageNotUnderstoodError, match="without end"):
        read_page(page(post(words(element * times))))


def test_one_strange_post_does_not_hide_the_others() -> None:
    strange, known = read_page(page(post('<div class="rich_text_v2">x</div>', 7), post(words("y"), 8))).posts
    assert (strange.is_unreadable, known.is_unreadable) == (True, False)


class TestPosts:
    def test_an_album_is_one_post_with_all_its_ids(self) -> None:
        caption = words(words("caption"))  # stands in itself
        shown = read(album(7, 8, 9) + caption + FALLBACK, seen=html.view("7g"))
        assert (shown.message_id, shown.album, shown.text) == (7, (7, 8, 9), "caption")
        assert shown.album_media == (Media(kind="photo"),) * 3

    def test_a_typed_link_makes_no_album(self) -> None:
        assert read(words('<a href="https://t.me/news/9?single">https://t.me/news/9?single</a>')).album == ()

    def test_documents_make_an_album_too(self) -> None:
        files = "".join(
            f'<a class="tgme_widget_message_document_wrap" href="https://t.me/news/{each}?single">'
            f'<div class="tgme_widget_message_document_title">{each}.pdf</div></a>'
            for each in (7, 8)
        )
        shown = read(files)
        assert shown.album == (7, 8)
        assert [media and media.title for media in shown.album_media] == ["7.pdf", "8.pdf"]
        assert shown.parts == (Part(kind=PartKind.FILE, text="7.pdf"), Part(kind=PartKind.FILE, text="8.pdf"))

    @pytest.mark.parametrize(
        ("meta", "is_edited", "author"),
        [
            ("", False, None),
            ("edited &nbsp;", True, None),
            ('<span class="tgme_widget_message_from_author">edited</span>,&nbsp;', False, "edited"),
            ('<span class="tgme_widget_message_from_author">Anna</span>,&nbsp;edited &nbsp;', True, "Anna"),
        ],
    )
    def test_an_edit_is_a_bare_word_and_a_signature_an_element(
        self, *, meta: str, is_edited: bool, author: str | None
    ) -> None:
        shown = read(words("x"), meta=meta)
        assert (shown.is_edited, shown.author) == (is_edited, author)

    @pytest.mark.parametrize(
        ("content", "is_unreadable"),
        [
            (words("x") + FALLBACK, False),
            (f'<div class="media_supported_cont">{words("x")}</div>{FALLBACK}', False),
            (VIDEO, False),
            (STICKER, False),
            (OPEN_TELEGRAM, True),
            ("", True),
            (words(" <br/> "), True),
            ('<div class="tgme_widget_message_todo">Buy bread</div>', True),
            (photo() + '<div class="rich_text_v2">x</div>', True),
        ],
        ids=["beside", "in a frame", "too big", "sticker", "in its place", "nothing", "blank", "new kind", "new text"],
    )
    def test_what_a_page_does_not_show_is_unreadable_and_never_empty(
        self, *, content: str, is_unreadable: bool
    ) -> None:
        assert read(content).is_unreadable is is_unreadable

    @pytest.mark.parametrize(
        ("content", "more"),
        [(words("Channel created"), "service_message"), (LABEL.format(more="", label="Service message"), "")],
    )
    def test_a_service_message_is_one(self, content: str, more: str) -> None:
        shown = read(content, more=more, views="")
        assert (shown.is_service, shown.is_unreadable, shown.views) == (True, False, None)

    @pytest.mark.parametrize(
        ("content", "media", "parts"),
        [
            (photo(), Media(kind="photo"), []),
            ('<a class="tgme_widget_message_voice_player"><audio></audio></a>', Media(kind="document"), []),
            ('<a class="tgme_widget_message_location_wrap"></a>', Media(kind="geo"), []),
            (MUSIC, Media(kind="document"), [(PartKind.AUDIO, "Band — Song")]),
            (POLL, Media(kind="poll", title="Tea?"), [(PartKind.POLL, text) for text in ("Tea?", "Yes", "No")]),
            (
                words("x")
                + html.preview(site="Site", title="A <mark class=highlight>hit</mark>", description="b<br/>c"),
                Media(kind="web_page", title="A hit"),
                [(PartKind.PREVIEW, "Site"), (PartKind.PREVIEW, "A hit"), (PartKind.PREVIEW, "b\nc")],
            ),
        ],
        ids=["photo", "voice", "place", "music", "poll", "link"],
    )
    def test_what_is_attached_has_telegram_s_names(
        self, content: str, media: Media, parts: list[tuple[PartKind, str]]
    ) -> None:
        shown = read(content)
        assert shown.media == media
        assert [(part.kind, part.text) for part in shown.parts] == parts

    def test_buttons_below_the_bubble_are_parts(self) -> None:
        button = '<a><span class="tgme_widget_message_inline_button_text">Go</span></a>'
        keyboard = f'<div class="tgme_widget_message_inline_keyboard">{button}</div>'
        assert read(words("x"), outside=keyboard).parts == (Part(kind=PartKind.BUTTON, text="Go"),)

    @pytest.mark.parametrize(
        ("origin", "forward"),
        [
            (
                '<a class="{0}_name" href="https://t.me/other/5"><span>Other</span></a>',
                Forward(channel_id=None, message_id=5, name="Other", date=None),
            ),
            ('<span class="{0}_name">Ghost</span>', Forward(channel_id=None, message_id=None, name="Ghost", date=None)),
        ],
    )
    def test_a_forward_names_its_origin(self, origin: str, forward: Forward) -> None:
        name = "tgme_widget_message_forwarded_from"
        assert (
            read(f'<div class="{name}">Forwarded from&nbsp;{origin.format(name)}</div>' + words("x")).forward == forward
        )

    @pytest.mark.parametrize(("link", "reply_to"), [("https://t.me/News/5", 5), ("https://t.me/other/5", None)])
    def test_an_answer_is_no_text_of_the_post(self, link: str, reply_to: int | None) -> None:
        quoted = f'<a class="tgme_widget_message_reply" href="{link}" ">{words("theirs", "js-message_reply_text")}</a>'
        shown = read(quoted + words("mine"))
        assert (shown.text, shown.reply_to) == ("mine", reply_to)

    @pytest.mark.parametrize(
        ("shown", "views"),
        [("12.5M", 12_500_000), ("1,5K", 1_500), ("29.8\u202fK", 29_800), ("1 234", 1_234), ("7", 7), ("many", None)],
    )
    def test_views_are_rounded(self, shown: str, views: int | None) -> None:
        assert read(words("x"), views=shown).views == views

    def test_reactions_of_all_kinds_are_added_up(self) -> None:
        shown = f'<span class="tgme_reaction">{SMILE}1.2K</span><span class="tgme_reaction"><i></i>7</span>'
        assert read(words("x") + f'<div class="tgme_widget_message_reactions">{shown}</div>').reactions == 1_207

    def test_the_evidence_is_the_post_s_element(self) -> None:
        shown = read(words("x"))
        assert 'data-post="news/7"' in shown.html
        assert read_page(page(shown.html)).posts == (shown,)


class TestEmbeds:
    def test_a_post_of_a_channel(self) -> None:
        read = read_embed(embed(post(words("x"))))
        assert read.post is not None
        assert (read.channel_id, read.username, read.post.text, read.refusal) == (CHANNEL, "news", "x", None)

    def test_a_post_of_a_group_names_it_apart(self) -> None:
        grouped = post(words("x"), seen=None).replace("data-post=", 'data-peer="c123_-456" data-post=')
        assert read_embed(embed(grouped)).channel_id == 123

    @pytest.mark.parametrize(
        ("said", "refusal"),
        [
            ("Post not found", EmbedRefusal.NO_POST),
            ("Channel with username <b>@x</b> not found", EmbedRefusal.NO_CHANNEL),
            ("Unfortunately, this channel couldn&#39;t be displayed on your device.", EmbedRefusal.HIDDEN),
            ("This channel is unavailable due to copyright infringement.", EmbedRefusal.COPYRIGHT),
            ("It violated local laws.", EmbedRefusal.LAW),
            ("Something new", EmbedRefusal.OTHER),
        ],
    )
    def test_a_refusal_is_named(self, said: str, refusal: EmbedRefusal) -> None:
        shown = (
            f'<div class="tgme_widget_message err_message"><div class="tgme_widget_message_error">{said}</div></div>'
        )
        read = read_embed(embed(shown))
        assert (read.post, read.refusal) == (None, refusal)

    @pytest.mark.parametrize("content", ["", "nothing", post('<div class="rich_text_v2">x</div>')])
    def test_another_page_is_told(self, content: str) -> None:
        with pytest.raises(PageNotUnderstoodError):
            read_embed(embed(content))


@pytest.mark.parametrize(
    ("shown", "kind", "members"),
    [
        (landing("11 286 994 subscribers", rest=html.PREVIEW_LINK), LandingKind.CHANNEL, 11_286_994),
        (landing("1 subscriber"), LandingKind.CHANNEL, 1),
        (landing("97 957 members, 4 138 online"), LandingKind.GROUP, 97_957),
        (landing("@a5bot", "8 122 monthly users", heading="Launch @a5bot"), LandingKind.BOT, 8_122),
        (landing("@nikolai", heading="Contact @nikolai"), LandingKind.USER, None),
        (landing(heading="Contact @news", title=None), LandingKind.NOBODY, None),
        (landing(heading="View @news", title=None, rest="you can view posts from @news"), LandingKind.BANNED, None),
        (landing(title="Ours", rest="You are invited to a <strong>group chat</strong>"), LandingKind.INVITATION, None),
    ],
    ids=lambda value: value if isinstance(value, LandingKind) else "",
)
def test_a_name_belongs_to_somebody(shown: str, kind: LandingKind, members: int | None) -> None:
    read = read_landing(shown)
    assert (read.kind, read.members, read.has_page) == (kind, members, html.PREVIEW_LINK in shown)


@pytest.mark.parametrize("shown", ["<html></html>", landing(heading="Open @news")])
def test_a_name_s_page_that_says_nothing_is_told(shown: str) -> None:
    with pytest.raises(PageNotUnderstoodError):
        read_landing(shown)


def test_a_page_of_somebody_else_is_known_as_such() -> None:
    assert is_by_telegram(page())
    assert not is_by_telegram("<html><body>This site is blocked</body></html>")
