import pytest

from bot.commands.lookup import unquoted
from tests.commands.kit import Bot, text
from tests.kit_archive import NEWS, post

TURNING = "\u202e"  # turns around whatever follows on its line
TITLE = f"{TURNING}Вести\n{TURNING}дня"


@pytest.mark.parametrize(
    "asked",
    [
        b"list:0",
        f"post:{NEWS}:1".encode(),
        f"quote:{NEWS}:1".encode(),
        f"snooze:{NEWS}:1".encode(),
        f"snooze:{NEWS}:1:t1c{NEWS}:ever".encode(),
        "/latest",
        "/search сбой",
        "/topics",
        "/mute",
        "/status",
        "/test сбой",
    ],
)
async def test_no_title_turns_our_own_words_around(bot: Bot, asked: str | bytes) -> None:
    await bot.pair()
    await bot.archive.follow(title=TITLE)
    await bot.archive.live(post(1, "Сбой"))
    await bot.taps(f"mute:t1c{NEWS}".encode())
    reply = await (bot.taps(asked) if isinstance(asked, bytes) else bot.says(asked))
    written = [*reply.messages, *filter(None, [reply.edit])]
    rows = [*(reply.buttons or ()), *(row for message in written for row in message.buttons)]
    said = "\n".join([text(reply), *(button.text for row in rows for button in row)])
    assert said
    assert TURNING not in said


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("  «Сбои\n связи» ", "Сбои связи"),
        ("“Сбои", "Сбои"),
        ('Дело "Платон"', 'Дело "Платон"'),
        ('«Дело "Платон"»', 'Дело "Платон"'),
        ("«А» и «Б»", "«А» и «Б»"),
        ("'Зв'язок'", "Зв'язок"),
        ("«»", ""),
    ],
)
def test_quotes_around_a_name_are_none_of_it(typed: str, name: str) -> None:
    assert unquoted(typed) == name
