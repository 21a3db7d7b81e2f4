"""The settings of a chat that are about times: its zone, quiet hours and digests."""

from dataclasses import replace

from babel.dates import get_day_names

from bot.commands.context import CommandError, Context
from bot.commands.parsing import find_zone, read_digests, read_hours, read_switch, show_time, tidy
from bot.commands.registry import Section
from bot.commands.setting import Setting
from bot.locales import N_
from bot.locales.zones import OFFERED
from bot.models.alerts import Priority
from bot.schedule import Every
from bot.store import subscriptions
from bot.store.chats import Chat
from bot.store.database import Reader
from bot.text.markup import Text, bold, code


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
