import pytest

from bot.matching.engine.compiled import Compiled, compile_query, verify
from bot.matching.engine.matcher import Matcher
from bot.matching.explain.exclusions import choices, compile_excluding, excluding, including
from bot.matching.query.parser import LONGEST_QUERY, parse
from bot.matching.query.refusals import QueryError
from bot.matching.words.tokens import analyse
from tests.kit_archive import INFLECTOR

TOPIC = "сбой|авария, сайт недоступен"
QUERIES = ["сбой", TOPIC, "сбой -авария", '"сбой в работе"~2', "сбой ~3 сайт", "re:/сбо+й/", "(a b, c) -d", "#сбой"]
TEXT = "Сбой на заводе. Аварийные службы провели учения: сайт завода не работал #учения @zavod в 2025 году."


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("words", [("учения",), ("учения", "#реклама", "2025")])
def test_what_is_kept_of_a_query_without_words_can_be_read_again(query: str, words: tuple[str, ...]) -> None:
    whole = excluding(parse(query), words)
    assert parse(str(whole)) == whole
    assert excluding(whole, words) == whole


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Сбой", True),
        ("Авария", True),
        ("Сайт недоступен", True),
        ("Сбой на учениях", False),
        ("Авария: идут учения", False),
        ("Сайт недоступен #реклама", False),
        ("Сайт недоступен, реклама", True),
    ],
)
def test_a_topic_finds_nothing_that_says_a_word_in_any_form(text: str, found: bool) -> None:  # noqa: FBT001 - a table
    compiled = compile_excluding(TOPIC, ("учения", "#реклама"), INFLECTOR)
    document = analyse(text)
    assert (verify(compiled, document) is not None) == found
    assert ("topic" in Matcher({"topic": compiled}).match(document)) == found
    assert ("topic" in Matcher({"topic": Compiled.from_json(compiled.to_json())}).match(document)) == found


def test_without_its_exclusions_a_query_is_what_it_was() -> None:
    plain = compile_query(parse(TOPIC), INFLECTOR)
    again = including(compile_excluding(TOPIC, ("учения",), INFLECTOR), TOPIC)
    assert again.query == plain.query
    assert verify(again, analyse("Сбой на учениях")) == verify(plain, analyse("Сбой на учениях"))


def test_a_query_with_no_room_left_for_words_is_refused() -> None:
    query = "|".join(f"длинноеслово{number:04}" for number in range(2_350))
    assert len(query) < LONGEST_QUERY < len(query) + 150
    with pytest.raises(QueryError):
        compile_excluding(query, ("а" * 150,), INFLECTOR)


def test_what_was_found_is_offered_first_and_then_the_telling_words_of_its_sentence() -> None:
    document = analyse(TEXT)
    found = verify(compile_query(parse("сайт завод"), INFLECTOR), document)
    assert found is not None
    offered = [choice.text for choice in choices(document, found[1:], INFLECTOR, most=8)]
    assert offered[:2] == ["сайт", "завода"]
    assert set(offered[2:]) == {"Аварийные", "службы", "провели", "учения", "работал", "#учения"}


def test_each_word_that_is_offered_excludes_the_text_it_stands_in() -> None:
    document = analyse(TEXT)
    offered = choices(document, (), INFLECTOR, most=8)
    assert len(offered) == 8
    assert len({choice.word for choice in offered}) == 8
    for choice in offered:
        query = compile_query(parse(choice.word), INFLECTOR)
        assert verify(query, document) is not None


def test_a_text_without_words_offers_none() -> None:
    assert choices(analyse("🙂 123 @zavod https://example.org"), (), INFLECTOR, most=8) == []
