"""What only a reader can ask Telegram: who else writes something, and which channels are like one."""

from datetime import timedelta

from telethon.tl import functions

from bot.models.enquiries import EnquiryKind, Findings
from bot.models.notices import ChannelsFound, Notice
from bot.models.people import Viewer
from bot.sources.enquiries import Enquiries
from bot.store import channels, enquiries

from .kit import ReaderKit


async def ask(reader: ReaderKit, kind: EnquiryKind, about: int | str) -> ChannelsFound:
    """Ask, and return the notice of the answer."""
    assert reader.chat is not None
    chat_id = reader.chat.id
    await reader.database.write(lambda tx: enquiries.ask(tx, chat_id, kind, about, now=reader.clock()))
    part = Enquiries(reader.account, reader.sync, reader.assignments)
    assert await part.answer_next()
    assert not await part.answer_next()
    return _found(await reader.notices())


def _found(notices: list[Notice]) -> ChannelsFound:
    return [notice for notice in notices if isinstance(notice, ChannelsFound)][-1]


def names(findings: Findings) -> list[str]:
    return [channel.username for channel in findings.channels]


async def test_it_is_asked_who_else_writes_something_for_nothing_or_not_at_all(asking: ReaderKit) -> None:
    world = asking.sandbox.world
    followed = world.add_channel("News", username="news")
    await asking.follow(followed)
    for number in range(3):
        channel = world.add_channel(f"Other {number}", username=f"other{number}")
        channel.post(f"Old. There is an OUTAGE in {number} cities of the Volga. More to come.")
    followed.post("An outage on the Volga")
    world.add_channel("Secret").post("An outage on the Volga")
    notice = await ask(asking, EnquiryKind.POSTS, "outage volga")
    assert notice.findings.reason == "PREMIUM_ACCOUNT_REQUIRED"
    asking.me.premium, asking.me.free_searches = True, 1
    notice = await ask(asking, EnquiryKind.POSTS, "outage volga")
    assert sorted(names(notice.findings)) == ["other0", "other1", "other2"]
    assert "There is an OUTAGE in" in notice.findings.channels[0].line
    assert (notice.findings.free_left, notice.followed) == (0, ())
    notice = await ask(asking, EnquiryKind.POSTS, "something else")
    midnight = (asking.clock() + timedelta(days=1)).replace(hour=0, minute=0, second=0)
    assert (notice.findings.reason, notice.findings.free_at) == ("used_up", midnight)
    assert len(names((await ask(asking, EnquiryKind.POSTS, "outage volga")).findings)) == 3  # the same words are free
    searches = [each.request for each in asking.sandbox.calls if each.name == "SearchPosts"]
    assert [type(each) for each in searches] == [functions.channels.SearchPostsRequest] * 2
    assert {each.allow_paid_stars for each in searches} == {None}
    asking.sandbox.faults.flood_wait("CheckSearchPostsFlood", 40)
    notice = await ask(asking, EnquiryKind.POSTS, "flood")
    assert notice.findings.free_at == asking.clock() + timedelta(seconds=40)
    stored = await asking.database.fetch_value("SELECT count(DISTINCT channel_id) FROM posts")
    assert stored == 0  # what was found is stored nowhere; the followed channel is not swept yet


async def test_channels_like_one_are_named_and_those_that_are_followed_are_marked(asking: ReaderKit) -> None:
    world = asking.sandbox.world
    channel, followed = world.add_channel("News", username="news"), world.add_channel("Known", username="known")
    await asking.follow(channel)
    await asking.follow(followed)
    others = [world.add_channel(f"Other {number}", username=f"other{number}") for number in range(12)]
    channel.similar = [followed, *others]
    notice = await ask(asking, EnquiryKind.SIMILAR, channel.id)
    assert names(notice.findings) == ["known", *(f"other{number}" for number in range(9))]  # ten without Premium
    assert (notice.asked, notice.followed) == ("News", (followed.id,))
    asking.sandbox.faults.answer("GetChannelRecommendations", "CHANNEL_PRIVATE")
    notice = await ask(asking, EnquiryKind.SIMILAR, channel.id)
    assert (notice.asked, notice.findings.reason) == ("News", "CHANNEL_PRIVATE")
    everybody = await channels.followed_among(asking.database, [followed.id, 7], Viewer(chat_id=None))
    assert everybody == (followed.id,)
