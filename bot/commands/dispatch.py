"""One request comes in, its reply goes out: who may speak is settled here, and which handler answers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.commands import (
    alert_buttons,
    channels,
    digest,
    edits,
    explain,
    feedback,
    here,
    language,
    mute,
    post,
    priority,
    quiet,
    receipt,
    search,
    settings,
    setup,
    status,
    storms,
    topics,
    track,
)
from bot.commands.context import Access, Context, Effect, Handler, Need, Origin, Reply, Request, once, say
from bot.commands.keyboards import button
from bot.commands.lookup import show_channel, show_reference
from bot.commands.parsing import find_zone, read_references
from bot.commands.registry import BY_NAME, suggestion
from bot.locales import Translator, translator
from bot.matching.words.inflection import Inflector
from bot.models import Clock
from bot.store import addresses, chats, handled
from bot.store.chats import Chat
from bot.store.database import Database, Transaction
from bot.text.markup import Text, code

_ROW = r"\d{1,18}"  # the number of a row: with more digits it may be more than the store takes
STALE = timedelta(minutes=10)  # nobody waits for the answer to an older command any more

COMMANDS: Mapping[str, Handler] = {
    "status": status.status,
    "search": search.search,
    "latest": search.latest,
    "post": post.post,
    "topics": topics.show,
    "track": track.track,
    "test": explain.test,
    "explain": explain.explain,
    "untrack": topics.untrack,
    "channels": channels.show,
    "follow": channels.follow,
    "unfollow": channels.unfollow,
    "mute": mute.mute,
    "unmute": mute.unmute,
    "priority": priority.priority,
    "quiet": quiet.quiet,
    "digest": digest.digest,
    "storms": storms.storms,
    "receipt": receipt.receipt,
    "edits": edits.edits,
    "confirmations": settings.CONFIRMATIONS.said,
    "language": language.language,
    "media": settings.MEDIA.said,
    "here": here.here,
    "ping": status.ping,
    "help": status.help_,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """What a button does."""

    handler: Handler
    need: Need
    argument: re.Pattern[str]  # what may follow the verb: a changed client can send anything


def _tap(handler: Handler, need: Need, argument: str = "") -> Tap:
    return Tap(handler=handler, need=need, argument=re.compile(argument))


TAPS: Mapping[str, Tap] = {
    "setup": _tap(setup.show, Need.LOOK),
    "zones": _tap(setup.zones, Need.CHAT),
    "zone": _tap(setup.choose_zone, Need.CHAT, r"[\w/+-]{1,40}"),
    "lang": _tap(setup.choose_language, Need.CHAT, r"[a-z]{2}"),
    "test": _tap(setup.test_alert, Need.LOOK),
    "topic": _tap(topics.switch, Need.CHAT, r"\d{1,15}:(on|off):(setup|topics)"),
    "save": _tap(track.save, Need.INSTANCE, r"[\w-]{1,40}"),
    "edit": _tap(track.edit, Need.LOOK, r"[\w-]{1,40}"),
    "name": _tap(track.name_it, Need.LOOK, r"[\w-]{1,40}"),
    "drop": _tap(topics.drop, Need.INSTANCE, r"\d{1,15}(:sure)?"),
    "keep": _tap(topics.keep, Need.LOOK),
    "mute": _tap(mute.mute_tapped, Need.CHAT, rf"({mute.SUBJECT}|\d{{1,15}})(:\d{{1,3}}[hd])?"),
    "unmute": _tap(mute.unmute_tapped, Need.CHAT, mute.SUBJECT),
    "wake": _tap(topics.wake, Need.CHAT, mute.SUBJECT),
    "include": _tap(topics.include, Need.INSTANCE, r"\d{1,15}:[0-9a-f]{8}"),
    "quote": _tap(alert_buttons.quote, Need.LOOK, alert_buttons.POST),
    "snooze": _tap(alert_buttons.snooze, Need.CHAT, alert_buttons.ARGUMENT),
    "wrong": _tap(feedback.tapped, Need.CHAT, alert_buttons.POST),
    "blame": _tap(feedback.blame, Need.CHAT, feedback.BLAME),
    "words": _tap(feedback.words, Need.INSTANCE, feedback.WORDS),
    "word": _tap(feedback.word, Need.INSTANCE, feedback.WORD),
    "exclude": _tap(feedback.exclude, Need.INSTANCE, feedback.WORD),
    "leave": _tap(feedback.leave, Need.CHAT, alert_buttons.POST),
    "back": _tap(alert_buttons.back, Need.LOOK, alert_buttons.POST),
    "language": _tap(language.tapped, Need.CHAT, r"[a-z]{2}"),
    "media": _tap(settings.MEDIA.tapped, Need.CHAT, r"on|off"),
    "confirmations": _tap(settings.CONFIRMATIONS.tapped, Need.CHAT, r"on|off"),
    "prio": _tap(priority.tapped, Need.CHAT, r"list|\d{1,15}(:(loud!?|silent|digest))?"),
    "quiet": _tap(quiet.tapped, Need.CHAT, r"\d{1,4}-\d{1,4}|off"),
    "digest": _tap(digest.tapped, Need.CHAT, r"(hour|day|week):\d{1,4}:[0-6]"),
    "sum": _tap(digest.turn, Need.LOOK, r"-?\d{1,19}:\d{1,4}(:new)?"),
    "storms": _tap(storms.tapped, Need.CHAT, r"\d{1,3}:\d{1,3}|off"),
    "edits": _tap(edits.tapped, Need.CHAT, r"all|words|none"),
    "post": _tap(post.tapped, Need.LOOK, r"\d{1,15}:\d{1,10}"),
    "page": _tap(post.turn, Need.LOOK, r"\d{1,15}:\d{1,10}:\d{1,4}"),
    "seen": _tap(search.seen, Need.LOOK, rf"\d{{1,15}}(:{_ROW})?"),
    "more": _tap(search.more, Need.LOOK, rf"[\w-]{{1,40}}(:{_ROW}(:\d{{1,3}})?)?"),
    "order": _tap(search.reorder, Need.LOOK, r"[\w-]{1,40}:(newest|best)"),
    "latest": _tap(search.more_latest, Need.LOOK, rf"\d{{1,15}}:{_ROW}"),
    "follow": _tap(channels.follow, Need.INSTANCE, r"@\w{1,40}|\d{1,15}|\+[\w-]{10,50}|addlist/[\w-]{8,48}"),
    "all": _tap(channels.follow_all, Need.INSTANCE, r"[a-z0-9: ]{0,40}"),
    "list": _tap(channels.show_page, Need.LOOK, r"\d{1,4}"),
}


class Dispatch:
    """Finds out who speaks and in which chat, and lets the right handler answer."""

    def __init__(self, database: Database, access: Access, clock: Clock) -> None:
        self._database = database
        self._access = access
        self._clock = clock
        self._inflector = Inflector()

    async def answer(self, request: Request) -> Reply:
        """Return what to say; the effect is committed by then, and happens once however often the request comes."""
        before = await handled.find(self._database, request.key)
        if before is not None:
            return Reply.from_json(before)
        now = self._clock()
        try:
            reply = await self._answer(request, now)
        except setup.StrangerError:
            # Its answer is not kept: strangers may write as much as they like.
            return await self._database.write(lambda tx: setup.turn_away(tx, request, now=now))
        return await once(self._database, request, _nothing_but(reply), now=now)

    async def _answer(self, request: Request, now: datetime) -> Reply:
        role = await self._access.role_of(request.person_id)
        entering = request.command == "start" and not request.tapped
        if role is None and not entering:
            raise setup.StrangerError
        own = translator(await setup.language_of(self._database, request))
        if role is not None and request.said_at is not None and now - request.said_at > STALE:
            return _away(request, own)
        if entering:
            return await setup.enter(request, database=self._database, access=self._access, now=now)
        chat = await self._chat(request)
        if chat is None or role is None:
            return _not_paired(request, own)
        context = Context(
            database=self._database,
            now=now,
            chat=chat,
            role=role,
            t=translator(chat.language),
            own=own,
            inflector=self._inflector,
        )
        return await (_tapped if request.tapped else _said)(request, context)

    async def _chat(self, request: Request) -> Chat | None:
        chat = await chats.by_peer(self._database, request.peer.kind, request.peer.id)
        if chat is not None and chat.suspended is not None:
            # Who writes to us can be written to.
            now = self._clock()
            await self._database.write(lambda tx: addresses.resume(tx, chat.id, now=now))
        return chat


def _nothing_but(reply: Reply) -> Effect:
    async def effect(_: Transaction) -> Reply:
        return reply

    return effect


def _away(request: Request, t: Translator) -> Reply:
    if not request.command or not request.addressed:
        return Reply()
    return say(t.gettext("I was away. Please send it again: /{command}").format(command=request.command))


async def _said(request: Request, context: Context) -> Reply:
    t = context.t
    if not request.command:
        return await _plain(request, context)
    command = BY_NAME.get(request.command)
    if command is None:
        return _unknown(request, t)
    if not context.may(request, command.need):
        return say(t.gettext("Only owners and editors can do that here."))
    return await COMMANDS[command.name](request, context)


async def _tapped(request: Request, context: Context) -> Reply:
    tap = TAPS.get(request.command)
    if tap is None or not tap.argument.fullmatch(request.argument):
        return Reply(note=context.own.gettext("This button no longer works."))
    if not context.may(request, tap.need):
        return Reply(note=context.own.gettext("Only owners and editors can do that here."))
    return await tap.handler(request, context)


async def _plain(request: Request, context: Context) -> Reply:
    """Answer plain words and forwarded posts, in private only: a group talks among itself."""
    if not request.private:
        return Reply()
    if request.origin is not None:
        return _offer_to_follow(request.origin, context.t)
    if find_zone(request.argument):
        return await setup.offer_zone(request, context)
    named = read_references(request.argument, request.links, explicit_only=True).references
    if named:
        return _offer_all(named, context.t)
    return say(context.t.gettext("I understand commands only. /help shows them; /search WORDS finds posts."))


def _offer_all(references: Sequence[str], t: Translator) -> Reply:
    shown = " ".join(map(show_reference, references))
    text = Text().say(t.gettext("To follow, write: {command}"), command=code(f"/follow {shown}"))
    label = t.gettext("Follow {name}").format(name=show_reference(references[0])[:40])
    return say(text, ((button(label, "follow", references[0]),),) if len(references) == 1 else ())


def _offer_to_follow(origin: Origin, t: Translator) -> Reply:
    reference = f"@{origin.username}" if origin.username else str(origin.channel_id)
    title = origin.title or reference
    text = Text().say(t.gettext("This is from {channel}."), channel=show_channel(title, origin.username))
    label = t.gettext("Follow {name}").format(name=f"@{origin.username}" if origin.username else title[:40])
    return say(text, ((button(label, "follow", reference),),))


def _unknown(request: Request, t: Translator) -> Reply:
    if not request.addressed:
        return Reply()
    meant = suggestion(request.command)
    if meant is None:
        return say(t.gettext("There is no command /{command}. /help shows all.").format(command=request.command))
    return say(
        t.gettext("There is no command /{command}. Did you mean /{meant}?").format(command=request.command, meant=meant)
    )


def _not_paired(request: Request, t: Translator) -> Reply:
    if not request.addressed or request.tapped or not request.command:
        return Reply()
    return say(t.gettext("Send /start first, then I write to this chat."))
