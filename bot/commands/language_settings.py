"""The settings of a chat for languages: that of the bot, and that of translations."""

from dataclasses import replace

from bot.commands.context import CommandError, Context
from bot.commands.parsing import read_switch
from bot.commands.registry import Section
from bot.commands.setting import Setting
from bot.locales import LANGUAGE_NAMES, LANGUAGES, N_
from bot.locales.languages import find_language, language_name
from bot.models.outgoing import PeerKind
from bot.store import readers
from bot.store.chats import Chat
from bot.store.database import Reader
from bot.text.markup import Text, bold, code

_CALLED = {  # besides its code and its own name
    **dict.fromkeys(("английский", "по-английски", "англ", "англійська", "англійською"), "en"),
    **dict.fromkeys(("russian", "по-русски", "рус", "російська", "російською"), "ru"),
    **dict.fromkeys(("ukrainian", "украинский", "по-украински", "укр", "українською", "ua"), "uk"),
}


def _read_language(typed: str, context: Context) -> Chat:
    word = typed.strip(" .!").casefold()
    codes = {name.casefold(): code for code, name in LANGUAGE_NAMES.items()} | _CALLED
    chosen = codes.get(word, word)
    if chosen not in LANGUAGES:
        raise CommandError(
            context.t.gettext("I speak English, Russian and Ukrainian: /language en, /language ru, /language uk.")
        )
    return replace(context.chat, language=chosen, language_chosen=True)


def _describe_language(context: Context) -> Text:
    t, chat = context.t, context.chat
    if chat.peer.kind is PeerKind.USER:  # a person's: what only they see in a group is said in it too
        line = t.gettext("I speak {language} with you, and in groups in the notes only you can see.")
    else:
        line = t.gettext("I speak {language} in this group.")
    return Text().say(line, language=bold(LANGUAGE_NAMES[chat.language]))


LANGUAGE = Setting(
    name="language",
    title=N_("Language"),
    section=Section.CHAT,
    place=4,
    summary=N_("the language I speak here"),
    usage="en",
    examples=(
        ("/language en", N_("answers in English")),
        ("/language ru", N_("answers in Russian")),
        ("/language uk", N_("answers in Ukrainian")),
    ),
    read=_read_language,
    describe=_describe_language,
    choices=LANGUAGES,
    label=lambda context: LANGUAGE_NAMES[context.chat.language],
)


def _read_translate(typed: str, context: Context) -> Chat:
    word, t = typed.strip(" .!").casefold(), context.t
    if read_switch(word) is False:
        return replace(context.chat, translate_into=None)
    codes = _CALLED if len(word) > len("xx") else {}
    chosen = context.chat.language if read_switch(word) else find_language(codes.get(word, word))
    if chosen is None:
        line = t.gettext("I do not know the language «{value}». Write its name or code, or {off}.")
        raise CommandError(line, value=typed[:40], off=code(t.gettext("/translate off")))
    return replace(context.chat, translate_into=chosen)


def _describe_translate(context: Context) -> Text:
    t, language = context.t, context.chat.translate_into
    if language is None:
        return Text().line(
            t.gettext("No translations by themselves. Under an alert in another language, tap «Translate».")
        )
    line = t.gettext("Each alert in another language is followed by Telegram's translation: {language}.")
    return Text().line(line, language=bold(language_name(language, t)))


async def _remark_reader(db: Reader, context: Context, _: str) -> Text:
    """Say so where nobody can ask Telegram."""
    if context.chat.translate_into is None or await readers.any_reads(db):
        return Text()
    return Text().line(
        context.t.gettext("Telegram translates only for a reader account. Log one in on the server: channelwatch login")
    )


def _translate_label(context: Context) -> str:
    language = context.chat.translate_into
    return context.t.gettext("Off") if language is None else language_name(language, context.t)


TRANSLATE = Setting(
    name="translate",
    title=N_("Translation"),
    place=10,
    summary=N_("whether translations follow alerts, and into which language"),
    usage="en",
    examples=(
        (
            N_("/translate en"),
            N_("each alert in another language is followed by Telegram's translation, without a sound"),
        ),
        (N_("/translate off"), N_("only where somebody taps «Translate» under an alert")),
    ),
    read=_read_translate,
    describe=_describe_translate,
    remark=_remark_reader,
    choices=(*LANGUAGES, "off"),
    label=_translate_label,
    is_free=True,
)
