"""What holds the parts of a query together: a paragraph, a sentence or two neighbours, the head of a post."""

import pytest

from bot.matching.engine.compiled import verify
from bot.matching.engine.matcher import Matcher
from bot.matching.explain.explain import Reason, explain
from bot.matching.query.parser import parse
from bot.matching.query.refusals import QueryError
from bot.matching.words.tokens import analyse
from bot.matching.words.windows import Unit
from tests.matching.kit import compiled, found, slug

FILLER = "Эксперты рынка обсудили планы на год, отметили рост продаж и назвали лучшие города для жизни и работы."
LONG = f"{FILLER} {FILLER}"
PARAGRAPHS = f"{LONG}\n\nСбой у банка.\n\n{LONG}\n\nОтключили воду в городе.\n\n{LONG}"


@pytest.mark.parametrize(
    ("query", "text", "is_found"),
    [
        pytest.param("сбой банк", PARAGRAPHS, True, id="one paragraph"),
        pytest.param("сбой вода", PARAGRAPHS, False, id="two paragraphs"),
        pytest.param("сбой (банк|вода)", PARAGRAPHS, True, id="one of two in the paragraph"),
        pytest.param("(сбой вода)|(отключить город)", PARAGRAPHS, True, id="brackets with parts of their own"),
        pytest.param("сбой -вода", PARAGRAPHS, False, id="an exclusion counts everywhere"),
        pytest.param("сбой вода", "Сбой\n\nОтключили воду", True, id="a short post is one paragraph"),
        pytest.param("день вода", f"Главное за день\n\n{PARAGRAPHS}", True, id="the headline counts with each"),
        pytest.param("эксперт вода", PARAGRAPHS, False, id="a long first paragraph is no headline"),
        pytest.param('"сбой у" вода', PARAGRAPHS, False, id="phrases too"),
        pytest.param("сбой ~3 банк вода", PARAGRAPHS, False, id="distances too"),
        pytest.param("re:/сбо[йя]/ вода", PARAGRAPHS, False, id="expressions too"),
        pytest.param("sentence:(сбой банк)", PARAGRAPHS, True, id="one sentence"),
        pytest.param("sentence:(сбой дом)", "Утром был сбой. Банк закрыт. В доме нет света.", True, id="a short text"),
        pytest.param("sentence:(сбой вода)", f"{LONG} Сбой у банка. {LONG} {LONG} Вода.", False, id="far sentences"),
        pytest.param("sentence:(сбой вода)", f"{LONG} Сбой у банка. Нет воды в доме.", True, id="neighbours"),
        pytest.param(
            "sentence:(сбой -вода)", f"{LONG} Сбой у банка. Нет воды в доме. {LONG}", True, id="in one of them"
        ),
        pytest.param("sentence:(сбой -вода)", f"{LONG} Сбой у воды. {LONG}", False, id="excluded in the sentence"),
        pytest.param("sentence:(сбой -вода)", f"{LONG} Сбой. {LONG} {LONG} Вода.", True, id="excluded elsewhere"),
        pytest.param("sentence:(сбой) -вода", f"{LONG} Сбой. {LONG} {LONG} Вода.", False, id="excluded everywhere"),
        pytest.param("head:сбой", f"Сбой у банка. {LONG}", True, id="at the beginning"),
        pytest.param("head:сбой", f"{LONG} {LONG} {LONG} Сбой у банка.", False, id="not at the beginning"),
        pytest.param("head:сбой вода", f"Сбой. {LONG} {LONG} {LONG}\n\nВода.", True, id="a unit stands by itself"),
        pytest.param("сбой -head:день", f"{PARAGRAPHS} День.", True, id="excluded from the head alone"),
        pytest.param("сбой -head:день", f"Главное за день\n\n{PARAGRAPHS}", False, id="excluded in the head"),
    ],
)
def test_parts_stand_together(query: str, text: str, *, is_found: bool) -> None:
    document = analyse(text)
    assert (verify(compiled(query), document) is not None) == is_found
    assert bool(Matcher({"topic": compiled(query)}).match(document)) == is_found
    assert explain(compiled(query), document).matched == is_found


def test_only_what_stands_together_is_marked() -> None:
    text = f"Сбой у банка. {LONG} {LONG} Сбой в доме: нет воды."
    assert found("sentence:(сбой вода)", text) == ["Сбой", "воды"]
    assert found("сбой банк", f"{PARAGRAPHS}\n\nСбой.") == ["Сбой", "банка"]


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("начало: сбой", "head:сбой"),
        ("HEAD:(сбой|банк)", "head:(сбой|банк)"),
        ("предложение:(сбой банк -вода)", "sentence:(сбой банк -вода)"),
        ("речення:(збій\nбанк)", "sentence:(збій|банк)"),
        ('head:"сбой в работе"|банк', 'head:"сбой в работе", банк'),
        ("head:sentence:(сбой банк)", "head:sentence:(сбой банк)"),
    ],
)
def test_reaches_are_read_in_three_languages(typed: str, canonical: str) -> None:
    assert str(parse(typed)) == canonical
    assert parse(canonical) == parse(typed)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("head:)", "lone_sign"),
        ("head:, сбой", "lone_sign"),
        ("head:-сбой", "lone_sign"),
        ("head:сбой ~3 банк", "near_parts"),
        ("head:" * 30 + "сбой", "too_deep"),
    ],
    ids=slug,
)
def test_a_scope_of_nothing_is_refused(typed: str, code: str) -> None:
    with pytest.raises(QueryError) as refused:
        parse(typed)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("query", "unit"),
    [
        ("сбой вода", Unit.PARAGRAPH),
        ("sentence:(сбой вода)", Unit.SENTENCE),
        ("head:(эксперт вода)", Unit.HEAD),
    ],
)
def test_an_explanation_says_what_should_hold_the_parts_together(query: str, unit: Unit) -> None:
    root = explain(compiled(query), analyse(PARAGRAPHS)).root
    assert (root.held, root.reason, root.unit) == (False, Reason.APART, unit)
