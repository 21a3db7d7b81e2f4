"""The translation of an alert's post, or why there is none: a reply beside the original. Pure."""

from bot.locales import Translator
from bot.locales.languages import language_name
from bot.locales.locale import Locale
from bot.locales.refusals import TRANSLATION_REFUSALS, refusal
from bot.models import StoredPost
from bot.models.outgoing import Outgoing
from bot.models.translations import Translation, TranslationState
from bot.parts import PartKind
from bot.rendering.post_text import channel_name
from bot.text.markup import LIMIT, Text, bold, link

NAME_ROOM = 60  # UTF-16 units of a channel's title
NOTE_ROOM = 100  # of a note below the text


def render_translation(translation: Translation | None, post: StoredPost, language: str, locale: Locale) -> Outgoing:
    """Write a translation under a line that says whose it is: whoever reads it knows that no channel wrote this."""
    t = locale.t
    heading = t.gettext("Telegram's translation: {language}").format(language=language_name(language, t))
    text = Text().add(bold(heading), " · ", link(channel_name(post, NAME_ROOM), post.link), "\n\n")
    text.add(_body(translation, t))
    is_done = translation is not None and translation.state is TranslationState.DONE
    if is_done and any(part.kind is PartKind.PICTURE for part in post.parts):
        text.cut(LIMIT - NOTE_ROOM).add("\n\n", t.gettext("Words in the picture were read by a program."))
    written, entities = text.cut().build()
    return Outgoing(text=written, entities=entities)


def _body(translation: Translation | None, t: Translator) -> str:
    match translation:
        case Translation(state=TranslationState.DONE, text=str(text)):
            return text
        case Translation(state=TranslationState.SAME):
            return t.gettext("The post is in this language already.")
        case Translation(reason=str(reason)):
            return refusal(reason, t, TRANSLATION_REFUSALS)
    return t.gettext("It comes here as soon as Telegram answers.")
