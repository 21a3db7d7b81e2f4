"""The button under the notice of a refused head: an owner lets it count by their word, after a question."""

from collections.abc import Iterator

from bot.commands.broadcast import owners_of
from bot.commands.context import Context, Reply, Request, change, say, writes
from bot.commands.lookup import need_channel
from bot.commands.registry import outdated, tap
from bot.commands.rights import Need
from bot.commands.undo import undo_button
from bot.locales import Translator
from bot.models.acts import HeadAccepted
from bot.store import acts, foreign_heads
from bot.store.acts import Rows
from bot.store.channels import Channel
from bot.store.database import Transaction
from bot.store.foreign_heads import ChannelHead
from bot.store.heads import fingerprint
from bot.store.ledger import LineKind
from bot.text.buttons import CHANNEL, button
from bot.text.markup import Text, bold, code, one_line

_TITLE, _HASH = 60, 64  # UTF-16 units
_DIGITS = 16  # of a head's digest: what is accepted is what was shown


@tap("head", Need.TEAM, rf"{CHANNEL}(:[0-9a-f]{{{_DIGITS}}})?")
@writes
async def accept_head(request: Request, context: Context, tx: Transaction) -> Reply:
    """Ask whether the head of another instance that was refused last is to count, or let it count."""
    number, _, digest = request.argument.partition(":")
    t, found = context.t, await foreign_heads.refused(tx, int(number))
    if found is None or digest not in {"", found[1].sha256.hex()[:_DIGITS]}:
        raise outdated(context)
    last, head = found
    channel = await need_channel(tx, head.channel_id, context)
    title = bold(one_line(channel.title, _TITLE))
    if digest:
        act = await _accept(tx, head, channel, context)
        line = t.gettext("Signatures that {channel} posts count from here, by your word.")
        return change(line, ((undo_button(act, t),),), channel=title)
    text = Text()
    for line, before, after in _differences(last, head, t):
        text.line(line, before=code(before), after=code(after))
    line = t.gettext("Ask the people of {channel} by another way whether this is theirs. Accept it?")
    then = t.gettext("The ledger will say that a person accepted it, and that nothing proves it.")
    sure = button(t.gettext("Accept from here"), "head", head.channel_id, head.sha256.hex()[:_DIGITS])
    return say(text.line(line, channel=title).add(then), ((sure, button(t.gettext("No"), "keep")),))


async def _accept(tx: Transaction, head: ChannelHead, channel: Channel, context: Context) -> int:
    act = HeadAccepted(
        channel_id=head.channel_id,
        names=(channel.title,),
        sequence=head.sequence,
        key=_digest(head),
        sha256=head.sha256.hex(),
    )
    rows, concerned = Rows("meta", "key", foreign_heads.place(head.channel_id)), await owners_of(tx)
    async with acts.recorded(
        tx, act, context.actor, rows, now=context.now, restricted=channel.restricted, concerned=concerned
    ) as recording:
        await foreign_heads.count(tx, head, LineKind.HEAD_ACCEPTED, now=context.now)
    return recording.id


def _differences(last: ChannelHead, head: ChannelHead, t: Translator) -> Iterator[tuple[str, str, str]]:
    """Yield what differs, each as a line with its two values."""
    if last.key != head.key:
        yield t.gettext("Key: {before} → {after}"), _digest(last), _digest(head)
    if last.sequence != head.sequence:
        yield t.gettext("Line of the ledger: {before} → {after}"), str(last.sequence), str(head.sequence)
    elif last.hash != head.hash:
        yield (
            t.gettext("Hash of the same line: {before} → {after}"),
            one_line(last.hash, _HASH),
            one_line(head.hash, _HASH),
        )


def _digest(head: ChannelHead) -> str:
    return fingerprint(bytes.fromhex(head.key))
