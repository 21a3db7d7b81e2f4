"""/about: what this is, and who signs what it stores."""

from bot import __version__
from bot.commands.context import Context, Reply, Request, say
from bot.commands.past import past_line
from bot.commands.profile import ABOUT
from bot.commands.registry import Section, command, example
from bot.commands.rights import Need
from bot.locales import N_
from bot.locales.locale import Locale
from bot.models.people import Viewer
from bot.search.coverage import coverage_of
from bot.store import access, heads, ledger, proofs
from bot.store.access import Restrictable
from bot.store.database import Reader
from bot.store.heads import HeadStamp, fingerprint, pem
from bot.store.proofs import GIVE_UP_AFTER
from bot.text.markup import Text, bold, code


@command("about", Section.CHAT, 13, Need.LOOK, N_("what this is, and the key that signs what it stores"))
@example("/about", N_("the version, the key that signs what is stored here, and up to when it has signed"))
async def about(_: Request, context: Context) -> Reply:
    """Say what this is, how far its archive reaches, and who signs it."""
    return say(await describe(context.database, context.locale, context.viewer))


async def describe(db: Reader, locale: Locale, viewer: Viewer) -> Text:
    """Return what there is to know of this instance, for a chat or a terminal."""
    t = locale.t
    text = Text().add(bold(f"channelwatch {__version__}"), "\n").line(t.gettext(ABOUT))
    text.line(t.gettext("Free under the MIT licence; whoever runs it here has its source code."))
    hidden = await access.hidden(db, Restrictable.CHANNEL, viewer)
    coverage = await coverage_of(db, None, now=locale.now, hidden=hidden)
    if archive := past_line(coverage, locale):
        text.add("\n", archive, "\n")
    return text.line().join(await _signatures(db, locale))


async def _signatures(db: Reader, locale: Locale) -> Text:
    """Say which key signs the ledger, up to where it has, and what authorities of time have stamped."""
    t, text, keys = locale.t, Text(), await heads.keys(db)
    if not keys:
        return text.line(t.gettext("No key signs the ledger yet: it is made when the service starts."))
    key, head, tip = keys[-1], await heads.last(db), await ledger.tip(db)
    line = t.gettext("Since {date} this key has signed all that is stored; a tap copies it:")
    text.line(line, date=locale.date(key.since))
    text.add(code(pem(key.public).rstrip()), "\n")
    text.line(t.gettext("Its SHA-256: {digest}"), digest=code(fingerprint(key.public)))
    if head is not None:
        line = t.gettext("Last signed {date}: {line} of {lines} lines of the ledger, {hash}")
        date, digest = locale.date(head.signed_at), code(head.hash.hex())
        text.line().line(line, line=head.sequence, lines=tip.sequence, date=date, hash=digest)
    for stamp in (await heads.last_stamps(db)).values():
        text.add(await _stamped(db, stamp, locale), "\n")
    return text.join(await _proven(db, locale))


async def _stamped(db: Reader, stamp: HeadStamp, locale: Locale) -> str:
    t, last, said = locale.t, await heads.last_stamped(db, stamp.authority), locale.t.gettext("never stamped")
    if last is not None:
        said = t.gettext("last stamped {date}").format(date=locale.date(last))
    if stamp.reason is not None:
        said = t.gettext("{said}; the last try failed: {reason}").format(said=said, reason=stamp.reason)
    return f"{stamp.authority}: {said}"


async def _proven(db: Reader, locale: Locale) -> Text:
    """Say which block of Bitcoin holds the newest head, as calendars of OpenTimestamps say, and what is pending."""
    t, text = locale.t, Text()
    complete, last = await proofs.last_complete(db), await proofs.last(db)
    if complete is not None and complete.submitted_at is not None:
        line = t.gettext("OpenTimestamps: the head of {date} is in block {block} of Bitcoin, says its calendar")
        text.line(line, date=locale.date(complete.submitted_at), block=complete.block)
    pending = [proof.submitted_at for proof in await proofs.promised(db) if proof.block is None]
    since = [moment for moment in pending if moment is not None]
    if since:
        line = t.gettext("OpenTimestamps: waiting for Bitcoin since {date}: {count}. That proves nothing yet.")
        text.line(line, date=locale.date(since[0]), count=len(since))
    if since and locale.now - since[0] >= GIVE_UP_AFTER:
        text.line(t.gettext("After 30 days only a new bundle asks the calendars."))
    if last is not None and last.reason is not None:
        text.line(t.gettext("OpenTimestamps, at the last try: {reason}"), reason=last.reason)
    return text
