"""From the channel to the chat: a story, a comment under its post, and channels that nobody follows yet."""

from tests.kit_service import Service, link_of


async def test_stories_comments_and_new_channels_come_to_the_chat(service: Service) -> None:
    world = service.sandbox.world
    channel = world.add_channel("Вести", username="vesti", members=[service.reader])
    group, anna = world.add_channel("Чат", megagroup=True, members=[service.reader]), world.add_user("Анна")
    channel.link(group)
    group.join(anna)
    other = world.add_channel("Хроника", username="hronika")
    other.post("Саратов, утро. Сайт банка не работает, массовый сбой. Подробности позже.")
    channel.similar, service.reader.premium = [other], True
    owner = await service.owner()
    await owner.says("/follow @vesti comments")
    await owner.message("I now also follow the comments on «Вести», in «Чат».")
    story = channel.show_story("Сайт банка не работает, массовый сбой")
    shown = await owner.alert("Сайт банка")
    assert "story of Вести" in shown.message
    assert link_of(shown) == f"https://t.me/vesti/s/{story}"
    post = channel.post("Коротко о погоде")
    comment = channel.comment(post.id, "А приложение оператора не работает, сбой у всех", anna)
    shown = await owner.alert("приложение оператора")
    assert "comment under Вести" in shown.message
    assert "by Анна" in shown.message
    assert link_of(shown) == f"https://t.me/vesti/{post.id}?comment={comment.id}"
    first = await owner.alert("Сайт банка")
    await first.click(text="Who else?")
    found = await owner.message("Who else writes")
    assert "• Хроника" in found.message
    assert "Сайт банка не работает, массовый сбой." in found.message
    assert "9 free searches are left today." in found.message
    await owner.asks("/channels Вести")
    await owner.heard[-1].click(text="Вести")
    screen = await owner.edit("Alerts in this chat")
    await screen.click(text="Similar channels")
    similar = await owner.message("Channels like «Вести»")
    assert "Хроника" in similar.message
    await similar.click(text="Follow Хроника")
    await owner.message("I now follow «Хроника»")
