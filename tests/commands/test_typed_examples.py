"""What the bot tells people to type, in each language, is what it reads."""

from datetime import timedelta

import pytest

from bot.commands.enlistment import Enlistment, take_enlistment
from bot.commands.follow_options import read_options
from bot.commands.mute import _UNTIL
from bot.commands.parsing import read_digests, read_switch, read_weekday, split_duration
from bot.commands.registry import _QUERIES
from bot.commands.topic_settings import priority_label, split_priority
from bot.locales import LANGUAGES, Translator, translator
from bot.matching.query.parser import parse
from bot.models.alerts import Priority
from bot.schedule import Digests, Every
from bot.search.filters import Order, read
from bot.store.channels import Options
from tests.kit_archive import NOON

pytestmark = pytest.mark.parametrize("t", [translator(each) for each in LANGUAGES], ids=LANGUAGES)


def argument(t: Translator, example: str) -> str:
    """Return what stands behind the command, and in a mute or priority behind the name."""
    return t.gettext(example).partition(" ")[2]


def test_channels(t: Translator) -> None:
    fast, unjoined, private = (
        read_options(argument(t, f"/follow @name {words}"), t)[0].options
        for words in ("fast", "join:no history:5000", "private")
    )
    assert (fast, unjoined) == (Options(fast=True), Options(may_join=False, history=5000))
    assert private == Options(private=True)
    listed = t.gettext("fast, slow, join:no, join:yes, private, history:5000").split(", ")
    assert [read_options(f"@name {word}", t)[0].options == Options() for word in listed] == [False] * len(listed)
    assert take_enlistment(argument(t, "/follow @name group:Regulators"))[1].groups
    assert take_enlistment(argument(t, "/follow @name all"))[1] == Enlistment(feed=True)


def test_alerts(t: Translator) -> None:
    said = [split_priority(argument(t, f"/priority Outages {word}"))[1] for word in ("urgent", "silent", "digest")]
    assert said == [Priority.URGENT, Priority.SILENT, Priority.DIGEST]
    labels = [priority_label(each, t).partition(" (")[0] for each in Priority]
    assert [split_priority(f"X {label}")[1] for label in labels] == [*Priority]
    assert split_duration(argument(t, "/mute @name 8h"))[1] == timedelta(hours=8)
    until = _UNTIL.search(argument(t, "/mute outages @name until Monday"))
    assert until is not None
    assert read_weekday(until[1].casefold()) == 0
    hourly, daily, weekly = (
        read_digests(argument(t, f"/digest {words}")) for words in ("hourly", "daily 9:00", "weekly Mon 9:00")
    )
    assert (hourly, daily, weekly) == (Digests(every=Every.HOUR), Digests(), Digests(every=Every.WEEK))
    assert [read_switch(t.gettext(word)) for word in ("on", "off")] == [True, False]


def test_searches(t: Translator) -> None:
    typed = " ".join(t.gettext(each) for each in ("in:@channel", "since:7d", "until:2026-01-31", "history:yes"))
    found = read(typed, now=NOON).filters
    assert found.channels
    assert found.since == NOON - timedelta(days=7)
    assert found.until
    assert found.history
    searched = read(argument(t, "/search outage in:@name since:7d"), now=NOON)
    assert searched.filters.channels
    assert parse(searched.query)
    hint = t.gettext("There is no order «{value}». Write order:best or order:newest.")
    orders = [read(word.strip(".,"), now=NOON).filters.order for word in hint.split() if ":" in word]
    assert orders == [Order.BEST, Order.NEWEST]


def test_queries(t: Translator) -> None:
    for query, _ in _QUERIES:
        parse(t.gettext(query))
    parse(argument(t, "/test “payment system” outage|failure"))
