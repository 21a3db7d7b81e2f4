"""Notices about chats: what the bot may do there, what did not arrive, and what people did."""

from bot.locales import Translator
from bot.locales.locale import Locale, topic_title
from bot.locales.refusals import SUSPENSIONS, refusal, target_trouble
from bot.models.acts import TopicChanged
from bot.models.notices import (
    Acted,
    AlertsMissed,
    BroadcastOffered,
    BroadcastResumed,
    ChatSuspended,
    PromotionIgnored,
    TargetFailing,
    ThreadClosed,
)
from bot.models.outgoing import Outgoing
from bot.rendering.acts import describe_act
from bot.rendering.notices.base import listed, render_notice, shown_name
from bot.rendering.topic_changes import show_topic_change
from bot.text.buttons import button
from bot.text.markup import Text, one_line

_LABEL, _MOST_BUTTONS = 30, 10  # UTF-16 units of a name on a button; of channels of the team's own


@render_notice.register
def _thread_closed(notice: ThreadClosed, locale: Locale) -> Outgoing:
    t = locale.t
    if not notice.topics:
        return Outgoing(text=t.gettext("The thread for this chat's alerts is closed, so they now come here."))
    titles = [f"«{shown_name(topic_title(name, t))}»" for name in notice.topics]
    line = t.gettext("The thread for {topics} is closed, so these alerts now come here.")
    return Outgoing(text=line.format(topics=listed(titles)))


@render_notice.register
def _chat_suspended(notice: ChatSuspended, locale: Locale) -> Outgoing:
    t = locale.t
    line = t.gettext("I can no longer write to «{chat}» and have stopped its alerts.")
    then = t.gettext("Once that is fixed, send any command there and its alerts will resume at once.")
    if notice.is_broadcast:
        then = t.gettext("Make me an admin with the right to post there, and its alerts will resume at once.")
    if notice.is_target:
        then = t.gettext("Once that is fixed, switch it on again: /targets")
        why = target_trouble(notice.reason, t)
        return Outgoing(text=f"⚠️ {line.format(chat=shown_name(notice.chat))} ({why}) {then}")
    return Outgoing(text=f"{line.format(chat=shown_name(notice.chat))} {refusal(notice.reason, t, SUSPENSIONS)} {then}")


@render_notice.register
def _target_failing(notice: TargetFailing, locale: Locale) -> Outgoing:
    t = locale.t
    line = t.gettext("The target «{target}» has taken nothing since {time} ({reason}). I keep trying: /targets")
    time, why = locale.date(notice.since), target_trouble(notice.reason, t)
    return Outgoing(text=f"⚠️ {line.format(target=shown_name(notice.target), time=time, reason=why)}")


@render_notice.register
def _broadcast_offered(notice: BroadcastOffered, locale: Locale) -> Outgoing:
    t, chat = locale.t, shown_name(notice.chat)
    if not notice.may_post:
        line = t.gettext(
            "I am now an admin of «{chat}», but I am not allowed to post there. Once I am, I can send alerts there."
        )
        return Outgoing(text=line.format(chat=chat))
    line = t.gettext("I am now an admin of «{chat}». Send alerts there?")
    choices = ((t.gettext("Yes, choose topics"), "yes"), (t.gettext("No"), "no"))
    buttons = tuple(button(label, "post_in", notice.chat_id, answer) for label, answer in choices)
    return Outgoing(text=line.format(chat=chat), buttons=(buttons,))


@render_notice.register
def _broadcast_resumed(notice: BroadcastResumed, locale: Locale) -> Outgoing:
    line = locale.t.gettext("I can post in «{chat}» again: its alerts continue.")
    return Outgoing(text=line.format(chat=shown_name(notice.chat)))


@render_notice.register
def _promotion_ignored(notice: PromotionIgnored, locale: Locale) -> Outgoing:
    t = locale.t
    line = t.gettext(
        "{name} made me an admin of «{chat}» but is neither an owner nor an editor here, so I do nothing "
        "there. To send alerts there, remove me from it and add me again yourself."
    )
    return Outgoing(
        text=line.format(name=shown_name(notice.name) or t.gettext("Somebody"), chat=shown_name(notice.chat))
    )


@render_notice.register
def _alerts_missed(notice: AlertsMissed, locale: Locale) -> Outgoing:
    t, n = locale.t, notice.alerts
    again = t.gettext("I can write here again.")
    line = t.gettext("Posts from that time triggered no alerts; /latest shows the newest ones.")
    if n:
        line = t.ngettext(
            "{n} alert did not arrive, and posts from that time triggered none; /latest shows the newest ones.",
            "{n} alerts did not arrive, and posts from that time triggered none; /latest shows the newest ones.",
            n,
        ).format(n=n)
    return Outgoing(text=f"{again} {line}")


@render_notice.register
def _acted(notice: Acted, locale: Locale) -> Outgoing:
    t = locale.t
    if isinstance(notice.act, TopicChanged) and not notice.undone:
        return _topic_changed(notice, notice.act, t)
    text = describe_act(notice.act, notice.name, t)
    if notice.undone:
        text = t.gettext("Undone: {act}").format(act=text)
    return Outgoing(text=text)


def _topic_changed(notice: Acted, act: TopicChanged, t: Translator) -> Outgoing:
    """Write what is different of a topic, with the offer to keep it for this chat as it was."""
    who, topic = shown_name(notice.name) or t.gettext("On the server"), shown_name(topic_title(act.topic, t))
    text = Text().line(t.gettext("{who} changed the topic «{topic}» for everybody."), who=who, topic=topic)
    words, entities = text.join(show_topic_change(act.before, act.after, t)).cut().build()
    label = t.gettext("Keep the old one for {chat}")
    keep = [
        button(label.format(chat=one_line(title, _LABEL)), "for", chat_id, "ours", notice.event)
        for chat_id, title in notice.broadcasts[:_MOST_BUTTONS]
    ]
    if notice.is_concerned:
        keep.insert(0, button(t.gettext("Keep the old one for us"), "ours", notice.event))
    rows = [(each,) for each in (*keep, button(t.gettext("OK"), "ok"))]
    return Outgoing(text=words, entities=entities, buttons=tuple(rows))
