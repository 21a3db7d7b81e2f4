from datetime import timedelta

from bot.models import Forward
from bot.parts import Part, PartKind
from tests.commands.kit import BORIS, Bot, bold_words, button, labels, text
from tests.kit_archive import NOON, OTHER, ago, gone, post


async def filled(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(title="Вести")
    posts = [
        post(number, f"Сбой номер {number}", date=NOON - timedelta(minutes=20 - number)) for number in range(1, 13)
    ]
    await bot.archive.live(*posts)


async def test_a_search_shows_the_newest_posts_with_the_words_in_bold(bot: Bot) -> None:
    await filled(bot)
    found = await bot.says("/search сбои")
    assert text(found).startswith(
        "🔎 сбои · 12 found\n\n1. Вести · 10 Mar, 11:52 UTC\nСбой номер 12\n\n2. Вести · 10 Mar, 11:51 UTC\n"
    )
    assert bold_words(found.messages[0]) == ["Сбой"] * 5
    assert "https://t.me/News1001/12" in [entity.value for entity in found.messages[0].entities]


async def test_what_was_found_beside_a_text_stands_under_it_by_its_name(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(title="Вести")
    poll = tuple(Part(kind=PartKind.POLL, text=text) for text in ("Был сбой?", "Да"))
    page = (Part(kind=PartKind.PREVIEW, text=f"{'Долгое вступление. ' * 30}Сбой в банке"),)
    await bot.archive.live(post(1, "", parts=poll), post(2, "Читайте здесь", parts=page, date=ago(minutes=1)))
    found = await bot.says("/search сбой")
    lines = text(found).splitlines()
    assert lines[3] == "Poll: Был сбой?"
    assert lines[6] == "Читайте здесь"
    assert lines[7].startswith("Link preview: …")
    assert lines[7].endswith("Сбой в банке")
    assert bold_words(found.messages[0]) == ["сбой", "Сбой"]
    assert "Poll: Был сбой?" in text(await bot.says("/latest"))
    assert "Poll: Был сбой?" in text(await bot.says("/test сбой"))


async def test_more_goes_on_until_the_end(bot: Bot) -> None:
    await filled(bot)
    pages = [await bot.says("/search сбой")]
    while labels(pages[-1].messages[0]):
        pages.append(await bot.taps(button(pages[-1].messages[0], "More")))
    numbers = [int(line.split()[-1]) for page in pages for line in text(page).splitlines() if line.startswith("Сбой")]
    assert numbers == list(range(12, 0, -1))
    assert [len(page.messages[0].text.split("Вести")) - 1 for page in pages] == [5, 5, 2]


async def test_dates_are_those_of_the_chats_zone(bot: Bot) -> None:
    await filled(bot)
    await bot.taps(b"zone:Europe/Moscow")
    assert "10 Mar, 14:52" in text(await bot.says("/search сбой"))


async def test_nothing_found_and_nothing_asked_are_told_apart(bot: Bot) -> None:
    await filled(bot)
    assert "Nothing found" in text(await bot.says("/search бегемот"))
    assert "for example" in text(await bot.says("/search"))
    assert "👉" in text(await bot.says("/search сбой ("))


async def test_a_search_that_was_forgotten_says_so(bot: Bot) -> None:
    await bot.pair()
    assert "too old" in text(await bot.taps(b"more:m-12345"))


async def test_foreign_markup_stays_text(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(title="<b>*Вести*</b>")
    await bot.archive.live(post(1, "**Сбой** [ссылка](https://example.org) {name} <i>"))
    found = await bot.says("/search сбой")
    assert "<b>*Вести*</b>" in text(found)
    assert "**Сбой** [ссылка](https://example.org) {name} <i>" in text(found)
    assert [entity.kind for entity in found.messages[0].entities] == ["code", "text_url", "bold"]


async def test_the_latest_posts_of_one_channel_and_of_all(bot: Bot) -> None:
    await filled(bot)
    await bot.archive.follow(OTHER, title="Хроника")
    await bot.archive.live(post(1, "", channel_id=OTHER, date=NOON - timedelta(hours=2)))
    await bot.archive.live(gone(12))
    assert text(await bot.says("/latest")).startswith(
        "1. Вести · 10 Mar, 11:52 UTC · 🗑 deletion told by Telegram\nСбой номер 12"
    )
    assert text(await bot.says("/latest @News1002")) == "1. Хроника · 10 Mar, 10:00 UTC\n(no text)"
    assert "Сбой номер 12" in text(await bot.says("/latest Вести"))
    assert text(await bot.says("/latest outages")).startswith("Outages · 12 found\n\n1. Вести")
    assert "There is no channel" in text(await bot.says("/latest @nobody"))
    first = await bot.says("/latest @News1001")
    second = await bot.taps(button(first.messages[0], "More"))
    assert "Сбой номер 7\n" in text(second)
    assert "Сбой номер 8\n" not in text(second)


async def test_what_a_channel_would_have_brought_is_listed_for_this_chats_topics(bot: Bot) -> None:
    await bot.pair(BORIS)
    await bot.pair()
    for name in ("outages", "sovereignty"):
        await bot.says(f"/untrack {name}")
    await bot.says("/track outages")
    await bot.tracks("Номера: номер")
    await bot.archive.follow(title="Вести")
    await bot.archive.sweep(
        post(1, "Сбой номер 1", date=ago(days=8)),
        post(2, "Сбой номер 2", date=ago(days=3)),
        post(3, "Импортозамещение", date=ago(days=2)),
        post(4, "Сбой", date=ago(days=1), grouped_id=7),
        post(5, "Сбой ещё раз", date=ago(days=1), grouped_id=7),
    )
    seen = await bot.taps(b"seen:1001")
    lines = [line for line in text(seen).splitlines() if line and " · " not in line]
    assert lines == ["Сбой ещё раз", "Сбой номер 2", "Сбой номер 1"]
    assert bold_words(seen.messages[0]) == ["Сбой", "Сбой", "номер", "Сбой", "номер"]
    assert "No stored post" in text(await bot.taps(b"seen:4711"))


async def test_posts_that_came_too_late_are_listed_by_the_button_under_their_notice_and_no_others(bot: Bot) -> None:
    await bot.pair()
    await bot.tracks("Номера: номер")
    await bot.archive.follow(title="Вести")
    await bot.archive.sweep(*(post(n, f"Номер {n}", date=ago(days=9 - n)) for n in range(1, 8)))
    await bot.archive.live(post(9, "Номер 9"))
    notice = next(alert for alert in await bot.archive.outbox() if alert.label == "late")
    listed = await bot.taps(f"sum:{notice.random_id}:0:new".encode())
    lines = [line.split(" · ")[0] for line in text(listed).splitlines() if line.startswith("•")]
    assert lines == [f"• Номер {n}" for n in range(1, 8)]
    assert bold_words(listed.messages[0]) == ["Номера"] + ["Номер"] * 7


async def test_a_channel_that_brought_much_is_paged(bot: Bot) -> None:
    await filled(bot)
    pages = [await bot.taps(b"seen:1001")]
    while labels(pages[-1].messages[0]):
        pages.append(await bot.taps(button(pages[-1].messages[0], "More")))
    numbers = [int(line.split()[-1]) for page in pages for line in text(page).splitlines() if line.startswith("Сбой")]
    assert numbers == list(range(12, 0, -1))


async def test_a_result_tells_where_it_comes_from_and_what_became_of_it(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow()
    origin = Forward(channel_id=77, message_id=3, name="РБК", date=NOON)
    await bot.archive.live(post(1, "Сбой один", forward=origin), post(2, "Сбой два"), post(3, "Сбой", edit_date=NOON))
    await bot.archive.live(post(2, "Сбой двух", edit_date=NOON), gone(2))
    listed = await bot.says("/search сбой")
    lines = [line.partition(". ")[2] for line in text(listed).splitlines()]
    assert "Вести · 10 Mar, 12:00 UTC · ↪ РБК" in lines
    assert "Вести · 10 Mar, 12:00 UTC · ✏️ 2 versions · 🗑 deletion told by Telegram" in lines
    assert "Вести · 10 Mar, 12:00 UTC · ✏️ edited" in lines
    assert "First seen" in text(await bot.taps(button(listed.messages[0], "2")))


async def test_the_first_page_says_how_many_posts_there_are(bot: Bot) -> None:
    await filled(bot)
    first = await bot.says("/search сбой")
    assert text(first).startswith("🔎 сбой · 12 found\n")
    assert " found" not in text(await bot.taps(button(first.messages[0], "More")))
    assert " · 12 found" in text(await bot.taps(button(first.messages[0], "Best first")))
    await bot.archive.live(*(post(number, "Сбой", date=ago(minutes=number)) for number in range(21, 61)))
    assert text(await bot.says("/search сбой")).startswith("🔎 сбой · more than 50 found\n")
