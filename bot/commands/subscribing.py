"""What a chat receives, changed by somebody there: in a group it concerns all its members, and is in the log."""

from bot.commands.context import Context
from bot.models.acts import GroupSet, TopicSwitched, WordExcluded
from bot.store import access, acts, exclusions, subscriptions
from bot.store.access import Restrictable
from bot.store.acts import Rows
from bot.store.database import Transaction
from bot.store.exclusions import ExcludedWord
from bot.store.topics import Topic


async def subscribe(tx: Transaction, context: Context, topic: Topic) -> bool:
    """Subscribe this chat to a topic; False where it was already. An owner brings a restricted topic along."""
    await access.share(tx, Restrictable.TOPIC, topic.id, context.chat.id)
    is_new = await subscriptions.subscribe(tx, context.chat.id, topic.id, now=context.now)
    if is_new and not context.private:
        act = TopicSwitched(topic=topic.name, on=True)
        await acts.record(tx, act, context.actor, now=context.now, restricted=topic.is_confidential)
    return is_new


async def unsubscribe(tx: Transaction, context: Context, topic: Topic) -> tuple[bool, int | None]:
    """End this chat's subscription; return whether there was one, and the number of the act, if it is in the log."""
    act, rows = TopicSwitched(topic=topic.name, on=False), Rows("subscriptions", "chat_id", context.chat.id)
    is_there = topic.id in await subscriptions.priorities(tx, context.chat.id)
    if not is_there or context.private:
        return await subscriptions.unsubscribe(tx, context.chat.id, topic.id), None
    async with acts.recorded(
        tx, act, context.actor, rows, now=context.now, restricted=topic.is_confidential
    ) as recording:
        await subscriptions.unsubscribe(tx, context.chat.id, topic.id)
    return True, recording.id


async def set_exclusion(
    tx: Transaction, context: Context, topic: Topic, excluded: ExcludedWord, *, on: bool
) -> int | None:
    """Exclude a word from a topic in this chat, or no longer; return the number of the act, if it is in the log."""
    change = exclusions.add if on else exclusions.remove
    if context.private:
        await change(tx, context.chat.id, excluded)
        return None
    act = WordExcluded(topic=topic.name, word=excluded.word, excluded=on)
    rows = Rows("exclusions", "chat_id", context.chat.id)
    async with acts.recorded(
        tx, act, context.actor, rows, now=context.now, restricted=topic.is_confidential
    ) as recording:
        await change(tx, context.chat.id, excluded)
    return recording.id


async def log_setting(tx: Transaction, context: Context, command: str) -> None:
    """Write down that a group was set otherwise, by a command as it was or could have been typed.

    It may name what is restricted to the group, and concerns nobody else.
    """
    if not context.private:
        act = GroupSet(chat=context.chat.title, command=command)
        await acts.record(tx, act, context.actor, now=context.now, restricted=True)
