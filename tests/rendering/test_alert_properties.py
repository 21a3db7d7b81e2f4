"""Laws of alerts that hold for any post, any formatting and any match."""

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.locales.locale import Locale
from bot.models import Entity
from bot.models.links import post_link
from bot.models.outgoing import Outgoing
from bot.rendering.alert import KEPT, LONG
from bot.text.formatted import FormattedText, Style, nest_styles
from bot.text.markup import sendable, units
from tests.rendering.anything import (
    ALERTS,
    ENTITIES,
    LOCALES,
    LONG_TEXTS,
    LOOSE,
    MONOSPACED,
    NUMBERS,
    assert_nested,
    assert_taken,
    shown,
)
from tests.rendering.values import ShownAlert


@given(ALERTS, LOCALES)
def test_any_alert_is_one_that_telegram_takes(alert: ShownAlert, locale: Locale) -> None:
    assert_taken(alert.render(locale))


@given(ALERTS, LOCALES)
def test_all_formatting_is_the_posts_or_ours(alert: ShownAlert, locale: Locale) -> None:
    outgoing = alert.render(locale)
    brought = {(entity.kind, entity.value) for entity in alert.post.entities}
    links = {alert.post.link, post_link(1, None, 2)}
    links |= {each.link for each in alert.duplicates}
    ours = {("bold", None)} | {("text_url", link) for link in links}
    if any(entity.kind in MONOSPACED for entity in alert.post.entities):
        ours.add(("code", None))
    for entity in outgoing.entities:
        is_loose = entity.kind in LOOSE and entity.kind in {kind for kind, _ in brought}
        assert is_loose or (entity.kind, entity.value) in brought | ours
        if (entity.kind, entity.value) not in ours:
            assert shown(outgoing, entity) in sendable(alert.post.text)


@given(ALERTS, LOCALES)
def test_first_line_and_time_survive_any_post(alert: ShownAlert, locale: Locale) -> None:
    bare = alert.but(text="", entities=(), spans=(), parts=(), duplicates=(), forward=None)
    outgoing, brief = (each.render(locale) for each in (bare.but(text=alert.post.text), bare))
    head, tail = brief.text.split("\n")[0], brief.text.split("\n\n")[-1]
    assert outgoing.text.startswith(f"{head}\n")
    assert outgoing.text.endswith(f"\n\n{tail}")
    link = alert.post.link
    assert [entity.value for entity in outgoing.entities if entity.kind == "text_url"] == [link]


@given(ALERTS, LOCALES)
def test_the_words_that_matched_are_bold_in_a_post_that_is_shown_whole(alert: ShownAlert, locale: Locale) -> None:
    text = sendable(alert.post.text)
    if units(text) > LONG or not text.strip():
        return
    spans = [(start, end) for start, end in alert.alert.spans[:20] if 0 <= start < end <= len(text)]
    outgoing = alert.but(spans=tuple(spans), parts=(), entities=alert.post.entities[:20]).render(locale)
    wanted = {index for start, end in spans for index in range(start, end) if not text[index].isspace()}
    bold = _bold_characters(outgoing)
    lead = len(text) - len(text.lstrip())
    places = [found.start() for found in re.finditer(f"(?={re.escape(text.strip())})", outgoing.text)]
    assert any({place - lead + index for index in wanted} <= bold for place in places)


def _bold_characters(outgoing: Outgoing) -> set[int]:
    raw = outgoing.text.encode("utf-16-le")
    starts = [len(raw[: 2 * e.offset].decode("utf-16-le")) for e in outgoing.entities if e.kind == "bold"]
    lengths = [len(shown(outgoing, e)) for e in outgoing.entities if e.kind == "bold"]
    return {start + index for start, length in zip(starts, lengths, strict=True) for index in range(length)}


WORDS = st.lists(st.sampled_from(["", ".", "!", "\n", ",", " \U0001f642", "\n\n"]), min_size=1, max_size=500)


@given(WORDS, st.lists(st.integers(0, 499), max_size=30), ALERTS, LOCALES)
def test_the_words_of_a_post_come_in_their_order_and_the_first_match_is_among_them(
    ends: list[str], matches: list[int], alert: ShownAlert, locale: Locale
) -> None:
    words = [f"слово{number}{end}" for number, end in enumerate(ends)]
    text = " ".join(words)
    spans = [found.span() for n in sorted(set(matches)) for found in re.finditer(rf"слово{n}\b", text)]
    post = alert.but(text=text, spans=tuple(spans), entities=(), parts=())
    outgoing = post.render(locale)
    numbers = [int(found) for found in re.findall(r"слово(\d+)\b(?!…)", outgoing.text)]
    falls = sum(one >= other for one, other in pairwise(numbers))
    assert falls <= (units(text) <= LONG)  # only the sentence before a short post comes twice
    assert set(numbers) <= set(range(len(words)))
    if spans:
        assert int(text[slice(*spans[0])].removeprefix("слово")) in numbers


PLACES = st.integers(0, 30)
OWN = st.builds(Style, kind=st.sampled_from(sorted(KEPT)), start=PLACES, end=PLACES)
FOUND = OWN.map(lambda style: replace(style, kind="bold", is_match=True))
STYLES = st.lists(OWN | FOUND, max_size=12)


@given(st.text(st.sampled_from("аб \n"), min_size=30, max_size=30), STYLES)
def test_nesting_keeps_every_characters_look_where_telegram_allows_it(text: str, styles: list[Style]) -> None:
    found = nest_styles(text, styles)
    assert_nested([(style.kind, style.start, style.end) for style in found])
    for index, character in enumerate(text):
        before, after = _kinds(styles, index), _kinds(found, index)
        assert after <= before | ({"code"} if "pre" in before else set())
        if not character.isspace() and not after & MONOSPACED:
            assert after & LOOSE == before & LOOSE
        if any(style.is_match and style.start <= index < style.end for style in styles) and not character.isspace():
            assert "bold" in after


@given(STYLES)
def test_what_is_nested_stays_as_it_is(styles: list[Style]) -> None:
    once = nest_styles("а" * 30, styles)
    assert nest_styles("а" * 30, once) == once


def _kinds(styles: Iterable[Style], index: int) -> set[str]:
    return {style.kind for style in styles if style.start <= index < style.end}


@given(LONG_TEXTS, ENTITIES, NUMBERS, NUMBERS)
def test_any_part_of_a_passage_has_its_styles_inside(
    text: str, entities: tuple[Entity, ...], start: int, end: int
) -> None:
    part = FormattedText.read(text, entities, kinds=frozenset({"bold"})).cut(max(0, start), max(0, end))
    assert part.text == text[max(0, start) : max(0, end)]
    assert all(0 <= style.start < style.end <= len(part.text) for style in part.styles)
