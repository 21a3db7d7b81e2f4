"""The baselines, in plain Telethon as its documentation shows it: pushes or orders come in, hardly anything is done.

`relay` sends each new post to the subscriber · `counter` counts new posts and tells each time `every` more have come ·
`fanout` sends a text to many people at once, each time it is ordered to.
"""

import asyncio
import sys
from pathlib import Path

from telethon import TelegramClient, events
from telethon.crypto import rsa
from telethon.extensions import BinaryReader
from telethon.tl import functions, types

from tests.benchmarks.stage import lines, say

API_ID, API_HASH = 1, "0" * 32


async def relay(reader: TelegramClient, token: str, subscriber: str) -> None:
    """Send the text of each new post on."""
    bot = TelegramClient(str(Path("bot.session")), API_ID, API_HASH)
    bot.session.set_dc(2, reader.session.server_address, reader.session.port)
    peer = types.InputPeerUser(int(subscriber), 0)

    @reader.on(events.NewMessage)
    async def on_message(event: events.NewMessage.Event) -> None:
        await bot.send_message(peer, event.raw_text)

    await bot.start(bot_token=token)
    try:
        await _ready(reader)
        async for _ in lines():
            pass
    finally:
        await bot.disconnect()


async def counter(reader: TelegramClient, every: str) -> None:
    """Count new posts."""
    count = 0

    @reader.on(events.NewMessage)
    async def on_message(_event: events.NewMessage.Event) -> None:
        nonlocal count
        count += 1
        if count % int(every) == 0:
            say(count)

    await _ready(reader)
    async for _ in lines():
        pass


async def fanout(reader: TelegramClient, token: str, people: str) -> None:
    """Send what a request says, in hexadecimal TL bytes, to all people, and tell when Telegram has answered for all."""
    bot = TelegramClient(str(Path("bot.session")), API_ID, API_HASH)
    bot.session.set_dc(2, reader.session.server_address, reader.session.port)
    peers = [types.InputPeerUser(int(person), 0) for person in people.split(",")]
    await bot.start(bot_token=token)
    try:
        say("ready")
        async for line in lines():
            with BinaryReader(bytes.fromhex(line)) as request:
                said = request.tgread_object()
            await asyncio.gather(*(bot(_like(said, peer)) for peer in peers))
            say("sent")
    finally:
        await bot.disconnect()


def _like(
    said: functions.messages.SendMessageRequest, peer: types.InputPeerUser
) -> functions.messages.SendMessageRequest:
    return functions.messages.SendMessageRequest(
        peer, said.message, entities=said.entities, reply_markup=said.reply_markup, no_webpage=True
    )


async def _ready(reader: TelegramClient) -> None:
    await reader.connect()
    await reader.get_me()
    say("ready")


async def main(job: str, *arguments: str) -> None:
    """Run one of the programs in the present folder until the input ends."""
    rsa.add_key(Path("server.pem").read_text(), old=False)  # noqa: ASYNC240 - before anything runs
    reader = TelegramClient(str(Path("reader.session")), API_ID, API_HASH)
    try:
        await {"relay": relay, "counter": counter, "fanout": fanout}[job](reader, *arguments)
    finally:
        await reader.disconnect()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
