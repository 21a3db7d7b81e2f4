"""Inflection: the forms that posts use are found, those of other words are not."""

import pytest

from bot.matching.engine.compiled import compile_query
from bot.matching.explain.hints import HintKind, hints
from bot.matching.query.parser import parse
from bot.matching.words.inflection import Inflector
from tests.matching.kit import INFLECTOR


@pytest.mark.parametrize(
    ("word", "forms"),
    [
        ("сбой", "сбой сбоя сбою сбоем сбое сбои сбоев сбоям сбоями сбоях"),
        ("упасть", "упал упала упало упали упадет упавший"),
        ("лечь", "лег легла легли ляжет"),
        ("отключить", "отключат отключили отключен отключены отключенный отключился отключилась отключится"),
        ("перебой", "перебои перебоев перебоями"),
        ("импортозаместить", "импортозаместили импортозамещенный"),
        ("чебурнет", "чебурнета чебурнету чебурнетом чебурнете"),
        ("чебурнета", "чебурнет чебурнетом"),
        ("рутубом", "рутуб рутуба рутубом"),
        ("чебурнетов", "чебурнет чебурнета"),
        ("телеграм", "телеграма телеграму телеграмом телеграме"),
        ("шатдаун", "шатдауна шатдауны шатдаунов"),
        ("блекаут", "блекаута"),
        ("росатом", "росатома росатомом"),
        ("майнинг", "майнинга майнингом"),
        ("вайфай", "вайфая вайфаем"),
        ("зум", "зума зумом"),
        ("ютуб", "ютуба ютубом ютубе"),
        ("чатбот", "чатбота чатботы"),
        ("скам", "скама скаму скамом"),
        ("рутуб", "рутубом рутубе"),
        ("биткоин", "биткоина биткоином биткоины"),
        ("хабр", "хабра хабром хабре"),
        ("телеграмм", "телеграмма телеграммом телеграмме"),
        ("ддосить", "ддосит ддосили ддосят"),
        ("роскомнадзор", "роскомнадзора роскомнадзору"),
        ("лед", "лед льда"),
        ("банки", "банк банка банок банков"),
        ("збій", "збій збої збоїв збоями"),
        ("вимкнути", "вимкнули вимкнено вимкнувся"),
        ("зв'язок", "зв'язку зв'язком"),
        ("мережа", "мережі мережу"),
        ("outage", "outage outages outage's"),
        ("outages", "outage"),
        ("company", "companies company's"),
        ("ban", "bans banned banning"),
        ("throttle", "throttled throttling throttles"),
        ("crash", "crashes crashed"),
        ("fall", "fell fallen falls falling"),
        ("went", "go goes gone"),
        ("vpn", "vpn vpns"),
        ("banned", "ban bans banning"),
        ("blocked", "block blocks blocking"),
        ("blocking", "block blocks blocked"),
        ("throttled", "throttle throttles throttling"),
        ("throttling", "throttle throttled"),
        ("disabled", "disable disabling"),
        ("restored", "restore restores restoring"),
        ("monitored", "monitor monitoring"),
        ("removing", "remove removed"),
        ("closed", "close closing"),
        ("continued", "continue"),
        ("denied", "deny denies denying"),
        ("died", "die dies"),
        ("cancelled", "cancel canceled cancels"),
        ("cancel", "cancelled canceled cancelling"),
        ("called", "call calls"),
        ("passed", "pass passes"),
        ("added", "add adding"),
        ("crashing", "crash crashes crashed"),
        ("hacked", "hack hacks hacking"),
        ("cutting", "cut cuts"),
        ("going", "go goes went gone"),
        ("falling", "fall fell fallen"),
        ("freed", "free freeing"),
        ("noted", "note notes"),
        ("warning", "warn warned warnings"),
        ("hundred", "hundreds"),
        ("lie", "lies lied lying"),
        ("tying", "tie ties tied"),
        ("quit", "quits quitting"),
        ("panicked", "panic panics panicking"),
        ("crisis", "crises"),
        ("analyses", "analysis"),
        ("life", "lives life's"),
        ("lives", "life live living"),
    ],
)
def test_forms_are_found(word: str, forms: str) -> None:
    assert set(forms.split()) <= INFLECTOR.forms(word)


@pytest.mark.parametrize(
    ("word", "others"),
    [
        ("сбой", "сборка сбоить сбоил"),
        ("белые", "белый белая"),
        ("скам", "ск ска сками"),
        ("хабр", "хабрый хабрая"),
        ("лечь", "лечить лечит"),
        ("свет", "светить светит"),
        ("сувенир", "суверенитет"),
        ("news", "new"),
        ("2022", "2021"),
        ("speed", "spe spe's spes spee"),
        ("need", "ne nee"),
        ("bed", "b be"),
        ("red", "r re"),
        ("king", "k ke ks"),
        ("thing", "th the"),
        ("string", "str stre"),
        ("during", "dur durs"),
        ("wedding", "wed wedded"),
        ("united", "unit units unite"),
        ("media", "medium medi"),
        ("evening", "even evens"),
        ("noted", "not nots"),
        ("cared", "car cars"),
        ("used", "us"),
        ("hoped", "hop hops"),
        ("called", "cal"),
        ("being", "bee bees"),
        ("building", "build built"),
    ],
)
def test_other_words_are_not(word: str, others: str) -> None:
    assert not set(others.split()) & INFLECTOR.forms(word)


def test_inside_a_phrase_every_likely_reading_counts() -> None:
    assert {"белый", "белого", "белые"} <= INFLECTOR.forms("белые", in_phrase=True)


@pytest.mark.parametrize(
    "word", ["сбой", "ґ", "по", "1c", "covid19", "ab", "ы", "ъъъ", "хрщ", "中文", "d'arc", "о'кей"]
)
def test_a_word_is_one_of_its_own_forms(word: str) -> None:
    assert word in INFLECTOR.forms(word)
    assert word in INFLECTOR.forms(word, in_phrase=True)


def test_without_the_ukrainian_dictionary_its_words_have_the_typed_form_and_others_all() -> None:
    inflector = Inflector(has_ukrainian=False)
    for word in ("збій", "зв'язок", "інтернету"):
        assert inflector.forms(word) == {word}
        assert inflector.bases(word, in_phrase=True) == (word,)
        assert inflector.known(word) == []
    for word in ("сбой", "отключить", "чебурнет", "outage"):
        assert inflector.forms(word) == INFLECTOR.forms(word)
    hint = hints(parse("збій мережа сбой"), inflector)[0]  # the most useful
    assert (hint.word, hint.kind) == ("збій", HintKind.UNINFLECTED)
    assert compile_query(parse("збій мережі|сбой"), inflector).forms.keys() >= {"сбой"}
