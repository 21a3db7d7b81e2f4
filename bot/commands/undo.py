"""The button that undoes an act, for ten minutes; and the answer to an act that offers it."""

from bot.commands.context import CommandError, Context, Reply, Request, change, writes
from bot.commands.registry import tap
from bot.commands.rights import Need
from bot.locales import Translator
from bot.models.acts import (
    Act,
    CaseDeleted,
    CaseNoted,
    CaseOpened,
    CaseRenamed,
    HeadAccepted,
    PersonRemoved,
    PostSaved,
    RoleChanged,
    TargetChanged,
    TopicChanged,
    TopicDeleted,
    TopicSwitched,
    WordExcluded,
)
from bot.models.outgoing import Button
from bot.models.people import Role
from bot.rendering.acts import describe_act
from bot.store import acts, foreign_heads
from bot.store.acts import LoggedAct
from bot.store.database import Transaction
from bot.text.buttons import button


def undo_button(act_id: int, t: Translator) -> Button:
    """Offer to undo an act."""
    return button(t.gettext("Undo (10 minutes)"), "undo", act_id)


def may_undo(logged: LoggedAct, context: Context) -> bool:
    """Tell whether who speaks may undo an act: who did it, if they still may do the like, and owners."""
    is_own = logged.person_id is not None and logged.person_id == context.person_id
    return context.may(_need(logged.act)) and (is_own or context.role is Role.OWNER)


def offers_undo(logged: LoggedAct, context: Context) -> bool:
    """Tell whether a screen has a button that undoes an act."""
    return may_undo(logged, context) if context.private else context.offers(_need(logged.act))


def _need(act: Act) -> Need:
    match act:
        case PersonRemoved() | RoleChanged() | TargetChanged() | HeadAccepted():
            return Need.TEAM
        case TopicSwitched() | WordExcluded() | TopicChanged() | TopicDeleted():  # its author may be a reader by now
            return Need.CHAT
        case CaseOpened() | PostSaved() | CaseRenamed() | CaseNoted() | CaseDeleted():  # likewise
            return Need.CHAT
        case _:
            return Need.INSTANCE


@tap("undo", Need.LOOK, r"\d{1,15}")
@writes
async def undo(request: Request, context: Context, tx: Transaction) -> Reply:
    """Undo an act, and notify the chats that had a notice of it."""
    own, logged = context.own, await acts.get(tx, int(request.argument))
    if logged is None or not may_undo(logged, context):
        raise CommandError(own.gettext("Only the person who did this, or an owner, can undo it."))
    if logged.undone_at is not None:
        raise CommandError(own.gettext("This has already been undone."))
    if not logged.can_be_undone(context.now):
        raise CommandError(own.gettext("Too late: this could be undone for 10 minutes."))
    if not await acts.undo(tx, logged, context.name, now=context.now):
        raise CommandError(own.gettext("Something has changed since, so I did not undo anything."))
    if isinstance(logged.act, HeadAccepted):
        digest = bytes.fromhex(logged.act.sha256)
        await foreign_heads.withdraw(tx, logged.act.channel_id, digest, now=context.now)
    people = [int(row["id"] or 0) for each in logged.changes if each.table == "people" for row in (each.before,) if row]
    shown = change(context.t.gettext("Undone: {act}"), act=describe_act(logged.act, logged.name, context.t))
    return Reply(edit=shown.edit, menus_of=tuple(people))
