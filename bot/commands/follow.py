"""/follow: makes follow requests of a pasted list of channels, with options; the joiner fulfils them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bot.commands.context import CommandError, Context, Reply, Request, change, remembered, say, writes
from bot.commands.enlistment import ALL_WORDS, enlist
from bot.commands.follow_options import SHOWN_WORD, FollowList, read_options
from bot.commands.parsing import PastedChannels, read_references
from bot.commands.registry import Section, command, example, outdated, tap
from bot.commands.rights import Need
from bot.locales import N_, Translator
from bot.locales.locale import show_number
from bot.models import Network
from bot.models.acts import ChannelsRequested, ChannelsSet
from bot.rendering.follow_list import render_follow_list
from bot.runtime import tesseract
from bot.store import acts, channels, follows, progress, readers
from bot.store.acts import Rows
from bot.store.channels import MOST_FAST, NO_OPTIONS, Access, Channel, Options
from bot.store.database import Reader, Transaction
from bot.store.follows import RequestOutcome
from bot.text.markup import Text, code, join_names, join_texts
from bot.text.references import ALL, ALL_ASKED, FOLDER, is_site, show_reference

MOST_AT_ONCE = 500  # as many as one account can be in
SHOWN_NAMES = 60  # of one kind in an answer

_OUTCOMES = {
    RequestOutcome.NEW: N_("I am checking these and will report on each: {names}"),
    RequestOutcome.AGAIN: N_("Could not be followed earlier; trying again: {names}"),
    RequestOutcome.LOST: N_("Could not be read until now; I am checking again and will report on each: {names}"),
    RequestOutcome.WAITING: N_("Already requested, still working on: {names}"),
    RequestOutcome.FOLLOWED: N_("Already followed: {names}"),
    RequestOutcome.SHARED: N_("Already followed for everybody: {names}. /private keeps one to this chat."),
    RequestOutcome.HIDDEN: N_("I cannot follow these by number: {names}. Send their links or @names."),
}
_LOOKED_AT = {RequestOutcome.NEW, RequestOutcome.AGAIN, RequestOutcome.LOST}
_ARRIVES_WITHIN = timedelta(seconds=30)  # an answer; else a message of its own shows how the list goes on
_HOW = {
    "fast": N_("checked for new posts every few seconds"),
    "slow": N_("no longer fast"),
    "join:no": N_("never joined; read from outside unless my reader account is already in"),
    "join:yes": N_("joined when their turn comes"),
    "ocr": N_("text in its pictures is read by a program"),
    "ocr:no": N_("text in its pictures is no longer read"),
    "witness": N_("compared with its web page each hour, so that nothing is missed unnoticed"),
    "witness:no": N_("no longer compared with its web page"),
    "comments": N_("with the comments on its posts"),
    "comments:no": N_("without the comments on its posts"),
    "private": N_("for this chat only"),
}
NO_OCR = N_(
    "The program that reads pictures is not on the server yet: apt install tesseract-ocr tesseract-ocr-rus, "
    "or in Docker build with OCR=1."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What is to be said of a list."""

    rest: Text
    looked_at: Text = field(default_factory=Text)  # of the channels that are looked at now …
    count: int = 0  # … and how many those are


@tap("follow", Need.INSTANCE, r"@\w{1,40}|-?\d{1,15}|\+[\w-]{10,50}|addlist/[\w-]{8,48}")
@command("follow", Section.CHANNELS, 2, Need.INSTANCE, N_("follow channels, one or a whole list"), usage=N_("@name"))
@example(N_("/follow @name t.me/name"), N_("names, links, invite links, the link of a folder, or a whole list"))
@example(N_("/follow https://site.ru/rss"), N_("a website by its RSS or Atom feed, or by a page that names one"))
@example("/follow all", N_("everything my reader account is in, once you have seen how many"))
@example(
    N_("/follow @name fast"),
    N_("check for new posts every few seconds, as Telegram is late with large channels; at most 20; slow ends it"),
)
@example(
    N_("/follow @name ocr"),
    N_("also find what stands in photos with few words of their own, as a program reads it; ocr:no ends it"),
)
@example(
    N_("/follow @name witness"),
    N_("compare it with its web page each hour and say what was missed, as for each fast one; witness:no ends it"),
)
@example(N_("/follow @name group:Regulators"), N_("add it to a channel group, for topics and searches"))
@example(N_("/follow @name all"), N_("send every post of it here; group:NAME all does the same for a group"))
@example(N_("/follow @name private"), N_("only this chat finds it, searches its posts and gets alerts from it"))
@example(N_("/follow @name comments"), N_("the comments on its posts, too; comments:no ends that"))
@example(
    N_("/follow @name join:no history:5000"),
    N_("read from outside, with this many older posts; on a line of its own for a list"),
)
@writes
async def follow(request: Request, context: Context, tx: Transaction) -> Reply:
    """Request the channels of a pasted list, and say for each whether it is new, waiting or followed."""
    return await _follow_typed(request, context, tx)


async def _follow_typed(request: Request, context: Context, tx: Transaction) -> Reply:
    """Answer where one channel is new; of more, each has its place in the one message that fills in."""
    t, now = context.t, context.now
    lists = read_options(request.argument, t)
    if lists[0].names.casefold() in ALL_WORDS:
        await follows.request(tx, ALL_ASKED, chat_id=context.chat.id, now=now, options=lists[0].options)
        return say(t.gettext("I count the channels my reader account is in, and ask you before I follow them."))
    pasted = _read(lists, request.links)
    if not any(each.references for each in pasted):
        if lists[0].enlistment.groups and not lists[0].names:
            return say(await enlist(tx, (), lists[0].enlistment, context))
        unclear = next((each for each in pasted if each.unclear), None)
        raise CommandError(usage(t) if unclear is None else _not_understood(unclear, t))
    answers = []
    for each, listed in zip(pasted, lists, strict=True):
        answers.append(await _follow(tx, each, listed.options, context))
        answers[-1].rest.join(await enlist(tx, each.references[:MOST_AT_ONCE], listed.enlistment, context))
    if sum(each.count for each in answers) > 1:
        return await _show_list(tx, context, below=join_texts((each.rest for each in answers), "\n").build()[0])
    return say(join_texts((text for each in answers for text in (each.looked_at, each.rest)), "\n"))


@tap("paste", Need.INSTANCE, r"[\w-]{1,40}")
@writes
async def follow_pasted(request: Request, context: Context, tx: Transaction) -> Reply:
    """Follow the channels that were pasted without a command; the button names the answer that remembers them."""
    typed = await remembered(tx, context, request.argument)
    return await _follow_typed(replace(request, argument=typed), context, tx)


@tap("retry", Need.INSTANCE, r"\d{1,14}")
@writes
async def try_again(request: Request, context: Context, tx: Transaction) -> Reply:
    """Try the channels of a list once more that could not be followed; the button says when the list was sent."""
    asked_at = datetime.fromtimestamp(int(request.argument) / 1000, UTC)
    refused = await follows.refused_of(tx, context.chat.id, asked_at)
    if not refused:
        raise CommandError(context.own.gettext("Nothing is left to try again."))
    for reference in refused:
        await follows.request(tx, reference, chat_id=context.chat.id, now=context.now)
    await _log(tx, {RequestOutcome.AGAIN: list(map(show_reference, refused))}, context)
    return await _show_list(tx, context)


async def _show_list(tx: Transaction, context: Context, *, below: str = "") -> Reply:
    """Answer with the one message that fills in while the channels asked for at this moment are looked at."""
    now, chat_id = context.now, context.chat.id
    await progress.show_list(tx, chat_id, now, below=below, not_before=now + _ARRIVES_WITHIN)
    outgoing = render_follow_list(await follows.listed(tx, chat_id, now), below, now, context.t)
    return Reply(messages=(outgoing,), progress=now)


@tap("all", Need.INSTANCE, r"[a-z0-9: ]{0,40}")
@writes
async def follow_all(request: Request, context: Context, tx: Transaction) -> Reply:
    """Follow all that the reader account is in; the button carries how."""
    try:
        options = read_options(request.argument, context.own)[0].options
    except CommandError:
        raise outdated(context) from None
    await follows.request(tx, ALL, chat_id=context.chat.id, now=context.now, options=options)
    return change(context.t.gettext("I am checking everything my reader account is in, one channel after another."))


def _read(lists: Sequence[FollowList], links: Sequence[str]) -> list[PastedChannels]:
    """Read the names of each list; links hidden behind words go with the last one, and make words of none a mistake."""
    pasted = [read_references(each.names, links, sites=True) for each in lists]
    named = [read_references(each.names, sites=True).references for each in lists[:-1]]
    return [replace(each, references=own) for each, own in zip(pasted, named, strict=False)] + pasted[-1:]


async def _follow(tx: Transaction, pasted: PastedChannels, options: Options, context: Context) -> _Answer:
    """Request the channels of one list."""
    t, references = context.t, pasted.references[:MOST_AT_ONCE]
    fast = await channels.count_fast(tx) + len(await _not_fast(tx, references)) if options.fast else 0
    if fast > MOST_FAST:
        line = t.gettext("At most {most} channels can be fast; with these there would be {n}. {example} makes room.")
        return _Answer(rest=Text().line(line, most=MOST_FAST, n=fast, example=code("/follow @name slow")))
    outcomes: dict[RequestOutcome, list[str]] = {}
    known = [await follows.followed_as(tx, reference) for reference in references] if options != NO_OPTIONS else []
    async with setting_options(tx, context, list(filter(None, known)), options):
        for reference in references:
            outcome = await follows.request(tx, reference, chat_id=context.chat.id, now=context.now, options=options)
            outcomes.setdefault(outcome, []).append(show_reference(reference))
    await _log(tx, outcomes, context)
    looked_at, text = Text(), Text()
    for outcome, line in _OUTCOMES.items():
        if outcome in outcomes:
            said = looked_at if outcome in _LOOKED_AT else text
            said.line(t.gettext(line), names=join_names(outcomes[outcome], SHOWN_NAMES))
    text.join(await _show_options(tx, options, references, t))
    if (left := len(pasted.references) - MOST_AT_ONCE) > 0:
        line = t.ngettext(
            "{n} more was too many at once; send it again later.",
            "{n} more were too many at once; send them again later.",
            left,
        )
        text.line(line, n=left)
    is_of_telegram = not all(map(is_site, references))
    if is_of_telegram and outcomes.keys() - {RequestOutcome.FOLLOWED} and not await readers.any_reads(tx):
        text.line(
            t.gettext(
                "No reader account can read now. I check public channels by their web pages, the others once it can."
            )
        )
    if pasted.unclear:
        text.join(_not_understood(pasted, t))
    count = sum(len(outcomes.get(each, ())) for each in _LOOKED_AT)
    return _Answer(rest=text, looked_at=looked_at, count=count)


@asynccontextmanager
async def setting_options(
    tx: Transaction, context: Context, found: Sequence[Channel], options: Options
) -> AsyncIterator[None]:
    """Record that followed channels are followed in another way, if they are."""
    how = Options(
        fast=options.fast,
        may_join=options.may_join,
        ocr=options.ocr,
        witness=options.witness,
        comments=options.comments,
    )
    changed = [each for each in found if each.network is Network.TELEGRAM and _is_another(how, each)]
    if not changed:
        yield
        return
    act = ChannelsSet(names=tuple(each.title for each in changed[:SHOWN_NAMES]), options=how.typed())
    rows = [Rows("channels", "id", number) for each in changed for number in (each.id, each.comments_in) if number]
    is_restricted = any(each.restricted for each in changed)
    async with acts.recorded(tx, act, context.actor, *rows, now=context.now, restricted=is_restricted):
        yield


def _is_another(how: Options, channel: Channel) -> bool:
    """Tell whether a channel is followed in another way."""
    has_comments = channel.comments_in is not None
    now = Options(
        fast=channel.fast,
        may_join=channel.may_join,
        ocr=channel.ocr,
        witness=channel.is_witnessed,
        comments=has_comments,
    )
    return now.with_(how) != now


async def _log(tx: Transaction, outcomes: Mapping[RequestOutcome, Sequence[str]], context: Context) -> None:
    """Write down what was asked for that nobody had asked for yet."""
    names = [name for outcome in (RequestOutcome.NEW, RequestOutcome.AGAIN) for name in outcomes.get(outcome, ())]
    if names:
        act = ChannelsRequested(names=tuple(names[:SHOWN_NAMES]))
        hidden = {show_reference(each.reference) for each in await follows.all_follows(tx) if each.access is not None}
        await acts.record(tx, act, context.actor, now=context.now, restricted=not hidden.isdisjoint(names))


async def _show_options(db: Reader, options: Options, references: Sequence[str], t: Translator) -> Text:
    """Say how channels are followed, and in which of them a reader stays though none is to be joined."""
    text = Text()
    if options != NO_OPTIONS and not all(map(is_site, references)):
        text.line(t.gettext("How: {how}."), how=_how(options, t))
    if options.typed() not in {"", "private"} and any(map(is_site, references)):
        text.line(t.gettext("Sites are all read in one way, every few minutes: only private applies to them."))
    if options.ocr and not tesseract.is_installed():
        text.line(t.gettext(NO_OCR))
    if options.comments and not await readers.any_reads(db):
        text.line(t.gettext("Comments can be read by a reader account only; I will look for them once one can read."))
    if options.may_join is False and (inside := await _inside(db, references)):
        line = t.gettext("My reader account is already in these and stays there: {names}")
        text.line(line, names=join_names([show_reference(reference) for reference in inside], SHOWN_NAMES))
    return text


async def _inside(db: Reader, references: Sequence[str]) -> list[str]:
    """Return the references of channels that a reader has joined."""
    joined = {channel.id: channel for channel in await channels.followed(db) if channel.access is Access.JOINED}
    names = {f"@{channel.username}".lower() for channel in joined.values() if channel.username} | set(map(str, joined))
    names |= {wish.reference for wish in await follows.all_follows(db) if wish.channel_id in joined}
    return [reference for reference in references if reference in names]


async def _not_fast(db: Reader, references: Sequence[str]) -> list[str]:
    """Return the references of channels that would become fast; the channels of a folder are not known yet."""
    if len(references) > MOST_FAST:
        return list(references)
    wishes = {wish.reference for wish in await follows.all_follows(db) if wish.options.fast and not wish.channel_id}
    named = [reference for reference in references if not reference.startswith(FOLDER) and reference not in wishes]
    return [reference for reference in named if not _is_fast(await channels.find(db, reference))]


def _is_fast(channel: Channel | None) -> bool:
    """Tell whether a channel counts among the fast ones; a lost one does not, whatever was asked for."""
    return channel is not None and channel.fast and channel.access is not Access.LOST


def _how(options: Options, t: Translator) -> str:
    said = [t.gettext(_HOW[word]) for word in options.typed().split() if word in _HOW]
    if options.history is not None:
        line = t.ngettext("{n} older post read", "{n} older posts read", options.history)
        said.append(line.format(n=show_number(options.history, t)))
    return "; ".join(said)


def _not_understood(pasted: PastedChannels, t: Translator) -> Text:
    line = t.gettext("Not a channel: {names}\nWrite @name or a link such as t.me/name.")
    return Text().say(line, names=join_names([word[:SHOWN_WORD] for word in pasted.unclear], SHOWN_NAMES))


def usage(t: Translator) -> Text:
    """Show how channels are named."""
    text = Text().line(t.gettext("Add the channels after the command, one or a whole list:"))
    text.add(code("/follow @MID_Russia t.me/rkn_tg"), "\n")
    text.line(t.gettext("For a private channel, send its invite link; or forward me a post from any channel."))
    text.line(t.gettext("A folder link t.me/addlist/… works too, and so does {example}."), example=code("/follow all"))
    text.line(t.gettext("A site with an RSS or Atom feed: {example}"), example=code("/follow https://site.ru/rss"))
    line = t.gettext("Options you can add after them: {options}.")
    return text.say(
        line, options=code(t.gettext("fast, slow, join:no, join:yes, comments, ocr, witness, private, history:5000"))
    )
