import re
from functools import cache
from importlib import resources
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

import bot
from bot.locales import DOMAIN, LANGUAGES, translator
from bot.locales.locale import BUILTIN_TITLES, topic_title

PLACEHOLDER = re.compile(r"\{\w*\}")
CODE = Path(bot.__file__).parent
Message = str | tuple[str, ...]  # singular and plural where it counts something


@cache
def marked() -> frozenset[Message]:
    """Extract what the code marks for translation."""
    found = extract_from_dir(CODE, [("**.py", "python")], keywords=DEFAULT_KEYWORDS)
    return frozenset(message for _, _, message, _, _ in found)


@cache
def catalogue(language: str) -> Catalog:
    source = resources.files("bot.locales").joinpath(language, "LC_MESSAGES", f"{DOMAIN}.po")
    return read_po(BytesIO(source.read_bytes()), locale=language)


def forms(value: Message) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def test_there_is_something_to_translate() -> None:
    assert "Open" in marked()
    assert any(isinstance(message, tuple) for message in marked())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_holds_what_the_code_says_and_nothing_else(language: str) -> None:
    known = {message.id if isinstance(message.id, str) else tuple(message.id) for message in catalogue(language)}
    assert known - {""} == marked()


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_everything_is_said_in_each_language(language: str) -> None:
    messages = [message for message in catalogue(language) if message.id]
    missing = [message.id for message in messages if message.fuzzy or not all(forms(message.string))]
    assert not missing
    plural = [message for message in messages if message.pluralizable]
    assert {len(message.string) for message in plural} == {3}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_placeholders_of_its_text(language: str) -> None:
    for message in catalogue(language):
        wanted = sorted(PLACEHOLDER.findall(forms(message.id)[-1]))
        for text in filter(None, forms(message.string) if message.id else ()):
            assert sorted(PLACEHOLDER.findall(text)) == wanted, message.id


def test_languages_that_we_do_not_speak_are_answered_in_english() -> None:
    assert translator("fr").language == "en"
    assert translator("").gettext("Open") == "Open"


@pytest.mark.parametrize("code", ["ru", "ru-RU", "RU_ru"])
def test_a_language_code_may_name_a_country(code: str) -> None:
    assert translator(code).gettext("Open") == "Открыть"


@pytest.mark.parametrize(
    ("language", "one", "few", "many"), [("ru", "пост", "поста", "постов"), ("uk", "допис", "дописи", "дописів")]
)
def test_plural_forms_are_those_of_the_number(language: str, one: str, few: str, many: str) -> None:
    numbers = {1: one, 2: few, 4: few, 5: many, 11: many, 12: many, 21: one, 22: few, 111: many}
    shown = {n: translator(language).ngettext("{n} post", "{n} posts", n).format(n=n) for n in numbers}
    assert shown == {n: f"{n} {word}" for n, word in numbers.items()}


def test_built_in_topics_have_titles_and_others_their_names() -> None:
    titles = {topic_title(name, translator("ru")) for name in BUILTIN_TITLES}
    assert not titles & set(BUILTIN_TITLES.values())
    assert topic_title("Мой завод", translator("ru")) == "Мой завод"
