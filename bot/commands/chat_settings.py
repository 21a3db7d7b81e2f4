"""The settings of a chat, each with how it is read, described and offered; a new one is one more `Setting` here."""

import re
from collections.abc import Callable
from dataclasses import replace

from babel.dates import get_day_names

from bot.commands.context import CommandError, Context
from bot.commands.parsing import find_zone, read_digests, read_hours, read_switch, read_time, show_time, tidy
from bot.commands.registry import Section
from bot.commands.setting import Setting
from bot.locales import LANGUAGE_NAMES, LANGUAGES, N_
from bot.locales.languages import find_language, language_name
from bot.locales.zones import OFFERED
from bot.models.alerts import Edits, Priority
from bot.models.outgoing import PeerKind, Theme
from bot.schedule import Digests, Every, Storms
from bot.store import readers, subscriptions
from bot.store.chats import Chat, ReportTime, WeeklyTime
from bot.store.database import Reader
from bot.text.markup import Text, bold, code

_EDITS = {
    Edits.ALL: (N_("All"), N_("whenever it changes; without a sound for punctuation and typos")),
    Edits.WORDS: (N_("Words"), N_("when words change, or the post is deleted or hidden")),
    Edits.NONE: (N_("None"), N_("never")),
}


def _read_edits(typed: str, context: Context) -> Chat:
    word, t = typed.strip().casefold(), context.t
    for each, (label, _) in _EDITS.items():
        if word in {each.value, t.gettext(label).casefold()}:
            return replace(context.chat, edits=each)
    raise CommandError(t.gettext("Write /edits all, /edits words or /edits none."))


def _describe_edits(context: Context) -> Text:
    t = context.t
    text = Text().line(t.gettext("When a post changes, I edit its alert in this chat. I also reply to the alert:"))
    for label, meaning in _EDITS.values():
        text.add(bold(t.gettext(label))).add(": ", t.gettext(meaning), "\n")
    return text


EDITS = Setting(
    name="edits",
    title=N_("Changes of posts"),
    place=7,
    summary=N_("which post changes to report"),
    examples=(
        (N_("/edits all"), N_("reply to an alert whenever its post changes")),
        (N_("/edits words"), N_("only when words change, or the post is deleted or hidden")),
        (N_("/edits none"), N_("edit the alert without a reply")),
    ),
    read=_read_edits,
    describe=_describe_edits,
    choices=tuple(Edits),
    label=lambda context: context.t.gettext(_EDITS[context.chat.edits][0]),
)

_USUAL_STORMS = Storms(count=4, minutes=5)
_MOST_COUNT, _MOST_MINUTES = 100, 60
_STORMS = re.compile(r"(\d{1,3})\s*(?:[/,:–-]|in|per|за|на|в)?\s*(\d{1,3})(?:\s*(?:m|м|хв)[a-zа-я]*\.?)?")


def _read_storms(typed: str, context: Context) -> Chat:
    switch, match = read_switch(typed), _STORMS.fullmatch(typed.strip().casefold())
    if switch is not None:
        return replace(context.chat, storms=_USUAL_STORMS if switch else None)
    if match and 1 <= int(match[1]) <= _MOST_COUNT and 1 <= int(match[2]) <= _MOST_MINUTES:
        return replace(context.chat, storms=Storms(count=int(match[1]), minutes=int(match[2])))
    line = context.t.gettext(
        "Write how many alerts (at most {most}) in how many minutes (at most {longest}): {example}"
    )
    raise CommandError(line, most=_MOST_COUNT, longest=_MOST_MINUTES, example=code("/storms 4 5"))


def _describe_storms(context: Context) -> Text:
    t, storms = context.t, context.chat.storms
    if storms is None:
        return Text().line(t.gettext("Each alert is sent separately in this chat, however many there are."))
    line = t.ngettext(
        "More than {n} alert on a topic within {minutes} min become one growing message in this chat.",
        "More than {n} alerts on a topic within {minutes} min become one growing message in this chat.",
        storms.count,
    )
    text = Text().line(line, n=storms.count, minutes=storms.minutes)
    return text.line(t.gettext("A new event among them is still sent separately, once."))


def _storms_label(context: Context) -> str:
    storms = context.chat.storms
    if storms is None:
        return context.t.gettext("Never")
    return context.t.gettext("{n} in {minutes} min").format(n=storms.count, minutes=storms.minutes)


STORMS = Setting(
    name="storms",
    title=N_("Many alerts at once"),
    place=6,
    summary=N_("when many alerts become one message"),
    usage="4 5",
    examples=(
        ("/storms 4 5", N_("more than 4 alerts on a topic within 5 minutes become one growing message")),
        (N_("/storms off"), N_("each alert is sent separately")),
    ),
    read=_read_storms,
    describe=_describe_storms,
    choices=("4 5", "10 5", "20 10", "off"),
    label=_storms_label,
    is_free=True,
)


def _read_place(typed: str, context: Context) -> str:
    """Return the zone of a city or its name. Raises CommandError."""
    zone = find_zone(typed)
    if zone is None:
        line = context.t.gettext(
            "I do not know the city «{value}». Write a large one in your time zone, or a name such as {example}."
        )
        raise CommandError(line, value=typed[:40], example=code("Europe/Moscow"))
    return zone


def _in_zone(chat: Chat, zone: str) -> Chat:
    return replace(chat, time_zone=zone, zone_chosen=True)


def _describe_zone(context: Context) -> Text:
    t = context.t
    line = t.gettext("Times in this chat are in the time zone {zone}; it is now {time}.")
    text = Text().line(line, zone=bold(context.locale.zone), time=context.date(context.now))
    if not context.chat.zone_chosen:
        text.line(t.gettext("No time zone has been chosen here yet."))
    return text


def _read_quiet(typed: str, context: Context) -> Chat:
    t, hours = context.t, tidy(typed)
    if read_switch(hours) is False:
        return replace(context.chat, quiet=None)
    found = read_hours(hours)
    if found is None:
        line = t.gettext("I do not understand «{value}». Write the hours like this: {example}")
        raise CommandError(line, value=typed[:40], example=code("/quiet 23:00-07:00"))
    quiet, place = found
    if quiet.start == quiet.end:
        raise CommandError(t.gettext("They begin and end at the same time. To silence topics all day, use /mute."))
    zone = _read_place(place, context) if place else ""
    return replace(_in_zone(context.chat, zone) if place else context.chat, quiet=quiet)


def _describe_quiet(context: Context) -> Text:
    t, chat = context.t, context.chat
    if chat.quiet is None:
        return Text().line(t.gettext("No quiet hours in this chat: alerts arrive at any time."))
    line = t.gettext("Quiet hours in this chat: {hours}, {zone}. Alerts wait and are sent together when they end.")
    text = Text().line(line, hours=bold(_quiet_label(context)), zone=context.locale.zone)
    return text.line(t.gettext("Urgent topics are sent at once: see /priority."))


async def _remark_zone(_: Reader, context: Context, typed: str) -> Text:
    """Confirm the city that was typed behind the hours."""
    found = read_hours(tidy(typed))
    if found is None or not found[1]:
        return Text()
    line = context.t.gettext("This chat now uses the time zone {zone}.")
    return Text().line(line, zone=bold(context.locale.zone))


def _quiet_label(context: Context) -> str:
    """Write from when to when: «23:00–07:00»."""
    quiet = context.chat.quiet
    return context.t.gettext("No quiet hours") if quiet is None else f"{show_time(quiet.start)}–{show_time(quiet.end)}"


QUIET = Setting(
    name="quiet",
    title=N_("Quiet hours"),
    place=4,
    summary=N_("hours in which alerts wait"),
    usage="23:00-07:00",
    examples=(
        (
            N_("/quiet 23:00-07:00 Europe/Moscow"),
            N_("alerts wait until these hours end; urgent topics are sent at once"),
        ),
        (N_("/quiet off"), N_("alerts arrive at any time")),
    ),
    read=_read_quiet,
    describe=_describe_quiet,
    remark=_remark_zone,
    choices=("22:00-07:00", "23:00-07:00", "23:00-08:00", "off"),
    label=_quiet_label,
    is_free=True,
)


def _read_digest(typed: str, context: Context) -> Chat:
    chosen, t = read_digests(typed), context.t
    if chosen is not None:
        return replace(context.chat, digests=chosen)
    line = t.gettext("I do not understand «{value}». Write, for example, {hourly}, {daily} or {weekly}.")
    hourly, daily, weekly = (code(t.gettext(typed)) for typed, _ in DIGEST.examples)
    raise CommandError(line, value=typed[:40], hourly=hourly, daily=daily, weekly=weekly)


def _describe_digest(context: Context) -> Text:
    t = context.t
    line = t.gettext("Digests are sent here: {when}, {zone}. Empty ones are not sent.")
    return Text().line(line, when=bold(_digest_label(context)), zone=context.locale.zone)


async def _remark_topics(db: Reader, context: Context, _: str) -> Text:
    """Say how many topics wait for digests."""
    t, wanted = context.t, await subscriptions.priorities(db, context.chat.id)
    count = sum(each is Priority.DIGEST for each in wanted.values())
    if not count:
        return Text().line(t.gettext("No topic of this chat goes into them yet: see /priority."))
    line = t.ngettext("{n} topic of this chat goes into them.", "{n} topics of this chat go into them.", count)
    return Text().line(line, n=count)


def _digest_label(context: Context) -> str:
    """Say how often digests come."""
    t, digests = context.t, context.chat.digests
    if digests.every is Every.HOUR:
        return t.gettext("every hour")
    if digests.every is Every.DAY:
        return t.gettext("daily at {time}").format(time=show_time(digests.minute))
    day = get_day_names("abbreviated", locale=t.language)[digests.weekday]
    return t.gettext("weekly, {day} {time}").format(day=day, time=show_time(digests.minute))


DIGEST = Setting(
    name="digest",
    title=N_("Digests"),
    place=5,
    summary=N_("when the digests of this chat are sent"),
    usage=N_("daily 9:00"),
    examples=(
        (N_("/digest hourly"), N_("digests are sent every hour")),
        (N_("/digest daily 9:00"), N_("every day at this time")),
        (N_("/digest weekly Mon 9:00"), N_("every week on this day")),
    ),
    read=_read_digest,
    describe=_describe_digest,
    remark=_remark_topics,
    choices=("hourly", "daily 09:00", "daily 18:00", "weekly mon 09:00"),
    label=_digest_label,
    width=2,
    is_free=True,
)

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


ZONE = Setting(
    name="zone",
    title=N_("Time zone"),
    section=Section.CHAT,
    place=5,
    summary=N_("the time zone of all times in this chat"),
    usage=N_("city"),
    examples=(
        (N_("/zone Berlin"), N_("times are shown in the time zone of this city")),
        ("/zone Europe/Moscow", N_("the same, by the name of a zone")),
    ),
    read=lambda typed, context: _in_zone(context.chat, _read_place(typed, context)),
    describe=_describe_zone,
    choices=OFFERED,
    argument=r"[\w/+-]{1,40}",
    label=lambda context: context.locale.zone,
    width=2,
    is_free=True,
)


def _switch(  # noqa: PLR0913 - the fields of a Setting
    name: str,
    *,
    title: str,
    place: int,
    summary: str,
    question: str,
    on: tuple[str, str],
    off: tuple[str, str],
    is_on: Callable[[Chat], bool],
    put: Callable[[Chat, bool], Chat],
) -> Setting:
    """Declare a setting that is on or off; `on` and `off` are the examples of the two for /help."""

    def read(typed: str, context: Context) -> Chat:
        wanted = read_switch(typed)
        if wanted is None:
            raise CommandError(context.t.gettext("Write /{name} on or /{name} off."), name=name)
        return put(context.chat, wanted)

    return Setting(
        name=name,
        title=title,
        place=place,
        summary=summary,
        usage="on",
        examples=(on, off),
        read=read,
        describe=lambda context: Text().add(context.t.gettext(question)),
        choices=("on", "off"),
        label=lambda context: context.t.gettext("On") if is_on(context.chat) else context.t.gettext("Off"),
    )


CONFIRMATIONS = _switch(
    "confirmations",
    title=N_("Confirmations"),
    place=8,
    summary=N_("whether I notify you again when a second channel says the same"),
    question=N_(
        "When other channels say the same, I add them to the alert without a sound. Should I also reply, "
        "with a sound, when a second channel does?"
    ),
    on=(N_("/confirmations on"), N_("notify once more when a second channel says the same")),
    off=(N_("/confirmations off"), N_("only add it to the alert")),
    is_on=lambda chat: chat.confirmations,
    put=lambda chat, wanted: replace(chat, confirmations=wanted),
)
HEADS = _switch(
    "heads",
    title=N_("Heads of the ledger"),
    place=13,
    summary=N_("whether I post the signed head of the ledger each day"),
    question=N_(
        "Each day I can post the signed head of the ledger here. Whoever keeps it can tell later whether anything "
        "that was stored before has been changed."
    ),
    on=(N_("/heads on"), N_("post the signed head of the ledger each day, without a sound")),
    off=(N_("/heads off"), N_("post none")),
    is_on=lambda chat: chat.heads,
    put=lambda chat, wanted: replace(chat, heads=wanted),
)
PAGES = _switch(
    "pages",
    title=N_("Public pages"),
    place=15,
    summary=N_("whether I keep the public page of each post I alert you to"),
    question=N_(
        "With each alert I can keep the public page of the post as evidence: its HTML, with the time. "
        "Bundles and dossiers have it. Private channels have no such pages."
    ),
    on=(N_("/pages on"), N_("keep the public page of each post that comes as an alert, and of its edits")),
    off=(N_("/pages off"), N_("only of posts that are saved in a case")),
    is_on=lambda chat: chat.pages,
    put=lambda chat, wanted: replace(chat, pages=wanted),
)
MEDIA = _switch(
    "media",
    title=N_("Photos and files"),
    place=9,
    summary=N_("whether photos and documents follow alerts"),
    question=N_("Send the photos and documents of a post after its alert, as a reply without a sound?"),
    on=(N_("/media on"), N_("the photos and documents of a post follow its alert as a reply without a sound")),
    off=(N_("/media off"), N_("alerts are text only")),
    is_on=lambda chat: chat.media,
    put=lambda chat, wanted: replace(chat, media=wanted),
)
SURGES = _switch(
    "surges",
    title=N_("Unusually much"),
    place=14,
    summary=N_("whether I say that a topic has unusually many posts"),
    question=N_(
        "Should I say so when a topic has five times as many posts as usual at this hour, in three channels or more? "
        "At most once a day for each topic, and not before I know four weeks of it."
    ),
    on=(N_("/surges on"), N_("a message when a topic has five times as many posts as usual, with some of them")),
    off=(N_("/surges off"), N_("no such message")),
    is_on=lambda chat: chat.surges,
    put=lambda chat, wanted: replace(chat, surges=wanted),
)


_THEMES = {  # what each is called, and what may be typed besides
    Theme.LIGHT: (N_("Light"), ("светлая", "светлый", "світла", "день")),
    Theme.DARK: (N_("Dark"), ("тёмная", "темная", "тёмный", "темный", "темна", "ночь", "ніч")),
}


def _read_theme(typed: str, context: Context) -> Chat:
    word = typed.strip(" .!").casefold()
    for each, (label, others) in _THEMES.items():
        if word in {each.value, context.t.gettext(label).casefold(), *others}:
            return replace(context.chat, theme=each)
    raise CommandError(context.t.gettext("Write /theme light or /theme dark."))


THEME = Setting(
    name="theme",
    title=N_("Look of charts"),
    section=Section.CHAT,
    place=14,
    summary=N_("whether charts are light or dark"),
    usage="dark",
    examples=(
        ("/theme dark", N_("charts on a dark ground: of /stats, of the weekly report and of who said it first")),
        ("/theme light", N_("the same on white")),
    ),
    read=_read_theme,
    describe=lambda context: Text().add(context.t.gettext("How should charts look in this chat?")),
    choices=tuple(Theme),
    label=lambda context: context.t.gettext(_THEMES[context.chat.theme][0]),
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

_USUAL_REPORT = 9 * 60  # minute of the day


def _read_report(typed: str, context: Context) -> Chat:
    word = tidy(typed)
    switch = read_switch(word)
    if switch is False:
        return replace(context.chat, report=None)
    minute = _USUAL_REPORT if switch else read_time(word)
    if minute is None:
        line = context.t.gettext("«{value}» is not a time of day. Write on, off or, for example, 08:30.")
        raise CommandError(line, value=typed[:40])
    return replace(context.chat, report=ReportTime(minute=minute, since=context.now))


def _describe_report(context: Context) -> Text:
    t, chat = context.t, context.chat
    if chat.report is None:
        return Text().line(t.gettext("The daily report is off in this chat."))
    line = t.gettext("Every day at {time}, {zone}, I tell this chat, without a sound, whether anything is missing.")
    return Text().line(line, time=show_time(chat.report.minute), zone=context.locale.zone)


def _report_label(context: Context) -> str:
    report = context.chat.report
    return context.t.gettext("Never") if report is None else show_time(report.minute)


DAILY_REPORT = Setting(
    name="receipt",
    title=N_("Daily report"),
    section=Section.CHAT,
    place=6,
    summary=N_("a silent note every day that nothing is missing"),
    usage="on",
    examples=(
        (
            "/receipt 21:30",
            N_("every day at this time, without a sound: «40 of 40 channels verified, 3 alerts, 0 gaps»"),
        ),
        (N_("/receipt off"), N_("no such report")),
    ),
    read=_read_report,
    describe=_describe_report,
    choices=("08:00", "09:00", "21:00", "off"),
    label=_report_label,
    is_free=True,
)


def _read_weekly(typed: str, context: Context) -> Chat:
    word = tidy(typed)
    switch = read_switch(word)
    if switch is False:
        return replace(context.chat, weekly=None)
    chosen = Digests(every=Every.WEEK, minute=_USUAL_REPORT) if switch else read_digests(f"weekly {word}")
    if chosen is None:
        line = context.t.gettext("«{value}» is no day of the week. Write on, off or, for example, {example}.")
        raise CommandError(line, value=typed[:40], example=code(context.t.gettext("/weekly Mon 9:00")))
    weekly = WeeklyTime(minute=chosen.minute, weekday=chosen.weekday, since=context.now)
    return replace(context.chat, weekly=weekly)


def _describe_weekly(context: Context) -> Text:
    t = context.t
    if context.chat.weekly is None:
        return Text().line(t.gettext("The weekly report is off in this chat."))
    line = t.gettext(
        "Once a week ({when}, {zone}), without a sound: what rose and fell in seven days, who was first, what was "
        "edited and deleted, and what is missing, with a chart."
    )
    return Text().line(line, when=_weekly_label(context), zone=context.locale.zone)


def _weekly_label(context: Context) -> str:
    weekly = context.chat.weekly
    if weekly is None:
        return context.t.gettext("Never")
    day = get_day_names("abbreviated", locale=context.t.language)[weekly.weekday]
    return f"{day} {show_time(weekly.minute)}"


WEEKLY_REPORT = Setting(
    name="weekly",
    title=N_("Weekly report"),
    section=Section.CHAT,
    place=12,
    summary=N_("a silent report with a chart, once a week"),
    usage=N_("Mon 9:00"),
    examples=(
        (N_("/weekly Mon 9:00"), N_("what rose and fell, first channels, edits, deletions and gaps of seven days")),
        (N_("/weekly off"), N_("no such report")),
    ),
    read=_read_weekly,
    describe=_describe_weekly,
    choices=("mon 09:00", "fri 18:00", "sun 18:00", "off"),
    label=_weekly_label,
    is_free=True,
)
