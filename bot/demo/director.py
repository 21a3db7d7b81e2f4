"""Plays the events of a story in the world of the embedded server, and has the witness expect the alerts."""

from collections.abc import Sequence

from telethon.tl import types as tl

from bot.demo.phone import Phone
from bot.demo.screen import Screen
from bot.demo.stage import Stage
from bot.demo.story import Event
from bot.demo.witness import Witness
from bot.models.links import post_link


def _rich(blocks: Sequence[str]) -> tl.RichMessage | None:
    paragraphs = [tl.PageBlockParagraph(tl.TextPlain(block)) for block in blocks]
    return tl.RichMessage(paragraphs, [], []) if paragraphs else None


class Director:
    """Plays events, in order."""

    def __init__(self, stage: Stage, phone: Phone, witness: Witness, screen: Screen) -> None:
        self._stage = stage
        self._phone = phone
        self._witness = witness
        self._screen = screen
        self._posts: dict[str, tuple[str, int]] = {}  # an event's id → its channel and message id

    async def direct(self, event: Event) -> None:
        """Play one event, and wait for the text that it has to bring about, if any."""
        self._stage.clock.jump_to(event.at)
        if event.says:
            await self._phone.say(event.says)
        elif event.reader == "banned":
            self._screen.narrate("Telegram bans the reader account. Public channels are read through their web pages.")
            self._stage.ban_reader()
        elif event.reader:
            self._screen.narrate("The ban is lifted, and somebody runs «channelwatch login».")
            self._stage.restore_reader()
        else:
            self._play(event)
        if event.shows:
            await self._witness.await_text(event.shows)

    def _play(self, event: Event) -> None:
        channel = self._stage.channels[event.channel]
        if event.topics:
            number = self._posts[event.edits][1] if event.edits else channel.last_id + 1
            self._witness.expect(post_link(channel.id, channel.username, number), event)
        self._screen.show_event(event.at, channel.title, self._do(event))

    def _do(self, event: Event) -> str:
        channel = self._stage.channels[event.channel]
        if event.removes:
            channel.delete(self._posts[event.removes][1])
            return "(deletes a post)"
        if event.edits:
            channel.edit(self._posts[event.edits][1], event.text)
            return f"(edits a post) {event.text}"
        if event.forwards:
            source, number = self._posts[event.forwards]
            origin = self._stage.channels[source].kept.messages[number]
            channel.post(origin.text, forward=origin)
            return f"(reposts) {origin.text}"
        message = channel.post(event.text, rich=_rich(event.blocks), shown=1, push=event.pushed)
        self._posts[event.id] = (event.channel, message.id)
        if event.blocks:
            return "(a long post, of which Telegram gives the first lines) " + " ¶ ".join(event.blocks)
        return event.text if event.pushed else f"(not pushed by Telegram) {event.text}"
