"""The query language: what it reads, what it refuses and where, and how it prints."""

import gettext

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.matching.query import MESSAGES, Query, QueryError, parse
from tests.matching.kit import queries, slug, typed


@pytest.mark.parametrize(
    ("source", "canonical"),
    [
        ("Сбой", "сбой"),
        ("=ПО", "=ПО"),
        ("импортозам*", "импортозам*"),
        ("«сбой в работе»", '"сбой в работе"'),
        ("“сбой в работе”~3", '"сбой в работе"~3'),
        ("„сбой, в работе!“", '"сбой в работе"'),
        ("банк карта", "банк карта"),
        ("банк И карта", "банк карта"),
        ("банк AND карта", "банк карта"),
        ("банк|карта свет", "банк|карта свет"),
        ("банк ИЛИ карта OR свет", "банк, карта, свет"),
        ("сбой -учения", "сбой -учения"),
        ("сбой —учения", "сбой -учения"),
        ("-учения сбой", "сбой -учения"),
        ("сбой НЕ учения NOT тест", "сбой -учения -тест"),
        ("сбой /5 банк", "сбой ~5 банк"),
        ("сбой NEAR/5 банк", "сбой ~5 банк"),
        ("а ~5 б ~3 в", "а ~5 б ~3 в"),
        ("а ~5 (б ~3 в)", "а ~5 (б ~3 в)"),
        ("(а|б) в", "а|б в"),
        ("(а, б) в", "а|б в"),
        ("(а б), в", "а б, в"),
        ("(а б) в", "а б в"),
        ("а|(б в)|г", "а, б в, г"),
        ("#Сбой_ВТБ @RKN_tg", "#сбой_втб @rkn_tg"),
        (r"re:/сбо+й\/,|(x) y/", r"re:/сбо+й\/,|(x) y/"),
        ("сбой, перебой; отключение\nблэкаут", "сбой, перебой, отключение, блэкаут"),
        ("\n\nсбой\n\n\nперебой,\n", "сбой, перебой"),
        ("сбой|\n  перебой ~3\n  банк", "сбой|перебой ~3 банк"),
        ("не работает банк|карта", '"не работает" банк|карта'),
        ("без =света", '"без =света"'),
        ("без ~1 свет|вода", "без ~1 свет|вода"),
        ("импорт-замещение", '"импорт замещение"'),
        ("rbc.ru и/или", '"rbc ru" "и или"'),
        ("СБОЙ И БАНК", "сбой и банк"),
        ("cбoй сб0й сбо\u0301й", "сбой сбой сбой"),
        ('"белые"', '"белые"'),
        ('"=белые спис*"', '"=белые спис*"'),
        ("сбой!", "сбой"),
    ],
    ids=slug,
)
def test_a_query_is_read(source: str, canonical: str) -> None:
    assert str(parse(source)) == canonical
    assert parse(canonical) == parse(source)


@pytest.mark.parametrize(
    ("source", "code", "position"),
    [
        ("", "empty", 1),
        (" \n , ", "empty", 1),
        ("сбой (банк", "unclosed_bracket", 6),
        ("сбой) банк", "unopened_bracket", 5),
        ("сбой ()", "empty_bracket", 6),
        ("((((((((((((((((((((((а))))))))))))))))))))))", "too_deep", 21),
        ("сбой «в работе", "unclosed_quote", 6),
        ("сбой «...»", "empty_quote", 6),
        ("«сбой|банк»", "sign_in_quotes", 6),
        ("-учения", "only_exclusions", 1),
        ("сбой, -учения", "only_exclusions", 7),
        ("сбой\n-учения", "only_exclusions", 6),
        ("сбой|-учения", "misplaced_exclusion", 6),
        ("сбой ~3 -учения", "misplaced_exclusion", 9),
        ("сбой - учения", "loose_minus", 6),
        ("сбой —", "loose_minus", 6),
        ("|сбой", "missing_operand", 1),
        ("сбой|", "missing_operand", 5),
        ("сбой ~5", "missing_operand", 6),
        ("~5 сбой", "missing_operand", 1),
        ("сбой И", "missing_operand", 6),
        ("ИЛИ сбой", "missing_operand", 1),
        ("сбой ~ банк", "missing_distance", 6),
        ("сбой ~0 банк", "missing_distance", 6),
        ("сбой ~100 банк", "missing_distance", 6),
        ("сбой ~00991 банк", "missing_distance", 6),
        ("«сбой в работе»~", "missing_distance", 1),
        ("сбой ~5 (банк карта)", "near_parts", 6),
        ("сбой ~5 (банк -карта)", "near_parts", 6),
        ("сбой ~5 re:/банк/", "near_parts", 6),
        ("а*", "short_prefix", 1),
        ("сбой *", "misplaced_star", 6),
        ("сб*ой", "misplaced_star", 3),
        ("=сбой*", "misplaced_star", 6),
        ("= сбой", "lone_sign", 1),
        ("# сбой", "lone_sign", 1),
        ("сбой & банк", "unknown_sign", 6),
        ("сбой 😀", "unknown_sign", 6),
        ("re:/сбой", "unclosed_regex", 1),
        ("банк re:/(?=сбой)/", "refused_regex", 6),
        (r"re:/(а)\1/", "refused_regex", 1),
        ("re:/[а/", "refused_regex", 1),
        (r"re:/\Bсбой/", "refused_regex", 1),
        ("re:/а{1001}/", "refused_regex", 1),
        (r"re:/(\w{99}){99}/", "refused_regex", 1),
        ("re:/" + "а" * 501 + "/", "refused_regex", 1),
        ("re:/сбой|/", "boundless_regex", 1),
        (r"re:/\b/", "boundless_regex", 1),
        ("а" * 8001, "too_long", 1),
        ("а " * 1001, "too_many_parts", 1),
    ],
    ids=slug,
)
def test_a_refusal_says_what_and_where(source: str, code: str, position: int) -> None:
    with pytest.raises(QueryError) as refusal:
        parse(source)
    assert (refusal.value.code, refusal.value.position) == (code, position)
    sentence = MESSAGES[code].format(position=position, **refusal.value.arguments)
    assert str(refusal.value) == sentence


def test_refusals_can_be_translated() -> None:
    catalogue = gettext.NullTranslations()
    error = QueryError("unclosed_bracket", 3)
    sentence = catalogue.gettext(MESSAGES[error.code]).format(position=error.position, **error.arguments)
    assert sentence == "The bracket opened at character 3 is not closed. Add a closing bracket."


@given(typed | st.text())
@example("re:/[/")
@example("«»")
@example("=ß =ŉ =İ")
@example("½ ﹳ ͺ")
def test_any_text_is_read_or_refused_with_a_place(source: str) -> None:
    outcome = _outcome(source)
    if isinstance(outcome, QueryError):
        assert 1 <= outcome.position <= len(source) + 1
        assert str(outcome)
    else:
        assert parse(str(outcome)) == outcome


def _outcome(source: str) -> Query | QueryError:
    try:
        return parse(source)
    except QueryError as refusal:
        return refusal


@given(queries)
def test_a_query_printed_and_read_again_is_the_same(source: str) -> None:
    query = parse(source)
    assert parse(str(query)) == query
    assert str(parse(str(query))) == str(query)
