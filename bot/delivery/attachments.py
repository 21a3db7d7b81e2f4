"""Stub until the files that follow alerts land."""

from bot.store.messages import Message


class Attachments:
    def __init__(self, *a, **k):
        pass

    async def close(self) -> None: ...
    async def send(self, message: Message) -> int | None:
        return None
