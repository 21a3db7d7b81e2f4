from hypothesis import given
from hypothesis import strategies as st

from bot.models import Entity
from bot.text.markup import LIMIT, Text, bold, link, units

WORDS = st.text(st.sampled_from("aя 😀\n🏴é"), max_size=30)


def part(text: str, entity: Entity) -> str:
    raw = text.encode("utf-16-le", "surrogatepass")
    return raw[2 * entity.offset : 2 * (entity.offset + entity.length)].decode("utf-16-le", "surrogatepass")


def test_an_entity_after_an_emoji_is_counted_in_utf16_units() -> None:
    text, entities = Text().add("😀 ").add(bold("сбой")).build()
    assert text == "😀 сбой"
    assert entities == (Entity(kind="bold", offset=3, length=4),)


def test_a_sentence_takes_pieces_in_the_order_of_its_translation() -> None:
    text, entities = Text().say("{n} in {channel}!", channel=link("МИД", "https://t.me/mid"), n=bold("3")).build()
    assert text == "3 in МИД!"
    assert [(e.kind, part(text, e), e.value) for e in entities] == [
        ("bold", "3", None),
        ("text_url", "МИД", "https://t.me/mid"),
    ]


def test_braces_and_markup_in_foreign_words_stay_letters() -> None:
    text, entities = Text().say("{title} is here", title="**{x}** [a](http://b) <b>").build()
    assert (text, entities) == ("**{x}** [a](http://b) <b> is here", ())


def test_marked_spans_become_bold_words() -> None:
    text, entities = Text().marked("у нас сбой и снова сбой", [(6, 10), (19, 23)]).build()
    assert [part(text, e) for e in entities] == ["сбой", "сбой"]


def test_blank_ends_are_trimmed_and_entities_move_along() -> None:
    text, entities = Text().add("\n ").add(bold("a \n")).build()
    assert (text, entities) == ("a", (Entity(kind="bold", offset=0, length=1),))


def test_a_joined_text_keeps_its_formatting() -> None:
    text, entities = Text().add("😀").join(Text().add(bold("b"))).build()
    assert (text, entities) == ("😀b", (Entity(kind="bold", offset=2, length=1),))


def test_a_long_text_is_cut_at_a_word_and_says_so() -> None:
    text, entities = Text().add(bold("слово " * 1000)).cut().build()
    assert text.endswith("слово…")
    assert units(text) <= LIMIT
    assert entities[0].length == units(text) - 1


def test_one_endless_word_is_cut_in_the_middle() -> None:
    text, _ = Text().add("a " + "😀" * 3000).cut().build()
    assert LIMIT - 2 <= units(text) <= LIMIT


@given(st.lists(st.tuples(WORDS, st.sampled_from([None, "bold", "code"])), max_size=8), st.integers(4, 40))
def test_every_entity_lies_within_the_text_whatever_is_cut(pieces: list[tuple[str, str | None]], limit: int) -> None:
    growing = Text()
    for text, kind in pieces:
        growing.add(bold(text)) if kind else growing.add(text)
    text, entities = growing.cut(limit).build()
    assert units(text) <= limit
    assert text == text.strip()
    for entity in entities:
        assert entity.length > 0
        assert 0 <= entity.offset <= units(text) - entity.length
        part(text, entity).encode("utf-8")  # no half of a surrogate pair
