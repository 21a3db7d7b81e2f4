"""The settings of a chat for the reports that come by themselves, each day and each week, and how charts look."""

from dataclasses import replace

from babel.dates import get_day_names

from bot.commands.context import CommandError, Context
from bot.commands.parsing import read_digests, read_switch, read_time, show_time, tidy
from bot.commands.registry import Section
from bot.commands.setting import Setting
from bot.locales import N_
from bot.models.outgoing import Theme
from bot.schedule import Digests, Every
from bot.store.chats import Chat, ReportTime, WeeklyTime
from bot.text.markup import Text, code

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
    usage=N_("on/off"),
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
        "Once a week, {when}, {zone}, without a sound: what rose and fell in seven days, who was first, what was "
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
    place=7,
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
    place=8,
    summary=N_("whether charts are light or dark"),
    usage=N_("light/dark"),
    examples=(
        ("/theme dark", N_("charts on a dark ground: of /stats, of the weekly report and of who said it first")),
        ("/theme light", N_("the same on white")),
    ),
    read=_read_theme,
    describe=lambda context: Text().add(context.t.gettext("How should charts look in this chat?")),
    choices=tuple(Theme),
    label=lambda context: context.t.gettext(_THEMES[context.chat.theme][0]),
)
