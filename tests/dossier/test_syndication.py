"""What is written for readers of news, read by such a reader."""

import json
from dataclasses import replace
from datetime import timedelta

import feedparser
import pytest

from bot.dossier.syndication import NewsHeading, NewsItem, SyndicationFormat, news_item, write_syndication
from bot.locales import translator
from bot.models import ObservedBy
from tests.rendering.values import DATE, stored

HEADING = NewsHeading(id="s1-2", name='сбой "<&>" \x02', language="ru")
LATER = DATE + timedelta(hours=3)
NASTY = (
    "]]> <![CDATA[ & &amp; &nbsp; <b>",
    "\x00\x01\x0b\x1f\x7f\x85\ufffe\uffff\ud800",
    "\u202eسلام עולם\u2066",
    "👩‍👩‍👧🇺🇦\U0010ffff",
    "строка\r\nвторая\rтретья\u2028",
    "я" * 4096,
    "",
)


def items_of(how: SyndicationFormat, *items: NewsItem) -> list[tuple[str, str, str]]:
    """Return id, text and time of the last change of each item, as a reader finds them."""
    content = write_syndication(how, HEADING, items)
    assert content == write_syndication(how, HEADING, items)
    if how is SyndicationFormat.JSON_FEED:
        feed = json.loads(content)
        assert feed["version"] == "https://jsonfeed.org/version/1.1"
        assert feed.keys() >= {"title", "items", "language"}
        assert all(isinstance(each["id"], str) and each["content_text"] for each in feed["items"])
        return [(each["id"], each["content_text"], each["date_modified"]) for each in feed["items"]]
    found = feedparser.parse(content)
    assert (found.bozo, found.feed.title) == (0, 'сбой "<&>" \ufffd')
    assert all(each.title and each.link and each.published for each in found.entries)
    return [(each.id, each.summary, each.updated) for each in found.entries]


@pytest.mark.parametrize("how", SyndicationFormat)
def test_whatever_a_post_says_a_reader_takes_it(how: SyndicationFormat) -> None:
    t = translator("en")
    found = [news_item(stored(number, text=text, channel_title=text), t) for number, text in enumerate(NASTY, start=1)]
    ids, texts, _ = zip(*items_of(how, *found), strict=True)
    assert ids == tuple(f"tag:channelwatch,2026:7/{number}" for number in range(1, 1 + len(NASTY)))
    assert (len(texts[5]), texts[6]) == (4096, "(no text)")
    assert items_of(how) == []


@pytest.mark.parametrize("how", SyndicationFormat)
def test_an_edit_and_a_deletion_are_told_under_the_same_id(how: SyndicationFormat) -> None:
    t = translator("en")
    states = (
        stored(),
        stored(text="Починили", edit_date=LATER),
        replace(stored(text="Починили"), number=2, seen_at=LATER),  # a web page does not say when
        stored(gone_at=LATER, gone_by=ObservedBy.LIVE),
        stored(gone_at=LATER, gone_by=ObservedBy.SWEEP),
    )
    found = [items_of(how, news_item(each, t))[0] for each in states]
    assert {id_ for id_, _, _ in found} == {"tag:channelwatch,2026:7/1"}
    assert [updated for _, _, updated in found] == [DATE.isoformat(), *[LATER.isoformat()] * 4]
    told, missing = (text for _, text, _ in found[3:])
    assert told.startswith("Deleted, Telegram told us 2021-10-04 18:39 UTC")
    assert missing.startswith("Missing when read again 2021-10-04 18:39 UTC")
