"""One sentence for each type of act, registered by that type. Pure."""

from functools import singledispatch

from bot.locales import N_, Translator
from bot.locales.locale import topic_title
from bot.models.acts import (
    AccessChanged,
    Act,
    CaseDeleted,
    CaseNoted,
    CaseOpened,
    CaseRenamed,
    ChannelGroupDeleted,
    ChannelGroupRenamed,
    ChannelsGrouped,
    ChannelsRequested,
    ChannelsSet,
    ChannelsUnfollowed,
    FallbackSet,
    GroupPaired,
    GroupSet,
    HeadAccepted,
    InvitationWithdrawn,
    Invited,
    PersonJoined,
    PersonRemoved,
    PostSaved,
    RoleChanged,
    TargetChange,
    TargetChanged,
    TopicChanged,
    TopicDeleted,
    TopicMade,
    TopicSwitched,
    WordExcluded,
)
from bot.models.people import Role
from bot.rendering.follow_list import typed_options
from bot.text.markup import join_names, one_line

ROLE_NAMES = {Role.OWNER: N_("owner"), Role.EDITOR: N_("editor"), Role.READER: N_("reader")}
_NAME = 80  # UTF-16 units of a foreign name
_QUERY = 200  # likewise of a query
_LISTED = 8  # names in one sentence


def describe_act(act: Act, name: str, t: Translator) -> str:
    """Write what somebody did: «Anna: no longer follows TASS»; an empty name is somebody on the server."""
    who = one_line(name, _NAME) or t.gettext("On the server")
    return f"{who}: {sentence(act, t)}"


@singledispatch
def sentence(act: Act, t: Translator) -> str:
    """Write what was done, without by whom: «no longer follows TASS»."""
    raise NotImplementedError(f"no sentence is registered for {type(act).__name__}")


@sentence.register
def _(act: ChannelsRequested, t: Translator) -> str:
    return t.gettext("asked to follow {names}").format(names=_listed(act.names))


@sentence.register
def _(act: ChannelsUnfollowed, t: Translator) -> str:
    return t.gettext("unfollowed {names}; no new posts from there").format(names=_listed(act.names))


@sentence.register
def _(act: ChannelsSet, t: Translator) -> str:
    options = typed_options(act.options, t)
    return t.gettext("changed the options of {names}: {options}").format(names=_listed(act.names), options=options)


@sentence.register
def _(act: ChannelsGrouped, t: Translator) -> str:
    line = t.gettext("removed {names} from the channel group «{group}»")
    if act.added:
        line = t.gettext("added {names} to the channel group «{group}»")
    return line.format(names=_listed(act.names), group=one_line(act.group, _NAME))


@sentence.register
def _(act: ChannelGroupRenamed, t: Translator) -> str:
    line = t.gettext("renamed the channel group «{before}» to «{group}»")
    return line.format(before=one_line(act.before, _NAME), group=one_line(act.group, _NAME))


@sentence.register
def _(act: ChannelGroupDeleted, t: Translator) -> str:
    line = t.gettext("deleted the channel group «{group}»; its channels are still followed")
    return line.format(group=one_line(act.group, _NAME))


@sentence.register
def _(act: TopicMade, t: Translator) -> str:
    query = one_line(act.query, _QUERY)
    return t.gettext("created the topic «{topic}»: {query}").format(topic=_topic(act.topic, t), query=query)


@sentence.register
def _(act: TopicChanged, t: Translator) -> str:
    topic, before, query = _topic(act.topic, t), act.before.source, act.after.source
    if before != query:
        line = t.gettext("changed the topic «{topic}»: {query} (before: {before})")
        return line.format(topic=topic, query=one_line(query, _QUERY), before=one_line(before, _QUERY))
    excluded = tuple(word for word in act.after.excluded if word not in act.before.excluded)
    included = tuple(word for word in act.before.excluded if word not in act.after.excluded)
    lines = []
    if excluded:
        lines.append(
            t.gettext("in all chats «{topic}» leaves out: {words}").format(topic=topic, words=_listed(excluded))
        )
    if included:
        line = t.gettext("in all chats «{topic}» no longer leaves out: {words}")
        lines.append(line.format(topic=topic, words=_listed(included)))
    return "; ".join(lines)


@sentence.register
def _(act: TopicDeleted, t: Translator) -> str:
    return t.gettext("deleted the topic «{topic}»").format(topic=_topic(act.topic, t))


@sentence.register
def _(act: WordExcluded, t: Translator) -> str:
    line = t.gettext("posts that say «{word}» count for «{topic}» again")
    if act.excluded:
        line = t.gettext("posts that say «{word}» no longer count for «{topic}»")
    return line.format(word=one_line(act.word, _NAME), topic=_topic(act.topic, t))


@sentence.register
def _(act: TopicSwitched, t: Translator) -> str:
    line = t.gettext("switched the topic «{topic}» on") if act.on else t.gettext("switched the topic «{topic}» off")
    return line.format(topic=_topic(act.topic, t))


@sentence.register
def _(act: GroupSet, _: Translator) -> str:
    return f"«{one_line(act.chat, _NAME)}» – {one_line(act.command, _QUERY)}"


@sentence.register
def _(act: GroupPaired, t: Translator) -> str:
    return t.gettext("added me to «{chat}»").format(chat=one_line(act.chat, _NAME))


_TARGETS = {
    TargetChange.ADDED: N_("added the target «{target}» ({service})"),
    TargetChange.PAUSED: N_("paused the target «{target}»"),
    TargetChange.RESUMED: N_("switched the target «{target}» on"),
    TargetChange.REMOVED: N_("removed the target «{target}»"),
}


@sentence.register
def _(act: TargetChanged, t: Translator) -> str:
    line = t.gettext(_TARGETS[act.change])
    return line.format(target=one_line(act.target, _NAME), service=one_line(act.service, _NAME))


@sentence.register
def _(act: FallbackSet, t: Translator) -> str:
    line = t.gettext("while Telegram is down, alerts of «{chat}» wait")
    if act.target is not None:
        line = t.gettext("while Telegram is down, alerts of «{chat}» go to «{target}»")
    return line.format(chat=one_line(act.chat, _NAME), target=one_line(act.target or "", _NAME))


@sentence.register
def _(act: AccessChanged, t: Translator) -> str:
    if not act.chats:
        line = t.gettext("«{name}» is open to everybody again")
    else:
        line = t.gettext("«{name}» is now private; it belongs to {chats}")
    name = _topic(act.name, t) if act.subject == "topic" else one_line(act.name, _NAME)
    return line.format(name=name, chats=_listed(act.chats))


@sentence.register
def _(act: CaseOpened, t: Translator) -> str:
    return t.gettext("opened the case «{case}»").format(case=one_line(act.case, _NAME))


@sentence.register
def _(act: PostSaved, t: Translator) -> str:
    line = t.gettext("saved {post} in the case «{case}»")
    if act.removed:
        line = t.gettext("took {post} out of the case «{case}»")
    return line.format(post=one_line(act.post, _NAME), case=one_line(act.case, _NAME))


@sentence.register
def _(act: CaseRenamed, t: Translator) -> str:
    line = t.gettext("renamed the case «{before}» to «{case}»")
    return line.format(before=one_line(act.before, _NAME), case=one_line(act.case, _NAME))


@sentence.register
def _(act: CaseNoted, t: Translator) -> str:
    line = t.gettext("noted in the case «{case}»: {text}")
    if act.what == "tags":
        line = t.gettext("tagged the case «{case}»: {text}")
    return line.format(case=one_line(act.case, _NAME), text=one_line(act.text, _QUERY) or "–")


@sentence.register
def _(act: CaseDeleted, t: Translator) -> str:
    return t.gettext("deleted the case «{case}»; its posts are still stored").format(case=one_line(act.case, _NAME))


@sentence.register
def _(act: HeadAccepted, t: Translator) -> str:
    line = t.gettext("accepted a signature over the ledger that «{channel}» posted, unproven: line {n}, key {key}")
    return line.format(channel=_listed(act.names), n=act.sequence, key=one_line(act.key, _NAME))


@sentence.register
def _(act: Invited, t: Translator) -> str:
    line = t.ngettext("created a link for {n} person as {role}", "created a link for {n} people as {role}", act.uses)
    return line.format(n=act.uses, role=t.gettext(ROLE_NAMES[act.role]))


@sentence.register
def _(act: InvitationWithdrawn, t: Translator) -> str:
    return t.gettext("withdrew a link for the role {role}").format(role=t.gettext(ROLE_NAMES[act.role]))


@sentence.register
def _(act: PersonJoined, t: Translator) -> str:
    role = t.gettext(ROLE_NAMES[act.role])
    if act.inviter is None:
        return t.gettext("joined as {role}, by a link from the server").format(role=role)
    line = t.gettext("joined as {role}, by a link from {inviter}")
    return line.format(role=role, inviter=one_line(act.inviter, _NAME))


@sentence.register
def _(act: PersonRemoved, t: Translator) -> str:
    line = t.gettext("removed {person} ({role})")
    return line.format(person=one_line(act.person, _NAME), role=t.gettext(ROLE_NAMES[act.role]))


@sentence.register
def _(act: RoleChanged, t: Translator) -> str:
    line = t.gettext("{person} is now {role}, no longer {before}")
    before, role = (t.gettext(ROLE_NAMES[each]) for each in (act.before, act.role))
    return line.format(person=one_line(act.person, _NAME), role=role, before=before)


def _topic(name: str, t: Translator) -> str:
    return one_line(topic_title(name, t), _NAME)


def _listed(names: tuple[str, ...]) -> str:
    return join_names([one_line(name, _NAME) for name in names], _LISTED)
