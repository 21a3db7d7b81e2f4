"""The button under an alert that brings what its post says in the language of the chat, by Telegram's translator.

The chat's own setting, /translate, has a translation follow each alert. Only a reader account may ask for one, so that
it comes as a reply to the alert, a moment later.
"""

from bot.commands.alert_buttons import AlertTap, forgotten
from bot.commands.context import CommandError, Context, Reply, Request, writes
from bot.commands.lookup import channel_by_id
from bot.commands.registry import tap
from bot.commands.rights import Need
from bot.models.translations import TranslationState
from bot.parts import is_redacted
from bot.rendering.translation import render_translation
from bot.store import posts, readers, translations
from bot.store.database import Transaction
from bot.text.buttons import POST


@tap("translation", Need.LOOK, POST)
@writes
async def translate(request: Request, context: Context, tx: Transaction) -> Reply:
    """Have the alert answered by a translation; show one again that the chat has had."""
    tap, language, own = AlertTap.read(request.argument), context.chat.language, context.own
    channel = await channel_by_id(tx, tap.channel_id, context.viewer)
    alerted = await translations.find_alerted(tx, context.chat.id, tap.channel_id, tap.message_id, language)
    if channel is None or alerted is None:
        raise forgotten(context)
    if not alerted.whole.strip() or is_redacted(alerted.parts):
        raise CommandError(own.gettext("There is no text to translate."))
    known = await translations.get(tx, alerted.version_id, language)
    if known is not None and known.state is TranslationState.SAME:
        raise CommandError(own.gettext("The post is in this language already."))
    if known is not None and known.state is TranslationState.DONE:
        if alerted.is_shown:  # it may have been deleted here
            (post,) = await posts.of_versions(tx, [alerted.version_id])
            return Reply(messages=(render_translation(known, post, language, context.locale),))
    elif not await readers.any_reads(tx):
        raise CommandError(
            own.gettext("Telegram translates only for a reader account. Log one in on the server: channelwatch login")
        )
    await translations.request(tx, context.chat, alerted, language, now=context.now)
    return Reply(note=own.gettext("The translation comes as a reply to the alert."))
