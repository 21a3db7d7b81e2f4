"""The query language: what it reads, what it refuses and where, and how it prints."""

import gettext
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.matching.query.parser import parse
from bot.matching.query.refusals import MESSAGES, AmbiguousQueryError, QueryError
from bot.matching.query.tree import Query
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
        ("банк|карта свет", "(банк|карта) свет"),
        ("банк ИЛИ карта OR свет", "банк, карта, свет"),
        ("збій І банк АБО картка ТА світло", "збій (банк|картка) світло"),
        ("сбой -учения", "сбой -учения"),
        ("сбой —учения", "сбой -учения"),
        ("-учения сбой", "сбой -учения"),
        ("сбой НЕ учения NOT тест", "сбой -учения -тест"),
        ("сбой /5 банк", "сбой ~5 банк"),
        ("сбой NEAR/5 банк", "сбой ~5 банк"),
        ("а ~5 б ~3 в", "а ~5 б ~3 в"),
        ("а ~5 (б ~3 в)", "а ~5 (б ~3 в)"),
        ("(а|б) в", "(а|б) в"),
        ("(а, б) в", "(а|б) в"),
        ("(а б), в", "а б, в"),
        ("(а б) в", "а б в"),
        ("а|(б в)|г", "а, б в, г"),
        ("#Сбой_ВТБ @RKN_tg", "#сбой_втб @rkn_tg"),
        (r"re:/сбо+й\/,|(x) y/", r"re:/сбо+й\/,|(x) y/"),
        ("сбой, перебой; отключение\nблэкаут", "сбой, перебой, отключение, блэкаут"),
        ("\n\nсбой\n\n\nперебой,\n", "сбой, перебой"),
        ("сбой|\n  перебой ~3\n  банк", "(сбой|перебой) ~3 банк"),
        ("не работает банк|карта", '"не работает" (банк|карта)'),
        ("без =света", '"без =света"'),
        ("без ~1 свет|вода", "без ~1 (свет|вода)"),
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
    ("source", "near", "either"),
    [
        ("«ключевая ставка» | ЦБ ~5 ставка", "(«ключевая ставка»|ЦБ) ~5 ставка", "«ключевая ставка»|(ЦБ ~5 ставка)"),
        ("сбой ИЛИ авария ~5 банк", "(сбой|авария) ~5 банк", "сбой|(авария ~5 банк)"),
        ("сбой / авария ~5 банк", "(сбой|авария) ~5 банк", "сбой|(авария ~5 банк)"),
        ("банк ~5 сбой | авария", "банк ~5 (сбой|авария)", "(банк ~5 сбой)|авария"),
        ("а ~5 б | в ~3 г", "а ~5 (б|в) ~3 г", "(а ~5 б)|(в ~3 г)"),
        ("а | б | в ~5 г | д", "(а|б|в) ~5 (г|д)", "а|б|(в ~5 г)|д"),
        ("а|б ~5 в | г", "(а|б) ~5 (в|г)", "(а|б ~5 в)|г"),
        ("не видно | слышно ~5 сайт", '("не видно"|"не слышно") ~5 сайт', '"не видно"|("не слышно" ~5 сайт)'),
        ("где (а | б ~3 в) -г", "где ((а|б) ~3 в) -г", "где (а|(б ~3 в)) -г"),
    ],
    ids=slug,
)
def test_what_has_two_meanings_is_refused_with_both(source: str, near: str, either: str) -> None:
    with pytest.raises(AmbiguousQueryError) as refused:
        parse(source)
    assert source[refused.value.position - 1] in "|И/"
    start, end = refused.value.span
    assert [source[:start] + reading + source[end:] for reading in refused.value.readings] == [near, either]
    assert parse(near) != parse(either)


@pytest.mark.parametrize(
    ("source", "canonical"),
    [
        ("сбой 😀", "сбой"),
        ("⚡️сбой❗️ 🏳️‍🌈 банк", "сбой банк"),
        ("1️⃣ сбой", "сбой"),
        ("'сбой в работе'~3", '"сбой в работе"~3'),
        ("‘сбой в работе’", '"сбой в работе"'),
        ("‹сбой› ‚сбой‘ `сбой`", '"сбой" "сбой" "сбой"'),
        ("зв'язок don’t O'Reilly", "зв'язок don't o'reilly"),
        ("'don't panic'", '"don\'t panic"'),
        ("сбой'", "сбой"),
        ("«сбой «внутри» сети»", '"сбой внутри сети"'),
        ("«сбой „внутри“ сети»", '"сбой внутри сети"'),
        ('«сбой в работе"', '"сбой в работе"'),
        ("сбой. банк! карта? свет: вода…", "сбой банк карта свет вода"),
        ("сбой, …", "сбой"),
        ("(сбой)!", "сбой"),
        ("• сбой", "сбой"),
        ("• сбой\n• авария", "сбой, авария"),
        ("- сбой\n- авария", "сбой, авария"),
        ("— сбой банк\n\n— авария -учения", "сбой банк, авария -учения"),
        ("* сбой\n* авария", "сбой, авария"),
        ("1. сбой\n2. авария", "сбой, авария"),
        ("1) сбой\n2) авария", "сбой, авария"),
        ("5. сбой", "сбой"),
        ("1. сбой\n2. авария\n4. обрыв", "сбой, авария, обрыв"),
        ("1. сбой\n1. авария", "сбой, авария"),
        ("10. сбой\n11) авария", "сбой, авария"),
        ("2. сбой\nавария", "2 сбой, авария"),
        ("ПО/софт", "по, софт"),
        ("ИТ/IT банк", "(ит|it) банк"),
        ("сбой/ банк", "сбой, банк"),
        ("сбой/", "сбой"),
        ("сбой/5 банк", "сбой ~5 банк"),
        ("Re:/сбо+й/", "re:/сбо+й/"),
        ("re:/сбой/giu банк", "re:/сбой/ банк"),
        ("re:/сбой/m", "re:/сбой/"),
        ("#covid-19", "#covid 19"),
        ("#массовый-сбой банк", "#массовый сбой банк"),
        ("@rkn_tg-бот", "@rkn_tg бот"),
        ('"сбой"-банк', '"сбой" банк'),
        ("(сбой)-банк", "сбой банк"),
        ('"сбой"- банк', '"сбой" банк'),
        ("(-учения сбой)", "сбой -учения"),
        ("сбой, авария -учения", "сбой, авария -учения"),
        ("😀-учения сбой", "сбой -учения"),
        ("не (работает|доступен)", '"не работает", "не доступен"'),
        ("не (работает, доступен|банк*) сайт", '("не работает"|"не доступен"|"не банк*") сайт'),
        ("не работает|доступен", '"не работает", "не доступен"'),
        ("без света|воды|не работает сайт", '("без света"|"без воды"|"не работает") сайт'),
        ("сбой|не работает", 'сбой, "не работает"'),
        ("не работает, сбой", '"не работает", сбой'),
        ('не "работает банк"', '"не работает банк"'),
        ("не (работает|=ПО)|«без света»", '"не работает", "не =ПО", "без света"'),
        ("-не (работает|доступен) сайт", 'сайт -("не работает"|"не доступен")'),
        ("=ПО ИЛИ =ИТ", "=ПО, =ИТ"),
        ("re:/сбой/ ИЛИ #ТЕГ", "re:/сбой/, #тег"),
        ("re:/a/ OR re:/b/", "re:/a/, re:/b/"),
        ("@RKN AND #VPN NOT =ПО", "@rkn #vpn -=ПО"),
        ("VPN OR ВПН", "vpn or впн"),
        ("near =NEAR «XOR»", 'near =NEAR "xor"'),
        ("NEAR XOR", "near xor"),
        ("с 7 до 9, in @rkn", "с 7 до 9, in @rkn"),
        ('"сбой в"~0', '"сбой в"'),
        ("м´яч", "м'яч"),
        ("BTБ", "втб"),
        ("сбой/авария", "сбой, авария"),
        ("сбой / авария банк", "(сбой|авария) банк"),
        ("отключ*/блок*", "отключ*, блок*"),
        ("км/ч и/или 24/7", '"км ч" "и или" "24 7"'),
        ("#тег, @имя.", "#тег, @имя"),
        ("сбой & банк && карта", "сбой банк карта"),
        ("AT&T", '"at t"'),
        ("+сбой +банк", "сбой банк"),
        ("сбой+банк", "сбой банк"),
        ("C++", "c"),
        ("сбой，авария；свет", "сбой, авария, свет"),
        ("＂сбой в работе＂～3", '"сбой в работе"~3'),
        ("（сбой｜авария）＝ПО ＃тег", "(сбой|авария) =ПО #тег"),
        ("сбой –учения −тест ‑пуск ➖проба", "сбой -учения -тест -пуск -проба"),
        ("сбой--авария", '"сбой авария"'),
        ("сбой–авария", '"сбой авария"'),
        ("сбой Или авария", "сбой или авария"),
        ("СБОЙ ИЛИ АВАРИЯ", "сбой или авария"),
        ("И", "и"),
        ("сбой ~ 5 банк", "сбой ~5 банк"),
        ("сбой~5банк", "сбой ~5 банк"),
        ("сбой near/5 банк", "сбой ~5 банк"),
        ("сбой |  авария", "сбой, авария"),
        ("сбой || авария", "сбой, авария"),
        ("сбой\u00a0\u2009 авария", "сбой авария"),
        ("без света", '"без света"'),
        ("НЕ РАБОТАЕТ", '"не работает"'),
        ("сбой, не учения", 'сбой, "не учения"'),
        ("1,5 млн", '"1 5" млн'),
        ("15:40 №5 5% 100$", '"15 40" 5 5 100'),
        ("_сбой_ __банк__", "сбой банк"),
        ("rbc.ru", '"rbc ru"'),
        ("re:/сбой/i банк", "re:/сбой/ банк"),
        ("re: /сбой/", "re:/сбой/"),
        ("сбой|СБОЙ|сбо\u0301й", "сбой"),
    ],
    ids=slug,
)
def test_what_phones_and_habits_make_of_a_query_is_understood(source: str, canonical: str) -> None:
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
        ("«сбой в работе»~", "missing_distance", 16),
        ('"сбой в"~100', "missing_distance", 9),
        ('"сбой в"~2.5', "missing_distance", 9),
        ("сбой ~5.5 банк", "missing_distance", 6),
        ("сбой NEAR банк", "missing_distance", 6),
        ("сбой NEAR5 банк", "missing_distance", 6),
        ("сбой XOR банк", "unknown_operator", 6),
        ("сб?й", "question_mark", 3),
        ("re:сбо+й", "slashless_regex", 1),
        ("банк Re: сбой", "slashless_regex", 6),
        ("re /сбой/", "slashless_regex", 1),
        ("re:/a/b/", "glued_regex", 7),
        ("re:/сбой/банк", "glued_regex", 10),
        ("re:/сбой/x", "glued_regex", 10),
        ("re:/^сбой/m", "glued_regex", 11),
        (", ".join(rf"re:/\w{{1,30}}{n}/" for n in range(205)), "regexes_too_large", 33),
        ("сбой since:7d", "filter", 6),
        ("сбой -in:@News1001", "filter", 7),
        ("сбой в: @rkn", "filter", 6),
        ("сбой OR NOT банк", "misplaced_exclusion", 9),
        ("сбой | -банк", "misplaced_exclusion", 8),
        ("не (#тег|сбой)", "particle", 1),
        ("банк не (работает сайт)", "particle", 6),
        ("не работает|re:/x/", "particle", 1),
        ('="сбой в работе"', "exact_phrase", 1),
        ("сбой.рф/путь", "link", 1),
        ("банк x.com?outage=1", "link", 6),
        ("«читайте x.com:80»", "link", 10),
        ("сбой ~5 (банк карта)", "near_parts", 6),
        ("сбой ~5 (банк -карта)", "near_parts", 6),
        ("сбой ~5 re:/банк/", "near_parts", 6),
        ("а*", "short_prefix", 1),
        ("сбой *", "misplaced_star", 6),
        ("сб*ой", "misplaced_star", 3),
        ("=сбой*", "misplaced_star", 6),
        ("= сбой", "lone_sign", 1),
        ("# сбой", "lone_sign", 1),
        ("сбой [банк]", "unknown_sign", 6),
        ("сбой > банк", "unknown_sign", 6),
        ("сбой !банк", "unknown_sign", 6),
        ("сбой = банк", "lone_sign", 6),
        ("**сбой**", "misplaced_star", 1),
        ("сбой &", "missing_operand", 6),
        ("😀 👍🏽", "empty", 1),
        ("...", "empty", 1),
        ("- сбой", "loose_minus", 1),
        ("сбой — банк", "loose_minus", 6),
        ("сбой\n- учения", "loose_minus", 6),
        ("-сбой\n-авария", "only_exclusions", 1),
        ("сбой в работе»", "unopened_quote", 14),
        ("«сбой «в работе", "unclosed_quote", 1),
        ("«сбой\n«авария", "unclosed_quote", 1),
        ("«сбой\nавария»", "quote_over_lines", 1),
        ('"сбой\nавария"', "quote_over_lines", 1),
        ('"сбой\n"авария', "unclosed_quote", 1),
        ("сбой 'в работе", "unclosed_quote", 6),
        ("сбой https://t.me/news", "link", 6),
        ("rbc.ru/news", "link", 1),
        ("НЕ работает", "only_exclusions", 1),
        ("«сбой в работе» ~3", "loose_gap", 17),
        ("(«сбой в работе» ~3) банк", "loose_gap", 18),
        ('"' + "а " * 51 + '"', "long_phrase", 1),
        ("не " + "а." * 50, "long_phrase", 1),
        (" ~1 ".join("а" * 22), "too_deep", 103),
        ("а-б-в-г-д-е-ж " * 2857, "too_long", 1),
        ("re:/сбой", "unclosed_regex", 1),
        ("банк re:/(?=сбой)/", "regex_look_around", 10),
        ("re:/сбой(?!и)/", "regex_look_around", 9),
        ("re:/(?<=у )сбой/", "regex_look_around", 5),
        ("re:/(?<!у )сбой/", "regex_look_around", 5),
        (r"re:/(а)\1/", "regex_back_reference", 8),
        ("re:/(?P<a>б)(?P=a)/", "regex_back_reference", 13),
        ("re:/(?>сбой)/", "regex_group", 5),
        (r"re:/\Bсбой/", "regex_escape", 5),
        (r"re:/сбой\y/", "regex_escape", 9),
        ("re:/+7/", "regex_repetition", 5),
        ("re:/а+|+б/", "regex_repetition", 8),
        ("re:/а**/", "regex_repetition", 6),
        ("re:/а{1001}/", "regex_repeats_much", 6),
        ("re:/а{2,1}/", "regex_repeats", 6),
        (r"re:/(\w{99}){99}/", "regex_repeats_much", 13),
        ("re:/[а-я ]{1,1000}ъ/", "regex_repeats_much", 11),
        ("re:/((а{1,30}){1,30}){1,30}/", "regex_repeats_much", 15),
        ("re:/((аб){1,30}в){1,30}/", "regex_repeats_much", 18),
        ("re:/а{1,300} б{2,300}/", "regex_repeats_much", 15),
        ("re:/а{1,400}б/, re:/б{1,400}в/", "regexes_too_large", 17),
        ("re:/сб[оа/", "regex_bracket", 7),
        ("re:/((сбой)/", "regex_bracket", 5),
        ("re:/(сбой))/", "regex_bracket", 11),
        ("re:/б\ud800/", "refused_regex", 6),
        ("re:/[я-а]/", "regex_class", 6),
        (r"re:/\p{Foo}/", "regex_class", 5),
        (r"re:/\w{99}/", "regex_too_large", 1),
        ("re:/" + "а" * 501 + "/", "regex_too_large", 1),
        ("re:/сбой|/", "boundless_regex", 1),
        (r"re:/\b/", "boundless_regex", 1),
        ("а" * 40_001, "too_long", 1),
        ("а " * 5_001, "too_many_parts", 1),
    ],
    ids=slug,
)
def test_a_refusal_says_what_and_where(source: str, code: str, position: int) -> None:
    with pytest.raises(QueryError) as refusal:
        parse(source)
    assert (refusal.value.code, refusal.value.position) == (code, position)
    sentence = MESSAGES[code].format(position=position, **refusal.value.arguments)
    assert str(refusal.value) == sentence


def test_an_exclusion_after_an_alternative_is_told_in_its_own_signs() -> None:
    with pytest.raises(QueryError, match=r"“NOT” \(character 9\) excludes, .* “OR”\. Remove “OR” before"):
        parse("сбой OR NOT банк")


def test_large_expressions_are_refused_before_all_of_them_are_made() -> None:
    begun = time.process_time()
    with pytest.raises(QueryError):
        parse(", ".join(rf"re:/\w{{1,35}}ы{n}/" for n in range(500)))
    assert time.process_time() - begun < 1


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
