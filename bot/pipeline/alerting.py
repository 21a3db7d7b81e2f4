"""Alerts of a batch of matches: what their chats have is read, about each alert is decided, and the outbox written."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.models.alerts import AlertChange, ChangeKind, Draft, Group, GroupKind, Loudness, MessageKind, OpenGroup
from bot.pipeline.decisions.grouping import (
    SAME_WORDS_WITHIN,
    ChatState,
    JoinDuplicate,
    RoutedAlert,
    Send,
    decide,
    is_too_old,
)
from bot.pipeline.decisions.revisions import AlertUpdate
from bot.pipeline.dedup import Duplicates
from bot.store import alerts, backup_recovery, captures, groups, outbox, translations
from bot.store.alerts import NewAlert
from bot.store.database import Reader, Transaction
from bot.store.groups import NewMember

_ALERTING = {GroupKind.DIGEST, GroupKind.STORM}


async def add_alerts(
    tx: Transaction, routed: Iterable[RoutedAlert], memory: Duplicates, *, now: datetime, max_age: timedelta
) -> int:
    """Decide about alerts and write down what was decided; return how many are new, late ones and duplicates apart."""
    compared = await _compare(tx, routed, memory, now=now, max_age=max_age)
    open_groups = await groups.open_for(tx, {each.chat_id for each in compared}, now=now)
    states = await _read_states(tx, compared, open_groups, now=now)
    number = await alerts.next_id(tx)
    single = list[RoutedAlert]()
    news = list[tuple[int, Group]]()  # chats, and the storms that name a new event
    grouped = list[tuple[RoutedAlert, Group]]()
    joined = list[tuple[RoutedAlert, JoinDuplicate]]()
    for each in compared:
        numbered = replace(each, alert=replace(each.alert, id=number + len(single) + len(grouped) + len(joined)))
        decision = decide(numbered, states[each.chat_id], now, max_age=max_age)
        states[each.chat_id].add(numbered, decision)
        match decision:
            case Send(storm=storm):
                single.append(numbered)
                news += [(each.chat_id, storm)] if storm is not None else []
            case Group():
                grouped.append((numbered, decision))
            case JoinDuplicate():
                joined.append((numbered, decision))
    await alerts.add(tx, [NewAlert(alert=each.alert) for each in single], now=now)
    await outbox.enqueue(tx, [_message(each) for each in single], now=now)  # these leave first
    await translations.follow(tx, [each.alert.id for each in single if each.recipient.translates], now=now)
    await _add_to_groups(tx, grouped, open_groups, now=now)
    shown = (*single, *(each for each, _ in grouped))
    await captures.follow(tx, [each.alert.id for each in shown if each.recipient.keeps_pages], now=now)
    await _add_duplicates(tx, joined, now=now)
    await groups.show_news(tx, news, now=now)
    return len(single) + sum(group.kind in _ALERTING for _, group in grouped)


async def _compare(
    tx: Reader, routed: Iterable[RoutedAlert], memory: Duplicates, *, now: datetime, max_age: timedelta
) -> list[RoutedAlert]:
    """Return the alerts with the posts that say the same; what is too old is only counted, and compared with none."""
    old, current = list[RoutedAlert](), list[RoutedAlert]()
    for each in routed:
        is_old = is_too_old(each, now, max_age=max_age)
        if not (is_old and each.recipient.is_broadcast):
            (old if is_old else current).append(each)
    return [*old, *await memory.compare(tx, current, now=now)]


async def _read_states(
    tx: Reader, routed: Sequence[RoutedAlert], open_groups: Collection[OpenGroup], *, now: datetime
) -> Mapping[int, ChatState]:
    """Read what the chats of these alerts have."""
    states = defaultdict[int, ChatState](ChatState)
    alerted, counted = await alerts.known(tx, [each.alert for each in routed])
    for chat_id, key in alerted:
        states[chat_id].alerted.add(key)
    for chat_id, key in counted:
        states[chat_id].counted.add(key)
    for chat_id, window in (await backup_recovery.windows(tx, {each.chat_id for each in routed})).items():
        states[chat_id].restored = window
    for group in open_groups:
        states[group.chat_id].groups[group.key] = group
    await _read_storms(tx, routed, open_groups, states)
    await _read_priors(tx, routed, states)
    for chat_id, counts in (await _count_recent(tx, routed, now=now)).items():
        states[chat_id].recent.update(counts)
    return states


async def _read_storms(
    tx: Reader, routed: Iterable[RoutedAlert], open_groups: Iterable[OpenGroup], states: Mapping[int, ChatState]
) -> None:
    """Read what the storms show that these alerts may belong to."""
    wanted = {(each.chat_id, (GroupKind.STORM, topic)) for each in routed for topic in each.topic_ids.values()}
    storms = {group.id: group for group in open_groups if (group.chat_id, group.key) in wanted}
    for group_id, texts in (await groups.texts_of_storms(tx, storms)).items():
        states[storms[group_id].chat_id].shown[storms[group_id].key] += texts


async def _read_priors(tx: Reader, routed: Sequence[RoutedAlert], states: Mapping[int, ChatState]) -> None:
    """Read the alerts that those at hand may join."""
    posts = {(each.chat_id, key) for each in routed for key in each.alike}
    words = {
        (each.chat_id, each.alert.fingerprint, each.posted_at - 2 * SAME_WORDS_WITHIN)
        for each in routed
        if each.said is not None
    }
    for prior in await alerts.priors(tx, posts, words):
        state = states[prior.chat_id]
        if prior.post is not None:
            state.priors[prior.post] = prior.alert
        if prior.fingerprint is not None:
            state.same_words[prior.fingerprint].append(prior.alert)


async def _count_recent(tx: Reader, routed: Sequence[RoutedAlert], *, now: datetime) -> Mapping[int, Counter[str]]:
    """Count the alerts that each chat has had lately, where they may be enough for a storm."""
    posts = Counter(each.chat_id for each in routed)
    asked = defaultdict[tuple[int, int], set[int]](set)
    for each in routed:
        storms = each.recipient.storms
        if storms is not None:
            enough = max(1, storms.count - posts[each.chat_id] + 1)
            asked[storms.minutes, enough].add(each.chat_id)
    counts: dict[int, Counter[str]] = {}
    for (minutes, enough), chat_ids in asked.items():
        counts |= await alerts.count_recent(tx, chat_ids, since=now - timedelta(minutes=minutes), enough=enough)
    return counts


def _message(routed: RoutedAlert) -> Draft:
    return Draft(
        chat_id=routed.chat_id,
        chat_key=routed.recipient.chat_key,
        kind=MessageKind.ALERT,
        subject=routed.subject,
        alert_id=routed.alert.id,
        thread_id=routed.thread_id or routed.recipient.chat_thread,
        silent=routed.alert.loudness < Loudness.LOUD,
    )


async def _add_to_groups(
    tx: Transaction, grouped: Sequence[tuple[RoutedAlert, Group]], open_groups: Collection[OpenGroup], *, now: datetime
) -> None:
    members = [
        NewMember(chat_id=each.chat_id, chat_key=each.recipient.chat_key, group=group) for each, group in grouped
    ]
    group_ids = await groups.place(tx, members, open_groups, now=now)
    added = [
        NewAlert(alert=each.alert, is_counted=group.kind is GroupKind.LATE, group_id=group_id)
        for (each, group), group_id in zip(grouped, group_ids, strict=True)
    ]
    await alerts.add(tx, added, now=now)


async def _add_duplicates(
    tx: Transaction, joined: Sequence[tuple[RoutedAlert, JoinDuplicate]], *, now: datetime
) -> None:
    """Add alerts that join others, whose messages name them, and confirm those others where chats want that."""
    if not joined:
        return
    await alerts.add(tx, [NewAlert(alert=each.alert, duplicate_of=join.first.id) for each, join in joined], now=now)
    grouped = {join.first.id for _, join in joined if join.first.group is not None}
    messages = await alerts.messages_of(tx, {join.first.id for _, join in joined} - grouped)
    await outbox.revise(tx, [message_id for message_id, _ in messages.values()], now=now)
    await groups.redraw(tx, grouped, now=now)
    confirmations = [
        Draft(
            chat_id=each.chat_id,
            chat_key=each.recipient.chat_key,
            kind=MessageKind.CHANGE,
            subject=f"confirmed/{messages[join.first.id][1]}",  # of the first post: there is only one
            alert_id=join.first.id,
            version_id=each.alert.version_id,
            change=AlertChange(kind=ChangeKind.CONFIRMED),
            reply_to=messages[join.first.id][0],
            silent=join.is_silent,
        )
        for each, join in joined
        if join.is_confirmed
    ]
    await outbox.enqueue(tx, confirmations, now=now)


async def update_alerts(tx: Transaction, updates: Sequence[AlertUpdate], *, now: datetime) -> None:
    """Write down what alerts show from now on, want their messages edited, and enqueue the replies."""
    changed = [(update.stale, update.alert) for update in updates if update.alert is not None]
    await alerts.update(tx, [alert for _, alert in changed])
    own = [stale.shown_by for stale, _ in changed if not stale.is_grouped and not stale.is_duplicate]
    await outbox.revise(tx, own, now=now)
    await translations.follow(tx, [alert.id for _, alert in changed], now=now)
    await captures.follow(tx, [alert.id for _, alert in changed], now=now)
    await groups.redraw(tx, [alert.id for stale, alert in changed if stale.is_grouped], now=now)
    windows = await backup_recovery.windows(tx, {update.chat_id for update in updates})
    replies = [reply for update in updates for reply in update.replies_after(windows.get(update.chat_id))]
    await outbox.enqueue(tx, replies, now=now)
