import pytest

from bot.commands.context import CommandError
from bot.commands.follow_options import read_options
from bot.locales import translator
from bot.store import backfills, channels, follows, progress, readers
from bot.store.channels import Access, Options
from bot.store.database import Transaction
from tests.commands.kit import Bot, button, text
from tests.kit_archive import NEWS
from tests.kit_clock import NOON

ENGLISH = translator("en")


@pytest.mark.parametrize(
    ("typed", "names", "options"),
    [
        ("@news fast", "@news", Options(fast=True)),
        ("@news SLOW", "@news", Options(fast=False)),
        ("@news медленно вступать:нет история:5", "@news", Options(fast=False, may_join=False, history=5)),
        ("@news вступать: да", "@news", Options(may_join=True)),
        ("@news history:5 000", "@news", Options(history=5000)),
        ("@news history: 50", "@news", Options(history=50)),
        ("@news История: 12\u00a0000, fast", "@news", Options(history=12000, fast=True)),
        ("@news history:50 100500", "@news history:50 100500", None),
        ("@news history:50 @other", "", None),
        ("@news fast, @other", "", None),
        ("@news быстро", "@news", Options(fast=True)),
        ("@news картинки", "@news", Options(ocr=True)),
        ("@news ocr:no", "@news", Options(ocr=False)),
        ("@news вступати:ні історія:5000", "@news", Options(may_join=False, history=5000)),
        ("@news join:no history:5000", "@news", Options(may_join=False, history=5000)),
        ("join:yes @news @other", "@news @other", Options(may_join=True)),
        ("fast\n@news\n@other", "@news\n@other", Options(fast=True)),
        ("Breaking fast news @news", "Breaking fast news @news", Options()),
        ("@news https://t.me/other", "@news https://t.me/other", Options()),
        ("Ведомства: @news", "Ведомства: @news", Options()),
        ("fast", "", Options(fast=True)),
        ("", "", Options()),
    ],
)
def test_options_stand_before_or_behind_the_list(typed: str, names: str, options: Options | None) -> None:
    if options is None:
        with pytest.raises(CommandError, match="is in the middle of a line"):
            read_options(typed, ENGLISH)
        return
    (asked,) = read_options(typed, ENGLISH)
    assert (asked.names, asked.options) == (names, options)


def test_options_on_a_line_with_names_hold_for_these_and_on_a_line_of_their_own_for_all() -> None:
    asked = read_options("join:no\n@agency fast\nBreaking fast news @news\n@bank join:yes\n@other\nhistory:9", ENGLISH)
    assert {part.names: part.options.typed() for part in asked} == {
        "@agency": "fast join:no history:9",
        "Breaking fast news @news\n@other": "join:no history:9",
        "@bank": "join:yes history:9",
    }


@pytest.mark.parametrize("typed", ["join:maybe", "history:", "history:0", "history:100001", "history:many", "speed:9"])
def test_a_wrong_option_is_an_error(typed: str) -> None:
    with pytest.raises(CommandError, match=r"is not an option|how many older posts"):
        read_options(f"@news {typed}", ENGLISH)


async def test_a_wrong_option_gets_one_line_and_nothing_is_followed(bot: Bot) -> None:
    await bot.pair()
    told = text(await bot.says("/follow @rkn_tg history:lots"))
    assert told.startswith("«history:lots»: write how many older posts I should read, at most 100,000")
    assert "is not an option" in text(await bot.says("/follow @rkn_tg speed:9"))
    assert await follows.all_follows(bot.db) == []


async def test_options_hold_for_the_whole_list_and_are_read_back(bot: Bot) -> None:
    await bot.pair()
    told = text(await bot.says("/follow @rkn_tg t.me/mintsifry fast join:no history:5000"))
    assert told.splitlines()[-1] == (
        "How: checked for new posts every few seconds; never joined; read from outside unless my reader "
        "account is already in; 5,000 older posts read."
    )
    wanted = Options(fast=True, may_join=False, history=5000)
    assert [follow.options for follow in await follows.all_follows(bot.db)] == [wanted, wanted]
    assert "@rkn_tg: waiting to be looked at (fast join:no history:5000)" in text(await bot.says("/channels"))
    (work,) = await progress.shown(bot.db)
    assert work.figures.waiting == 2


async def test_each_line_is_followed_as_it_says(bot: Bot) -> None:
    await bot.pair()
    told = text(await bot.says("/follow @agency fast\n@rkn_tg\n???", links=("https://t.me/hidden",)))
    assert told.splitlines() == [
        "I follow 0 of 3 channels…",
        "",
        "… @agency, @rkn_tg, @hidden",
        "",
        "How: checked for new posts every few seconds.",
    ]
    wishes = {follow.reference: follow.options.fast for follow in await follows.all_follows(bot.db)}
    assert wishes == {"@agency": True, "@rkn_tg": None, "@hidden": None}
    assert "in the middle of a line" in text(await bot.says("/follow @agency history:5 @rkn_tg"))


async def test_a_channel_that_is_followed_already_takes_on_the_options(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow()
    assert "Already followed: @news1001" in text(await bot.says("/follow @News1001 fast history:300"))
    assert (await bot.archive.channel()).fast
    assert [backfill.channel_id for backfill in await _backfills(bot)] == [NEWS]
    await bot.says("/follow @News1001 slow")
    assert not (await bot.archive.channel()).fast


async def test_who_is_in_a_channel_stays_and_says_so(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow()
    told = text(await bot.says("/follow @news1001 @rkn_tg join:no"))
    assert told.splitlines()[-1] == "My reader account is already in these and stays there: @news1001"
    assert "stays there" not in text(await bot.says("/follow @news1001 fast"))
    assert "stays there" not in text(await bot.says("/follow @rkn_tg join:no"))


async def test_a_lost_channel_is_looked_for_anew(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow()

    async def lose(tx: Transaction) -> None:
        await channels.set_access(tx, bot.archive.reader_id, NEWS, Access.LOST, reason="removed", now=bot.archive.now)

    await bot.db.write(lose)
    told = text(await bot.says("/follow @news1001"))
    assert told == "Could not be read until now; I am checking again and will report on each: @news1001"


async def test_a_lost_channel_takes_on_the_options_and_leaves_room_for_fast_ones(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow()
    await bot.says("/follow @news1001 fast")
    assert await channels.count_fast(bot.db) == 1
    reader_id, now = bot.archive.reader_id, bot.archive.now
    await bot.db.write(lambda tx: channels.set_access(tx, reader_id, NEWS, Access.LOST, reason="removed", now=now))
    assert await channels.count_fast(bot.db) == 0
    await bot.says("/follow @news1001")
    assert await channels.count_fast(bot.db) == 1  # looked for anew
    await bot.says("/follow @news1001 slow")
    assert not (await bot.archive.channel()).fast
    assert await channels.count_fast(bot.db) == 0


async def test_an_invite_link_to_a_private_channel_of_a_lost_reader_is_looked_at_by_another(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow()
    reader_id, now = bot.archive.reader_id, bot.archive.now
    await bot.says("/follow t.me/+AbCdEfGhIjKl")
    wish = next(wish for wish in await follows.all_follows(bot.db) if wish.reference.startswith("+"))
    secret = channels.ResolvedChannel(id=7, kind="broadcast", title="Secret", username=None)
    inside = {"reader_id": reader_id, "access_hash": 1, "access": Access.JOINED, "now": now}
    await bot.db.write(lambda tx: follows.settle(tx, wish.id, channel=secret, **inside))
    assert "Already followed" in text(await bot.says("/follow t.me/+AbCdEfGhIjKl"))
    await bot.db.write(lambda tx: readers.lose(tx, reader_id, "SESSION_REVOKED", now=NOON))
    await bot.db.write(lambda tx: readers.register(tx, 77, now, "standby"))
    assert "I am checking again" in text(await bot.says("/follow t.me/+AbCdEfGhIjKl fast"))
    again = await follows.oldest_due(bot.db, bot.archive.now, by_name=True)
    assert again is not None
    assert again.reference == "+AbCdEfGhIjKl"
    assert await channels.count_fast(bot.db) == 1
    assert "Already followed" in text(await bot.says("/follow @news1001"))


async def test_while_no_reader_can_read_a_follow_says_so(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow()
    await bot.db.write(lambda tx: readers.lose(tx, bot.archive.reader_id, "SESSION_REVOKED", now=NOON))
    line = "No reader account can read now. I check public channels by their web pages, the others once it can."
    assert text(await bot.says("/follow @rkn_tg")).splitlines()[-1] == line
    assert line not in text(await bot.says("/follow @news1001"))
    await bot.db.write(lambda tx: readers.register(tx, 77, bot.archive.now, "standby"))
    assert line not in text(await bot.says("/follow @rkn_tg"))


async def test_no_more_than_20_channels_are_fast(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow()
    names = [f"@channel_{number}" for number in range(20)]
    await bot.says(f"/follow {' '.join(names)} fast")
    told = text(await bot.says("/follow @News1001 fast"))
    assert told == ("At most 20 channels can be fast; with these there would be 21. /follow @name slow makes room.")
    assert not (await bot.archive.channel()).fast
    assert "Already requested" in text(await bot.says(f"/follow {' '.join(names)} fast"))
    await bot.says("/follow @channel_3 slow")
    assert "Already followed" in text(await bot.says("/follow @News1001 fast"))


async def test_a_folder_is_asked_for_by_its_link(bot: Bot) -> None:
    await bot.pair()
    told = text(await bot.says("/follow https://t.me/addlist/AbCdEfGh12345678 join:no"))
    assert told.splitlines()[0].endswith(": t.me/addlist/AbCdEfGh12345678")
    (wish,) = await follows.all_follows(bot.db)
    assert (wish.reference, wish.options) == ("addlist/AbCdEfGh12345678", Options(may_join=False))


async def test_a_folder_that_somebody_pastes_is_offered(bot: Bot) -> None:
    await bot.pair()
    offered = await bot.says("https://t.me/addlist/AbCdEfGh12345678")
    await bot.taps(button(offered.messages[0], "Follow"))
    assert [wish.reference for wish in await follows.all_follows(bot.db)] == ["addlist/AbCdEfGh12345678"]


@pytest.mark.parametrize("word", ["all", "ALL", "все", "всё"])
async def test_all_is_counted_before_it_is_followed(bot: Bot, word: str) -> None:
    await bot.pair()
    assert "ask you before" in text(await bot.says(f"/follow {word} join:no"))
    (wish,) = await follows.all_follows(bot.db)
    assert (wish.reference, wish.options) == ("all?", Options(may_join=False))
    await bot.db.write(lambda tx: follows.withdraw(tx, wish.reference))
    assert "one channel after another" in text(await bot.taps(b"all:join:no history:5000"))
    (wish,) = await follows.all_follows(bot.db)
    assert (wish.reference, wish.options) == ("all", Options(may_join=False, history=5000))


async def test_how_to_follow_is_told_to_who_names_nothing(bot: Bot) -> None:
    await bot.pair()
    told = text(await bot.says("/follow fast"))
    assert "t.me/addlist/…" in told
    assert "history:5000" in told


async def _backfills(bot: Bot) -> list[backfills.Backfill]:
    row = await bot.db.fetch_one("SELECT read_by FROM channels")
    assert row is not None
    await bot.db.write(lambda tx: readers.assign(tx, {NEWS: bot.archive.reader_id}))
    return await backfills.unfinished(bot.db, bot.archive.reader_id)
