"""A post comes in; the buttons that stand under its alert go out: made with the alert, and put back after a choice."""

from bot.locales import Translator
from bot.models import Button, post_link

Rows = tuple[tuple[Button, ...], ...]


def alert_buttons(channel_id: int, username: str | None, message_id: int, translator: Translator) -> Rows:
    """Make the usual buttons; their data names the post, `verb:<channel>:<message>`, by which an alert is known."""
    post = f"{channel_id}:{message_id}"
    open_ = Button(text=translator.gettext("Open"), url=post_link(channel_id, username, message_id))
    quote = Button(text=translator.gettext("Quote"), data=f"quote:{post}".encode())
    snooze = Button(text=translator.gettext("Snooze"), data=f"snooze:{post}".encode())
    wrong = Button(text=translator.gettext("Not relevant"), data=f"wrong:{post}".encode())
    return ((open_, quote), (snooze, wrong))
