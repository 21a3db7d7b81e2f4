from tests.kit_service import Service


async def test_a_stranger_hears_one_line_once_and_gets_no_alert(service: Service) -> None:
    channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
    owner = await service.owner(follows=[channel])
    stranger = await service.person("Stranger")
    line = (await stranger.asks("/status")).message
    assert "\n" not in line
    assert "Agency" not in line
    for words in ("/status", "/search сбой", "/start guess", "/follow @agency"):
        await stranger.says(words)
    channel.post("Массовый сбой: сайт не работает.")
    await owner.alert("Массовый сбой")
    await owner.asks("/status")
    assert [message.message for message in stranger.heard] == [line]


async def test_a_pairing_link_works_once(service: Service) -> None:
    await service.owner()
    assert service.ready is not None
    assert service.ready.invitation is not None
    late = await service.person("Latecomer")
    await late.asks(f"/start {service.ready.invitation.rpartition('=')[2]}")
    await late.says("/status")
    await service.people[0].asks("/status")
    assert len(late.heard) == 1
