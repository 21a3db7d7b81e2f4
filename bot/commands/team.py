"""/team: the people and the links that let more in; owners change roles, remove people and hand the bot over."""

from dataclasses import replace
from datetime import timedelta

from bot.commands.context import CommandError, Context, Reply, Request, change, message, say, show, writes
from bot.commands.registry import Section, command, example, tap
from bot.commands.rights import RANKS, Need
from bot.commands.undo import undo_button
from bot.locales import N_, Translator
from bot.models.acts import InvitationWithdrawn, Invited
from bot.models.outgoing import Button, Outgoing
from bot.models.people import Role
from bot.rendering.acts import ROLE_NAMES
from bot.store import acts, invitations, meta, people, team
from bot.store.database import Reader, Transaction
from bot.store.invitations import Invitation
from bot.store.people import Person
from bot.store.team import TeamRefusal
from bot.text.buttons import button, choice, rows_of
from bot.text.markup import Text, bold, one_line
from bot.text.pages import page_of

PAGE = 20  # people on one page, and links
_NAME, _LABEL = 60, 30  # UTF-16 units of a name in a list, and on a button
_USES = (1, 5, 20, 100)
_LIVES = {
    "15m": (timedelta(minutes=15), N_("15 minutes")),
    "1h": (timedelta(hours=1), N_("1 hour")),
    "1d": (timedelta(days=1), N_("1 day")),
    "7d": (timedelta(days=7), N_("7 days")),
}
_ROLES = "|".join(Role)
_LINK = rf"({_ROLES}):\d{{1,3}}:({'|'.join(_LIVES)})"
_REFUSALS = {
    TeamRefusal.LAST_OWNER: N_("There is no other owner I can reach. Make somebody an owner first."),
    TeamRefusal.BY_SETTINGS: N_(
        "This owner is set by OWNER_IDS in the settings of the server and can only be changed there."
    ),
}


@tap("team", Need.TEAM, r"\d{1,4}")
@command("team", Section.TEAM, 1, Need.TEAM, N_("who may do what; invite and remove people"))
@example("/team", N_("everybody with their role and when they were last seen; links, roles, handing over"))
async def show_team(request: Request, context: Context) -> Reply:
    """List people and links: the first page, or the one that a button names."""
    return show(request, await _screen(context.database, context, int(request.argument) if request.tapped else 0))


async def _screen(db: Reader, context: Context, number: int) -> Outgoing:
    t, everybody = context.t, await people.everybody(db)
    page = page_of(everybody, number, PAGE)
    shown = page.items
    text = Text().line(t.ngettext("{n} person in the team", "{n} people in the team", len(everybody)), n=len(everybody))
    for person in shown:
        text.add(bold(one_line(person.called, _NAME)), " · ", _facts(person, context), "\n")
    links = await invitations.live(db, context.now)
    if links:
        text.line().line(t.gettext("Links that still work:"))
    names = {person.id: person.called for person in everybody}
    some = page_of(links, number, PAGE)
    for place, link in enumerate(some.items, start=some.start + 1):
        text.line("{number}. {link}", number=place, link=_describe(link, names, context))
    buttons = [button(one_line(person.called, _LABEL), "person", person.id) for person in shown]
    withdraw = t.gettext("Withdraw link {number}")
    ends = [
        button(withdraw.format(number=place), "withdraw", each.id)
        for place, each in enumerate(some.items, start=some.start + 1)
    ]
    invite = button(t.gettext("Invite somebody"), "invite", Role.READER, 1, "15m")
    return message(
        text,
        (
            *rows_of(buttons, 2),
            *(page if page.last >= some.last else some).turns("team"),
            (invite,),
            *rows_of(ends, 2),
        ),
    )


def _facts(person: Person, context: Context) -> str:
    t = context.t
    seen = t.gettext("never seen")
    if person.seen_at is not None:
        seen = t.gettext("last seen {time}").format(time=context.date(person.seen_at))
    since = t.gettext("since {time}").format(time=context.date(person.added_at))
    return " · ".join((t.gettext(ROLE_NAMES[person.role]), since, seen))


def _describe(link: Invitation, names: dict[int, str], context: Context) -> str:
    t = context.t
    line = t.gettext("{role}: {used} of {uses} used, until {time}, made by {name}")
    maker = names.get(link.made_by, "?") if link.made_by is not None else t.gettext("the server")
    return line.format(
        role=t.gettext(ROLE_NAMES[link.role]),
        used=link.used,
        uses=link.uses,
        time=context.date(link.expires_at),
        name=one_line(maker, _NAME),
    )


@tap("invite", Need.TEAM, _LINK)
async def choose_link(request: Request, context: Context) -> Reply:
    """Let an owner choose what a link gives, to how many, and for how long."""
    t, (role, uses, life) = context.t, request.argument.split(":")
    text = Text().line(t.gettext("Create a link that lets people join. Earlier links stay valid."))
    roles = [choice(t.gettext(ROLE_NAMES[each]), "invite", each, uses, life, chosen=each == role) for each in RANKS]
    labels = ((each, t.ngettext("{n} person", "{n} people", each).format(n=each)) for each in _USES)
    counts = [choice(label, "invite", role, each, life, chosen=str(each) == uses) for each, label in labels]
    lives = [
        choice(t.gettext(label), "invite", role, uses, each, chosen=each == life) for each, (_, label) in _LIVES.items()
    ]
    make = button(t.gettext("Create link"), "link", role, uses, life)
    rows = (tuple(roles), *rows_of(counts, 2), *rows_of(lives, 2), (make,), (_back(t),))
    return change(text, rows)


@tap("link", Need.TEAM, _LINK)
@writes
async def make_link(request: Request, context: Context, tx: Transaction) -> Reply:
    """Make a link and show it in a message of its own, to be forwarded."""
    t, (role, uses, life) = context.t, request.argument.split(":")
    span, label = _LIVES[life]
    count = min(max(1, int(uses)), invitations.MOST_USES)
    made = await invitations.make(
        tx, role=Role(role), now=context.now, made_by=context.person_id, uses=count, life=span
    )
    await acts.record(tx, Invited(role=Role(role), uses=count), context.actor, now=context.now)
    link = invitation_link(await meta.get(tx, "bot_username"), made.token)
    line = t.ngettext(
        "Lets {n} person join as {role}, for {time}. Pass it on:",
        "Lets {n} people join as {role}, for {time}. Pass it on:",
        count,
    )
    text = Text().line(line, n=count, role=t.gettext(ROLE_NAMES[Role(role)]), time=t.gettext(label)).add(link)
    withdraw_it = button(t.gettext("Withdraw this link"), "withdraw", made.id)
    return replace(say(text, ((withdraw_it,),)), secret=True)


def invitation_link(username: object, token: str) -> str:
    """Write a link that lets somebody in; without a known bot, what to send to it."""
    return f"https://t.me/{username}?start={token}" if username else f"/start {token}"


@tap("withdraw", Need.TEAM, r"\d{1,15}")
@writes
async def withdraw(request: Request, context: Context, tx: Transaction) -> Reply:
    """Withdraw a link; who has come by it stays."""
    link = await invitations.withdraw(tx, int(request.argument))
    if link is None:
        raise CommandError(context.own.gettext("This link no longer works."))
    await acts.record(tx, InvitationWithdrawn(role=link.role), context.actor, now=context.now)
    return Reply(
        edit=await _screen(tx, context, 0),
        note=context.own.gettext("Withdrawn. People who joined by it stay in the team."),
    )


@tap("person", Need.TEAM, r"\d{1,15}")
async def show_person(request: Request, context: Context) -> Reply:
    """Show a person, with the buttons that change what they may do."""
    person = await _person(context.database, request.argument, context)
    return Reply(edit=await _person_screen(context.database, person, context))


async def _person_screen(db: Reader, person: Person, context: Context) -> Outgoing:
    t = context.t
    text = Text().add(bold(one_line(person.called, _NAME)), f" @{person.username}" if person.username else "", "\n")
    text.add(_facts(person, context), "\n")
    if person.by_settings:
        text.line(t.gettext(_REFUSALS[TeamRefusal.BY_SETTINGS]))
        return message(text, ((_back(t),),))
    inviter = None if person.invited_by is None else await people.get(db, person.invited_by)
    if inviter is not None:
        text.line(t.gettext("Invited by {name}"), name=one_line(inviter.called, _NAME))
    roles = tuple(
        choice(t.gettext(ROLE_NAMES[each]), "role", person.id, each, chosen=each is person.role) for each in RANKS
    )
    is_self = person.id == context.person_id
    last = button(t.gettext("Leave the team") if is_self else t.gettext("Remove"), "remove", person.id)
    hand_over = () if is_self else ((button(t.gettext("Hand over the bot"), "handover", person.id),),)
    return message(text, (roles, *hand_over, (last,), (_back(t),)))


@tap("role", Need.TEAM, rf"\d{{1,15}}:({_ROLES})(:sure)?")
@writes
async def change_role(request: Request, context: Context, tx: Transaction) -> Reply:
    """Give a person another role; where ownership comes or goes, ask first."""
    number, wanted, *sure = request.argument.split(":")
    t, person, role = context.t, await _person(tx, number, context), Role(wanted)
    if role is person.role:
        return Reply(note=context.own.gettext("They already have that role."))
    await _require_possible(tx, person, role, context)
    if Role.OWNER in {role, person.role} and not sure:
        line = t.gettext("Make {name} an owner? Owners can do everything, including removing you.")
        if role is not Role.OWNER:
            line = t.gettext("Should {name} no longer be an owner? The links they made stop working at once.")
        yes = button(t.gettext("Yes"), "role", person.id, role, "sure")
        return change(line, ((yes, _no(person, t)),), name=bold(one_line(person.called, _NAME)))
    act = await team.set_role(tx, person, role, context.actor, now=context.now)
    line = t.gettext("{name} is now {role}.")
    return _done(
        act, person, context, line, name=bold(one_line(person.called, _NAME)), role=t.gettext(ROLE_NAMES[role])
    )


@tap("remove", Need.TEAM, r"\d{1,15}(:sure)?")
@writes
async def remove(request: Request, context: Context, tx: Transaction) -> Reply:
    """Remove a person once it was asked; their alerts, answers and links end at once."""
    number, *sure = request.argument.split(":")
    t, person = context.t, await _person(tx, number, context)
    await _require_possible(tx, person, None, context)
    name, is_self = bold(one_line(person.called, _NAME)), person.id == context.person_id
    if not sure:
        line = t.gettext(
            "Remove {name}? They will get no more alerts or answers, and the links they made stop working at once."
        )
        if is_self:
            line = t.gettext(
                "Leave the team? You will get no more alerts or answers, and the links you made stop working at once."
            )
        yes = button(t.gettext("Leave") if is_self else t.gettext("Remove"), "remove", person.id, "sure")
        return change(line, ((yes, _no(person, t)),), name=name)
    act = await team.remove(tx, person, context.actor, now=context.now)
    if is_self:
        return change(t.gettext("You have left the team. An owner can invite you again."))
    return _done(act, person, context, t.gettext("{name} has been removed."), name=name)


@tap("handover", Need.TEAM, r"\d{1,15}(:sure)?")
@writes
async def hand_over(request: Request, context: Context, tx: Transaction) -> Reply:
    """Make a person the owner in place of who speaks, who becomes an editor."""
    number, *sure = request.argument.split(":")
    t, person = context.t, await _person(tx, number, context)
    speaker = await _person(tx, str(context.person_id), context)
    name = bold(one_line(person.called, _NAME))
    if speaker.by_settings:
        raise CommandError(context.own.gettext(_REFUSALS[TeamRefusal.BY_SETTINGS]))
    if not sure:
        line = t.gettext(
            "Hand over the bot? {name} becomes an owner, and you become an editor. Links you made stop working."
        )
        return change(
            line, ((button(t.gettext("Hand over"), "handover", person.id, "sure"), _no(person, t)),), name=name
        )
    if person.role is not Role.OWNER:
        await team.set_role(tx, person, Role.OWNER, context.actor, now=context.now)
    await _require_possible(tx, speaker, Role.EDITOR, context)
    await team.set_role(tx, speaker, Role.EDITOR, context.actor, now=context.now)
    shown = change(t.gettext("{name} is now an owner, and you are an editor."), name=name)
    return Reply(edit=shown.edit, menus_of=(person.id, speaker.id))


async def _person(db: Reader, number: str, context: Context) -> Person:
    """Return the person that a button names. Raises CommandError where they are removed."""
    person = await people.get(db, int(number))
    if person is None:
        raise CommandError(context.own.gettext("This person is no longer in the team."))
    return person


async def _require_possible(db: Reader, person: Person, role: Role | None, context: Context) -> None:
    """Raise CommandError where a person has to keep the role that they have; None: where they cannot be removed."""
    refusal = await team.refusal(db, person, role)
    if refusal is not None:
        raise CommandError(context.own.gettext(_REFUSALS[refusal]))


def _done(act_id: int, person: Person, context: Context, line: str, **values: object) -> Reply:
    shown = change(line, ((undo_button(act_id, context.t),), (_back(context.t),)), **values)
    return Reply(edit=shown.edit, menus_of=(person.id,))


def _no(person: Person, t: Translator) -> Button:
    return button(t.gettext("No"), "person", person.id)


def _back(t: Translator) -> Button:
    return button(t.gettext("Back"), "team", 0)
