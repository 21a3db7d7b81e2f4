"""A tap under an alert comes in; the post that the alert tells of, and its usual buttons, go out."""

from dataclasses import dataclass

from bot.commands.context import Context
from bot.commands.keyboards import button
from bot.commands.talk import Reply, Request, Rows
from bot.models import Button
from bot.store import channels
from bot.store.database import Reader
from bot.text.markup import alert_buttons

POST = r"\d{1,15}:\d{1,10}"  # how data names a post: channel and message


@dataclass(frozen=True, slots=True, kw_only=True)
class Tapped:
    """What the data of a button under an alert says."""

    channel_id: int
    message_id: int
    chosen: tuple[str, ...]  # what follows

    @classmethod
    def read(cls, argument: str) -> "Tapped":
        """Read `channel:message:…`."""
        channel_id, message_id, *chosen = argument.split(":")
        return cls(channel_id=int(channel_id), message_id=int(message_id), chosen=tuple(chosen))

    def button(self, label: str, verb: str, *chosen: str | int) -> Button:
        """Make a button about the same post."""
        return button(label, verb, self.channel_id, self.message_id, *chosen)

    def back(self, context: Context) -> tuple[Button, ...]:
        """Make the row that leads back to the usual buttons."""
        return (self.button(context.t.gettext("Back"), "back"),)

    async def usual(self, db: Reader, context: Context) -> Rows:
        """Return the usual buttons."""
        channel = await channels.get(db, self.channel_id)
        return alert_buttons(self.channel_id, channel.username if channel else None, self.message_id, context.t)


async def back(request: Request, context: Context) -> Reply:
    """Put the usual buttons back."""
    return Reply(buttons=await Tapped.read(request.argument).usual(context.database, context))


def forgotten(context: Context) -> Reply:
    """Say that a post under whose alert somebody tapped is not known any more."""
    return Reply(note=context.own.gettext("I no longer know this post."))
