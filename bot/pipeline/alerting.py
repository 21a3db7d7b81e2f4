"""Alerts of a batch of matches: what their chats have is read, about each alert is decided, and the outbox written."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.models.alerts import AlertChange, ChangeKind, Group, GroupKind, Loudness, OpenGroup
from bot.pipeline.dedup import Duplicates
from bot.pipeline.grouping import (
    SAME_WORDS_WITHIN,
    Candidate,
    ChatState,
    Decision,
    JoinDuplicate,
    JoinGroup,
    Send,
    Skip,
    decide,
    is_too_old,
)
from bot.store import alerts, backup_recovery, duplicates, groups, outbox
from bot.store.alerts import NewAlert
from bot.store.database import Reader, Transaction
from bot.store.groups import NewMember
from bot.store.outbox import Draft, MessageKind

_ALERTING = {GroupKind.DIGEST, GroupKind.STORM}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decided:
    """An alert that its chat did not have, and what becomes of it."""

    candidate: Candidate
    decision: Decision


async def add_alerts(
    tx: Transaction, found: Iterable[Candidate], memory: Duplicates, *, now: datetime, max_age: timedelta
) -> int:
    """Decide about alerts and write down what was decided; return how many are new, late ones and duplicates apart."""
    candidates = await _compared(tx, found, memory, now=now, max_age=max_age)
    open_groups = await groups.open_for(tx, {each.alert.chat_id for each in candidates}, now=now)
    states = await _states(tx, candidates, open_groups, now=now)
    number = await alerts.next_id(tx)
    decided = []
    for each in candidates:
        candidate, state = replace(each, alert=replace(each.alert, id=number)), states[each.alert.chat_id]
        decision = decide(candidate, state, now, max_age=max_age)
        state.add(candidate, decision)
        if not isinstance(decision, Skip):
            decided.append(_Decided(candidate=candidate, decision=decision))
            number += 1
    await _write(tx, decided, open_groups, now=now)
    return sum(_is_alert(each.decision) for each in decided)


def _is_alert(decision: Decision) -> bool:
    return isinstance(decision, Send) or (isinstance(decision, JoinGroup) and decision.group.kind in _ALERTING)


async def _compared(
    tx: Reader, found: Iterable[Candidate], memory: Duplicates, *, now: datetime, max_age: timedelta
) -> list[Candidate]:
    """Return the alerts with the posts that say the same; late ones are only counted, and compared with none."""
    late, current = list[Candidate](), list[Candidate]()
    for each in found:
        (late if is_too_old(each, now, max_age=max_age) else current).append(each)
    return [*late, *await memory.compare(tx, current, now=now)]


async def _states(
    tx: Reader, candidates: Sequence[Candidate], open_groups: Iterable[OpenGroup], *, now: datetime
) -> Mapping[int, ChatState]:
    """Read what the chats of these alerts have."""
    states = defaultdict[int, ChatState](ChatState)
    alerted, counted = await alerts.known(tx, [each.alert for each in candidates])
    for chat_id, key in alerted:
        states[chat_id].alerted.add(key)
    for chat_id, key in counted:
        states[chat_id].counted.add(key)
    for chat_id, window in (await backup_recovery.windows(tx, {each.alert.chat_id for each in candidates})).items():
        states[chat_id].restored = window
    for group in open_groups:
        states[group.chat_id].groups[group.key] = group
    posts = {(each.alert.chat_id, key) for each in candidates for key in each.alike}
    words = {
        (each.alert.chat_id, each.alert.fingerprint, each.posted_at - 2 * SAME_WORDS_WITHIN)
        for each in candidates
        if each.said is not None
    }
    for prior in await duplicates.priors(tx, posts, words):
        state = states[prior.chat_id]
        if prior.post is not None:
            state.priors[prior.post] = prior.alert
        if prior.fingerprint is not None:
            state.same_words[prior.fingerprint].append(prior.alert)
    for chat_id, counts in (await _recent(tx, candidates, now=now)).items():
        states[chat_id].recent.update(counts)
    return states


async def _recent(tx: Reader, candidates: Sequence[Candidate], *, now: datetime) -> Mapping[int, Counter[str]]:
    """Count the alerts that each chat has had lately, where they may be enough for a storm."""
    posts = Counter(each.alert.chat_id for each in candidates)
    asked = defaultdict[tuple[int, int], set[int]](set)
    for each in candidates:
        if each.storms is not None:
            chat_id = each.alert.chat_id
            asked[each.storms.minutes, max(1, each.storms.count - posts[chat_id] + 1)].add(chat_id)
    counts: dict[int, Counter[str]] = {}
    for (minutes, enough), chat_ids in asked.items():
        counts |= await alerts.count_recent(tx, chat_ids, since=now - timedelta(minutes=minutes), enough=enough)
    return counts


async def _write(
    tx: Transaction, decided: Sequence[_Decided], open_groups: Collection[OpenGroup], *, now: datetime
) -> None:
    single = [each for each in decided if isinstance(each.decision, Send)]
    grouped = [(each, each.decision.group) for each in decided if isinstance(each.decision, JoinGroup)]
    joined = [(each, each.decision) for each in decided if isinstance(each.decision, JoinDuplicate)]
    await alerts.add(tx, [NewAlert(alert=each.candidate.alert) for each in single], now=now)
    await outbox.enqueue(tx, [_message(each.candidate) for each in single], now=now)  # these leave first
    await _write_grouped(tx, [(each.candidate, group) for each, group in grouped], open_groups, now=now)
    duplicated = [NewAlert(alert=each.candidate.alert, duplicate_of=decision.first.id) for each, decision in joined]
    await alerts.add(tx, duplicated, now=now)
    await _show_duplicates(tx, [(each.candidate, decision) for each, decision in joined], now=now)


async def _write_grouped(
    tx: Transaction, grouped: Sequence[tuple[Candidate, Group]], open_groups: Collection[OpenGroup], *, now: datetime
) -> None:
    if not grouped:
        return
    members = [NewMember(chat_id=each.alert.chat_id, chat_key=each.chat_key, group=group) for each, group in grouped]
    group_ids = await groups.place(tx, members, open_groups, now=now)
    found = [
        NewAlert(alert=each.alert, is_counted=group.kind is GroupKind.LATE, group_id=group_id)
        for (each, group), group_id in zip(grouped, group_ids, strict=True)
    ]
    await alerts.add(tx, found, now=now)


def _message(candidate: Candidate) -> Draft:
    return Draft(
        chat_id=candidate.alert.chat_id,
        chat_key=candidate.chat_key,
        kind=MessageKind.ALERT,
        subject=candidate.subject,
        alert_id=candidate.alert.id,
        thread_id=candidate.thread_id or candidate.chat_thread,
        silent=candidate.alert.loudness < Loudness.LOUD,
    )


async def _show_duplicates(
    tx: Transaction, joined: Sequence[tuple[Candidate, JoinDuplicate]], *, now: datetime
) -> None:
    """Let messages name the posts that joined their alerts, and confirm those alerts where chats want that."""
    if not joined:
        return
    firsts = {decision.first.id for _, decision in joined}
    shown_by = await duplicates.messages_of(tx, firsts)
    grouped = {decision.first.id for _, decision in joined if decision.first.group is not None}
    await outbox.revise(tx, [shown_by[first_id].message_id for first_id in firsts - grouped], now=now)
    await groups.redraw(tx, grouped, now=now)
    confirmations = [
        Draft(
            chat_id=candidate.alert.chat_id,
            chat_key=candidate.chat_key,
            kind=MessageKind.CHANGE,
            subject=f"confirmed/{shown_by[decision.first.id].subject}",  # of the first post: there is only one
            alert_id=decision.first.id,
            version_id=candidate.alert.version_id,
            change=AlertChange(kind=ChangeKind.CONFIRMED),
            reply_to=shown_by[decision.first.id].message_id,
            silent=decision.is_silent,
        )
        for candidate, decision in joined
        if decision.is_confirmed
    ]
    await outbox.enqueue(tx, confirmations, now=now)
