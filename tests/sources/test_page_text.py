"""The text of public pages, with its formatting in UTF-16 units."""

import pytest

from bot.models import Entity
from bot.sources.pages.page import read_page
from tests.sources.pages.html import SMILE, page, post, words


def styles(text: str, entities: tuple[Entity, ...]) -> list[tuple[str, str, str | None]]:
    encoded = text.encode("utf-16-le")
    return [(e.kind, encoded[2 * e.offset : 2 * (e.offset + e.length)].decode("utf-16-le"), e.value) for e in entities]


CONFIRM = "onclick=\"return confirm('Open this link?');\""


@pytest.mark.parametrize(
    ("shown", "text", "formats"),
    [
        ("one<br/><br/>two", "one\n\ntwo", []),
        ("doubled  spaces &#33; &amp;lt; &nbsp;kept", "doubled  spaces ! &lt; \xa0kept", []),
        ("broken in\n   the source<br/>\n  two\n", "broken in the source\ntwo", []),
        (
            f"{SMILE} <b>bold</b> <i>leaning {SMILE}</i>",
            "😀 bold leaning 😀",
            [("bold", "bold", None), ("italic", "leaning 😀", None)],
        ),
        (
            f'<tg-emoji emoji-id="53">{SMILE}</tg-emoji> x<tg-emoji emoji-id="no">y</tg-emoji>',
            "😀 xy",
            [("custom_emoji", "😀", "53")],
        ),
        (
            "<u>a</u><s>b</s><code>c</code><tg-spoiler>d</tg-spoiler>",
            "abcd",
            [("underline", "a", None), ("strike", "b", None), ("code", "c", None), ("spoiler", "d", None)],
        ),
        ("<b><i>both</i></b>", "both", [("bold", "both", None), ("italic", "both", None)]),
        ("a <mark class=highlight>hit</mark> b", "a hit b", []),
        ("<b></b>a<i><br/></i>", "a\n", [("italic", "\n", None)]),
        ("a<pre>x\n  y</pre>b", "a\nx\n  y\nb", [("pre", "x\n  y", None)]),
        ("<pre>x<br/>y</pre>", "x\ny", [("pre", "x\ny", None)]),
        ("a<br/><blockquote expandable>q</blockquote><br/>b", "a\nq\nb", [("blockquote", "q", None)]),
        ("a<blockquote>q</blockquote>b", "a\nq\nb", [("blockquote", "q", None)]),
        (
            f'<a href="https://a.org/?x=1&amp;amp;copy=2" {CONFIRM}>here</a>',
            "here",
            [("text_url", "here", "https://a.org/?x=1&copy=2")],
        ),
        (
            '<a href="https://a.org/?x=1&amp;copy=2">https://a.org/?x=1&amp;copy=2</a>',
            "https://a.org/?x=1&copy=2",
            [("url", "https://a.org/?x=1&copy=2", None)],
        ),
        ('<a href="http://A.org/">a.org</a>', "a.org", [("url", "a.org", None)]),
        ('<a href="https://t.me/news">the news</a>', "the news", [("text_url", "the news", "https://t.me/news")]),
        ('<a href="https://t.me/News" target="_blank">@news</a>', "@news", [("mention", "@news", None)]),
        ('<a href="mailto:a@b.org">a@b.org</a>', "a@b.org", [("email", "a@b.org", None)]),
        (
            '<a href="?q=%23%D0%BC%D0%B8%D1%80">#мир</a> <a href="?q=%24TON">$TON</a>',
            "#мир $TON",
            [("hashtag", "#мир", None), ("cashtag", "$TON", None)],
        ),
    ],
)
def test_a_text_is_read_as_telegram_wrote_it(shown: str, text: str, formats: list[tuple[str, str, str | None]]) -> None:
    read = read_page(page(post(words(shown)))).posts[0]
    assert read.text == text
    assert styles(read.text, read.entities) == formats


def test_several_texts_stand_one_below_another() -> None:
    read = read_page(page(post(words("😀 one") + words("<b>two</b>")))).posts[0]
    assert (read.text, styles(read.text, read.entities)) == ("😀 one\n\ntwo", [("bold", "two", None)])
