from pathlib import Path

from tests.end_to_end.kit import newsroom


async def test_a_stranger_hears_one_line_once_and_gets_no_alert(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as room:
        channel = room.sandbox.world.add_channel("Agency", username="agency", members=[room.reader])
        owner = await room.owner(follows=[channel])
        stranger = await room.person("Stranger")
        line = (await stranger.asks("/status")).message
        assert "\n" not in line
        assert "Agency" not in line
        for words in ("/status", "/search сбой", "/start guess", "/follow @agency"):
            await stranger.says(words)
        channel.post("Массовый сбой: сайт не работает.")
        await owner.alert("Массовый сбой")
        await owner.asks("/status")
        assert [message.message for message in stranger.heard] == [line]


async def test_a_pairing_link_works_once(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as room:
        await room.owner()
        assert room.ready is not None
        assert room.ready.invitation is not None
        late = await room.person("Latecomer")
        await late.asks(f"/start {room.ready.invitation.rpartition('=')[2]}")
        await late.says("/status")
        await room.people[0].asks("/status")
        assert len(late.heard) == 1
