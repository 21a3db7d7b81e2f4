import pytest

from bot.text.language import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Из-за сбоя сайт банка недоступен", "ru"),
        ("Сбой в банке, apps OK", "ru"),
        ("Через збій сайт банку недоступний, зв'язок відновлено", "uk"),
        ("The site of the bank is down for an hour", "en"),
        ("Die Seite der Bank war eine Stunde nicht erreichbar", None),
        ("З-за збою сайт банка недаступны, у ўсіх", None),
        ("Поради срив сайтът на банката не работи", None),
        ("Због квара сајт банке није доступан", None),
        ("12:30", None),
    ],
)
def test_a_language_shows_in_letters_and_common_words(text: str, language: str | None) -> None:
    assert language_of(text) == language
