"""/start: pairs a chat by a link or by right, and shows one screen with its language, time zone and topics."""

from dataclasses import replace
from datetime import datetime

from bot.commands.context import CommandError, Context, Reply, Request, message, say, writes
from bot.commands.keyboards import TOPICS_PAGE, topic_rows
from bot.commands.language_settings import LANGUAGE
from bot.commands.lookup import listed
from bot.commands.parsing import find_zone
from bot.commands.registry import Command, Section, declare, tap
from bot.commands.rights import POWERS, USES, Need, allows, higher
from bot.commands.setting import Setting, save
from bot.commands.time_settings import ZONE
from bot.locales import LANGUAGE_NAMES, LANGUAGES, N_, PHONES, RATHER_IN_RUSSIAN, plain_code, translator
from bot.locales.locale import topic_title
from bot.locales.zones import likely_zones, show_zone
from bot.models.acts import GroupPaired, PersonJoined
from bot.models.notices import SampleAlert
from bot.models.outgoing import ButtonRows, Outgoing, PeerKind
from bot.models.people import Role, Viewer
from bot.store import acts, addresses, chats, invitations, people, subscriptions, topics
from bot.store.acts import Actor
from bot.store.chats import Chat
from bot.store.database import Reader, Transaction
from bot.store.invitations import Invitation
from bot.store.people import Person
from bot.text.buttons import button, choice, rows_of
from bot.text.markup import Text, bold


def spoken(code: str) -> str:
    """Return which of our languages serves a speaker, by the language code of Telegram."""
    return PHONES.get(plain_code(code), PHONES[""])


def is_asked(code: str) -> bool:
    """Tell whether the language of a speaker leaves open which of ours they want."""
    return plain_code(code) in RATHER_IN_RUSSIAN


async def language_of(db: Reader, request: Request, chat: Chat | None = None) -> str:
    """Return the language of the speaker: of their private chat with the bot, else by Telegram.

    `chat` is the one in which they speak, where it is known already.
    """
    private = chat if request.private else None
    private = private or await chats.by_peer(db, PeerKind.USER, request.person_id)
    return spoken(request.language) if private is None else private.language


declare(
    Command(
        name="start",
        section=Section.CHAT,
        place=2,
        need=Need.LOOK,
        summary=N_("language, time zone and topics of this chat"),
        examples=(("/start", N_("pair this chat, or show its language, time zone and topics")),),
        handler=None,
    )
)


class StrangerError(Exception):
    """Somebody without a role, and without a link that gives one."""


async def invitation_of(db: Reader, request: Request, now: datetime) -> Invitation | None:
    """Return the invitation whose link a /start carries; None for one without, or where the link does not work."""
    token = request.argument.strip() if request.private else ""
    return await invitations.find(db, token, now) if token else None


async def enter(request: Request, now: datetime, tx: Transaction) -> Reply:
    """Pair the chat where the person or the link has the right to, and show its settings. Raises StrangerError."""
    before = await people.get(tx, request.person_id)
    invitation = await invitation_of(tx, request, now)
    role = _role_of(before, invitation)
    chat = await chats.by_peer(tx, request.peer.kind, request.peer.id)
    language = await language_of(tx, request, chat)
    if chat is None and not allows(role, Need.CHAT, private=request.private):
        raise CommandError(translator(language).gettext("Only an owner or an editor can add me to a group."))
    if chat is not None:
        await addresses.resume(tx, chat.id, now=now)
    paired = await chats.pair(tx, request.peer, title=request.title, language=language, now=now)
    if chat is None and request.private:
        for topic in await topics.all_topics(tx, Viewer(chat_id=paired.id)):
            if topic.on_by_default:
                await subscriptions.subscribe(tx, paired.id, topic.id, now=now)
    is_raised = before is None or before.role is not role
    if invitation is not None and is_raised:
        await _admit(tx, request, paired, invitation, now)
    elif chat is None and not request.private and before is not None:
        actor = Actor(person_id=before.id, name=before.called, chat_id=paired.id)
        await acts.record(tx, GroupPaired(chat=paired.title), actor, now=now)
    t = translator(paired.language)
    is_new = request.private and (chat is None or is_raised)
    welcome = t.gettext(POWERS[role]) if is_new else ""
    screen = await setup_screen(tx, request, paired, now, role=role, welcome=welcome)
    # Telegram shows everybody what readers may do, unless we say otherwise.
    return Reply(
        messages=(screen,), menu=paired.language if is_new and (role is not Role.READER or chat is not None) else None
    )


def _role_of(person: Person | None, invitation: Invitation | None) -> Role:
    """Return the role of the speaker, raised to the one that a link gives. Raises StrangerError for none."""
    if invitation is not None:
        return higher(None if person is None else person.role, invitation.role)
    if person is None:
        raise StrangerError
    return person.role


async def _admit(tx: Transaction, request: Request, chat: Chat, invitation: Invitation, now: datetime) -> None:
    """Let somebody in by a link, and notify the owners of who it is and whose link it was."""
    await invitations.use(tx, invitation)
    name = request.name or request.title
    await people.admit(tx, request.person_id, invitation.role, now, invited_by=invitation.made_by, name=name)
    inviter = None if invitation.made_by is None else await people.get(tx, invitation.made_by)
    act = PersonJoined(role=invitation.role, inviter=None if inviter is None else inviter.called)
    actor = Actor(person_id=request.person_id, name=name, chat_id=chat.id)
    await acts.record(tx, act, actor, now=now, concerned=[owner.id for owner in await chats.of_owners(tx)])


@tap("setup", Need.LOOK)
async def show(request: Request, context: Context) -> Reply:
    """Show the first screen again, in place of the message whose button was tapped."""
    return Reply(edit=await setup_screen(context.database, request, context.chat, context.now, role=context.role))


@tap("lang", Need.CHAT, "|".join(LANGUAGES))
@writes
async def choose_language(request: Request, context: Context, tx: Transaction) -> Reply:
    """Take over the language of a tapped button."""
    return await _choose(LANGUAGE, request, context, tx)


@tap("place", Need.CHAT, r"[\w/+-]{1,40}")
@writes
async def choose_place(request: Request, context: Context, tx: Transaction) -> Reply:
    """Take over the time zone of a tapped button."""
    return await _choose(ZONE, request, context, tx)


async def _choose(setting: Setting, request: Request, context: Context, tx: Transaction) -> Reply:
    chosen = setting.read(request.argument, context)
    _, _, menu = await save(tx, context, chosen)
    return Reply(edit=await setup_screen(tx, request, chosen, context.now, role=context.role), menu=menu)


def offer_zone(request: Request, context: Context) -> Reply:
    """Offer the time zone of a city that was written; the word may have been meant otherwise."""
    zone = find_zone(request.argument) or context.chat.time_zone
    local = replace(context, chat=replace(context.chat, time_zone=zone)).locale
    line = context.t.gettext("It is {time} in {zone}. Tap below to see all dates in this time zone.")
    label = context.t.gettext("Time zone: {zone}").format(zone=local.zone)
    return say(line, ((button(label, "zone", zone),),), zone=bold(local.zone), time=local.date(context.now))


@tap("test", Need.LOOK)
@writes
async def test_alert(request: Request, context: Context, tx: Transaction) -> Reply:
    """Send a test alert through the outbox, as a real one goes."""
    await context.notify(tx, SampleAlert(event=request.key))
    return Reply(note=context.own.gettext("Sent. It arrives in a moment."))


async def setup_screen(  # noqa: PLR0913 - who reads it, where and when
    db: Reader, request: Request, chat: Chat, now: datetime, *, role: Role | None, welcome: str = ""
) -> Outgoing:
    """Draw the first screen of a chat: its topics, its language, and a question for its time zone until it has one."""
    t = translator(chat.language)
    on = await subscriptions.priorities(db, chat.id)
    all_topics = listed(await topics.all_topics(db, Viewer(chat_id=chat.id)), on)
    names = [topic_title(topic.name, t) for topic in all_topics if topic.id in on]
    text = Text().add(bold("Channelwatch"), "\n").add(welcome, "\n\n" if welcome else "")
    text.line(
        t.gettext("I read Telegram channels and write here as soon as a post is about one of your topics.")
    ).line()
    text.line(t.gettext("Topics: {topics}"), topics=bold(", ".join(names) or t.gettext("none yet, tap to choose")))
    text.line(t.gettext("Time zone: {zone}"), zone=bold(show_zone(chat.time_zone, t.language, now))).line()
    if allows(role, Need.INSTANCE, private=request.private):
        text.line(t.gettext("To add channels, send /follow with their names or links, as many as you like."))
        text.line(t.gettext("You can also forward me a post from a channel. /help shows all commands."))
    else:
        text.line(t.gettext(USES))
    text.line(t.gettext("Too many alerts, or too loud? See /priority, /mute and /settings."))
    if not chat.language_chosen and is_asked(request.language):
        for each in LANGUAGES:
            text.line().add(bold(translator(each).gettext("Which language should I use here?")))
        text.line()
    places: ButtonRows = ()
    if not chat.zone_chosen:
        question = t.gettext("Which time zone are you in? Until you choose one, all times are in UTC.")
        text.line().add(bold(question))
        zones = [button(show_zone(zone, t.language, now), "place", zone) for zone in likely_zones(request.language)]
        places = (*rows_of(zones, 2), (button(t.gettext("Another city"), "settings", "zone"),))
    languages = (choice(LANGUAGE_NAMES[code], "lang", code, chosen=code == chat.language) for code in LANGUAGES)
    return message(
        text,
        (
            tuple(languages),
            *places,
            (button(t.gettext("Settings"), "settings"), button(t.gettext("Test alert"), "test")),
            *topic_rows(all_topics[:TOPICS_PAGE], on, t, screen="setup"),
            *(((button(t.gettext("All topics"), "topics"),),) if len(all_topics) > TOPICS_PAGE else ()),
        ),
    )
