"""/log: what people did that concerns others, newest first, in pages, by person and day."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.commands.context import CommandError, Context, Reply, Request, message, show
from bot.commands.registry import Section, command, example, tap
from bot.commands.rights import Need
from bot.commands.undo import offers_undo
from bot.locales import N_
from bot.models.outgoing import Button, ButtonRows, Outgoing
from bot.rendering.acts import describe_act, sentence
from bot.search.filters import FilterError, read_moment
from bot.store import acts, people
from bot.store.acts import LoggedAct
from bot.text.buttons import button, rows_of
from bot.text.markup import Text, bold, code, one_line

PAGE = 15  # acts
_NAME = 30  # UTF-16 units on a button
_MOST_NAMES = 6  # people that are offered
_DAY = "%Y%m%d"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """Which part of the log to show."""

    before: int = 0  # the number of the last act of the page before; 0: begin at the newest
    person_id: int = 0  # 0: of everybody
    day: str = "0"  # in the chat's time zone, as _DAY; "0": any

    @property
    def data(self) -> tuple[str | int, ...]:
        """The page in a button's data."""
        return ("log", self.before, self.person_id, self.day)


@tap("log", Need.INSTANCE, r"\d{1,15}:\d{1,15}:(0|\d{8})")
@command("log", Section.TEAM, 2, Need.INSTANCE, N_("what was done here, and by whom"), usage=N_("name or day"))
@example("/log", N_("who followed, unfollowed, created, changed, invited and removed; undo what is recent"))
@example(N_("/log yesterday"), N_("one day; with a name, what one person did"))
async def show_log(request: Request, context: Context) -> Reply:
    """Show a page of the log; in a group only what was done there, since all its members read it."""
    if request.tapped:
        before, person_id, day = request.argument.split(":")
        return show(
            request, await _screen(request, context, LogPage(before=int(before), person_id=int(person_id), day=day))
        )
    return show(request, await _screen(request, context, await _read(request.argument.strip(), context)))


async def _read(typed: str, context: Context) -> LogPage:
    """Read the name of a person or a day. Raises CommandError."""
    if not typed:
        return LogPage()
    wanted = typed.removeprefix("@").casefold()
    for person in await people.everybody(context.database):
        if wanted in {person.name.casefold(), (person.username or "").casefold()}:
            return LogPage(person_id=person.id)
    zone = context.chat.time_zone
    try:
        day = read_moment(typed, 1, now=context.now, zone=zone)
    except FilterError:
        line = context.t.gettext("«{value}» is neither a person in the team nor a day. Write, for example, {example}.")
        raise CommandError(line, value=typed[:60], example=code(context.t.gettext("/log yesterday"))) from None
    return LogPage(day=day.astimezone(ZoneInfo(zone)).strftime(_DAY))


async def _screen(request: Request, context: Context, page: LogPage) -> Outgoing:
    t = context.t
    since = _begin(page.day, context.chat.time_zone)
    found = await acts.latest(
        context.database,
        context.viewer,
        limit=PAGE + 1,
        before=page.before or None,
        person_id=page.person_id or None,
        chat_id=None if request.private else context.chat.id,
        since=since,
        until=None if since is None else since + timedelta(days=1),
    )
    shown, text = found[:PAGE], Text().add(bold(t.gettext("What was done, newest first")), "\n\n")
    for each in shown:
        text.add(_line(each, context), "\n")
    if not shown:
        text.line(t.gettext("Nothing."))
    undoable = [each for each in shown if each.can_be_undone(context.now) and offers_undo(each, context)]
    rows = [(button(_undo_label(each, context), "undo", each.id),) for each in undoable[:_MOST_NAMES]]
    return message(text, (*rows, *_filters(shown, page, context, is_more=len(found) > PAGE)))


def _line(each: LoggedAct, context: Context) -> str:
    line = f"{context.date(each.at)} · {describe_act(each.act, each.name, context.t)}"
    if each.undone_by is None:
        return line
    return f"{line} ({context.t.gettext('undone by {name}').format(name=one_line(each.undone_by, _NAME))})"


def _undo_label(each: LoggedAct, context: Context) -> str:
    return context.t.gettext("Undo: {act}").format(act=one_line(sentence(each.act, context.t), _NAME))


def _filters(shown: list[LoggedAct], page: LogPage, context: Context, *, is_more: bool) -> ButtonRows:
    """Offer the next page, the people on this one, today and yesterday, and everything again."""
    t, rows = context.t, list[tuple[Button, ...]]()
    if is_more:
        older = LogPage(before=shown[-1].id, person_id=page.person_id, day=page.day)
        rows.append((button(t.gettext("Older"), *older.data),))
    names = {each.person_id: each.name for each in shown if each.person_id}
    if len(names) > 1:
        people_row = [
            button(one_line(name, _NAME), *LogPage(person_id=number, day=page.day).data)
            for number, name in list(names.items())[:_MOST_NAMES]
        ]
        rows += rows_of(people_row, 2)
    today = context.now.astimezone(ZoneInfo(context.chat.time_zone))
    days = ((t.gettext("Today"), today), (t.gettext("Yesterday"), today - timedelta(days=1)))
    labels = [
        button(label, *LogPage(person_id=page.person_id, day=day.strftime(_DAY)).data)
        for label, day in days
        if day.strftime(_DAY) != page.day
    ]
    everything = [button(t.gettext("Everything"), *LogPage().data)] if page != LogPage() else []
    return (*rows, tuple(labels + everything))


def _begin(day: str, zone: str) -> datetime | None:
    """Return when a day of a button's data begins; None for any day, also one that there is not."""
    try:
        return datetime.strptime(day, _DAY).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except ValueError:
        return None
