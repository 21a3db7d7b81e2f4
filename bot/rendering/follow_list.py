"""The one message that shows how each channel of a pasted list went, at first and in the end; and options. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from bot.locales import N_, Translator
from bot.locales.refusals import refusal
from bot.models.follow_list import FollowListItem, FollowListState
from bot.models.outgoing import ButtonRows, Outgoing
from bot.text.buttons import button
from bot.text.markup import Text, join_names, one_line
from bot.text.references import show_reference

ROOM = 40  # UTF-16 units of a name
MOST_LINES = 60  # channels that have a line of their own
MOST_NAMES = 30  # that are named with a reason, or as open
_OPTIONS = (
    N_("fast"),
    N_("slow"),
    N_("join:no"),
    N_("join:yes"),
    N_("private"),
    N_("comments"),
    N_("comments:no"),
    N_("witness"),
    N_("witness:no"),
)


def typed_options(options: str, t: Translator) -> str:
    """Write options in the words that people of this language type."""
    history = t.gettext("history:")
    return " ".join(
        t.gettext(word) if word in _OPTIONS else word.replace("history:", history) for word in options.split()
    )


def render_follow_list(found: Sequence[FollowListItem], below: str, asked_at: datetime, t: Translator) -> Outgoing:
    """Write a list and what else is to be said `below`; once nothing is open, also what can be done about the rest."""
    by_state: dict[FollowListState, list[FollowListItem]] = defaultdict(list)
    for each in found:
        by_state[each.state].append(each)
    followed, is_open = by_state[FollowListState.FOLLOWED], bool(by_state[FollowListState.OPEN])
    text = Text().line(_heading(len(followed), len(found), t, is_open=is_open)).line()
    if len(found) <= MOST_LINES:
        for each in followed:
            text.add("✓ ", _name(each), "\n")
    for mark, state in (("✗", FollowListState.REFUSED), ("⏳", FollowListState.ASKED)):
        for reason, names in _by_reason(by_state[state]).items():
            text.add(f"{mark} {join_names(names, MOST_NAMES)}. ", refusal(reason, t), "\n")
    if is_open:
        text.add("… ", join_names(list(map(_name, by_state[FollowListState.OPEN])), MOST_NAMES), "\n")
    elif by_state[FollowListState.REFUSED]:
        text.line().line(
            t.gettext("Correct what was not found and send it again, or tap below to try all of them again.")
        )
    if below:
        text.add("\n", below)
    written, entities = text.cut().build()
    return Outgoing(text=written, entities=entities, buttons=_buttons(by_state, asked_at, t))


def _heading(followed: int, total: int, t: Translator, *, is_open: bool) -> str:
    line = t.ngettext("I follow {n} of {total} channel.", "I follow {n} of {total} channels.", total)
    if is_open:
        line = t.ngettext("I follow {n} of {total} channel…", "I follow {n} of {total} channels…", total)
    return line.format(n=followed, total=total)


def _buttons(by_state: dict[FollowListState, list[FollowListItem]], asked_at: datetime, t: Translator) -> ButtonRows:
    """Offer the list of channels once nothing is open, and to try again what was refused."""
    if by_state[FollowListState.OPEN]:
        return ()
    row = [button(t.gettext("All channels"), "list", 0)]
    if refused := len(by_state[FollowListState.REFUSED]):
        label = t.gettext("Try again: {n}").format(n=refused)
        row.insert(0, button(label, "retry", round(asked_at.timestamp() * 1000)))
    return (tuple(row),)


def _by_reason(found: Sequence[FollowListItem]) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = defaultdict(list)
    for each in found:
        reasons[each.reason or ""].append(_name(each))
    return reasons


def _name(each: FollowListItem) -> str:
    return show_reference(one_line(each.name, ROOM))
