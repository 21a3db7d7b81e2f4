import pytest
from telethon.errors import TypeNotFoundError

from bot.sandbox import Unknown
from tests.kit_bot import embedded_server


@pytest.mark.parametrize(
    "fields",
    [{"media": Unknown()}, {"entities": [Unknown()]}, {"unknown": True}],
    ids=["media", "formatting", "message"],
)
async def test_a_client_meets_a_constructor_that_it_does_not_know_in_a_push_and_in_an_answer(
    fields: dict[str, object],
) -> None:
    async with embedded_server() as server:
        anna = server.sandbox.world.add_user("Anna")
        channel = server.sandbox.world.add_channel("News", username="news", members=[anna])
        client, posts = await server.listener(anna)
        channel.post("Before")
        assert await posts.text() == "Before"
        number = channel.post("Unknown", **fields).id
        channel.edit(1, "Edited")  # in the same packet, which Telethon drops
        with pytest.raises(TypeNotFoundError) as raised:
            await client.get_messages("news", ids=number)
        assert raised.value.invalid_constructor_id == Unknown.CONSTRUCTOR_ID
        assert (await client.get_messages("news", ids=1)).raw_text == "Edited"
        assert posts.silent()
