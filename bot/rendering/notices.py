"""One renderer for each type of notice, registered by that type. Pure."""

from collections.abc import Sequence
from functools import singledispatch

from bot.locales import N_, Translator
from bot.locales.locale import Locale, show_number, show_span, topic_title
from bot.locales.refusals import SUSPENSIONS, refusal, target_trouble
from bot.models.acts import TopicChanged
from bot.models.links import post_link
from bot.models.notices import (
    Acted,
    AlertsMissed,
    BroadcastOffered,
    BroadcastResumed,
    ChannelLost,
    ChannelRegained,
    ChannelRenamed,
    ChannelsFound,
    ChannelSilent,
    ChannelWithheld,
    ChatSuspended,
    CommentsFollowed,
    DailyReport,
    FolderRead,
    FollowAccess,
    FollowAllOffered,
    Followed,
    FollowRefused,
    HeadFault,
    HeadPosted,
    HeadRefused,
    JoinRequested,
    Notice,
    Outage,
    PageFailed,
    PagesBegun,
    PagesEnded,
    Pong,
    PostsMissed,
    PostsUnreadable,
    PromotionIgnored,
    ReaderLost,
    SampleAlert,
    TargetFailing,
    TelegramBack,
    TelegramOut,
    ThreadClosed,
    TopicSurge,
    UpdatesMissed,
    WeeklyReport,
)
from bot.models.outgoing import Outgoing
from bot.rendering.acts import describe_act
from bot.rendering.findings import render_findings
from bot.rendering.follow_list import typed_options
from bot.rendering.topic_changes import show_topic_change
from bot.rendering.weekly_report import write_weekly_report
from bot.rendering.withheld import show_withholdings
from bot.text.buttons import button
from bot.text.markup import Text, bold, code, join_names, link, one_line
from bot.text.references import show_reference

NAME_ROOM = 120  # UTF-16 units of a foreign name
_LABEL, _MOST_BUTTONS = 30, 10  # UTF-16 units of a name on a button; of channels of the team's own
SHOWN_NAMES = 12  # in one list
FOLLOWED = {
    FollowAccess.JOINED: N_("I now follow «{channel}»."),
    FollowAccess.POLLED: N_("I now follow «{channel}». Until I have joined it, its posts may arrive a minute late."),
    FollowAccess.OUTSIDE: N_("I now follow «{channel}» from outside; its posts may arrive a few minutes late."),
    FollowAccess.PAGE: N_("I now follow «{channel}» through its web page; its posts may arrive a few minutes late."),
    FollowAccess.OUTSIDE_FAST: N_("I now follow «{channel}» from outside; its posts may arrive half a minute late."),
    FollowAccess.SITE: N_("I now follow the site «{channel}»; its posts may arrive some minutes late."),
}


@singledispatch
def render_notice(notice: Notice, locale: Locale) -> Outgoing:
    """Write a notice for its chat."""
    raise NotImplementedError(f"no renderer is registered for {type(notice).__name__}")


@render_notice.register
def _followed(notice: Followed, locale: Locale) -> Outgoing:
    t = locale.t
    first = t.gettext(FOLLOWED[notice.access]).format(channel=_name(notice.channel))
    reading = t.gettext("I am now reading its last {days} days, a page at a time.") if notice.past_days else ""
    reading = reading and f"\n{reading.format(days=notice.past_days)}"
    every = button(t.gettext("Send every post"), "feed", f"c{notice.channel_id}", "on")
    if not notice.posts or notice.alerts is None:  # of a private one, nobody outside knows what it has posted
        return Outgoing(text=f"{first}{reading}", buttons=((every,),))
    last = t.ngettext("Of its last {n} post", "Of its last {n} posts", notice.posts).format(n=notice.posts)
    if not notice.alerts:
        line = t.gettext("{last}, none matches.").format(last=last)
        return Outgoing(text=f"{first}\n{line}{reading}", buttons=((every,),))
    line = t.ngettext("{last}, {n} matches.", "{last}, {n} match.", notice.alerts).format(last=last, n=notice.alerts)
    found = button(t.gettext("Show them"), "seen", notice.channel_id)
    return Outgoing(text=f"{first}\n{line}{reading}", buttons=((found, every),))


@render_notice.register
def _join_requested(notice: JoinRequested, locale: Locale) -> Outgoing:
    line = locale.t.gettext(
        "I have asked to join «{channel}». As soon as its admins let me in, its alerts will come here."
    )
    return Outgoing(text=line.format(channel=_name(notice.channel)))


@render_notice.register
def _follow_refused(notice: FollowRefused, locale: Locale) -> Outgoing:
    name = show_reference(_name(notice.reference))
    line = locale.t.gettext("I could not follow {reference}.").format(reference=name)
    return Outgoing(text=f"{line} {refusal(notice.reason, locale.t)}")


@render_notice.register
def _folder_read(notice: FolderRead, locale: Locale) -> Outgoing:
    t = locale.t
    text = t.ngettext(
        "The folder «{folder}» has {n} channel I can read; I am checking it now.",
        "The folder «{folder}» has {n} channels I can read; I am checking them now.",
        notice.channels,
    ).format(folder=_name(notice.folder), n=notice.channels)
    if notice.private:
        line = t.gettext("These are private, so I need an invite link for each: {names}")
        names = _listed(list(map(_name, notice.private)))
        text += "\n" + line.format(names=names)
    return Outgoing(text=text)


@render_notice.register
def _follow_all_offered(notice: FollowAllOffered, locale: Locale) -> Outgoing:
    t, n = locale.t, notice.unfollowed
    text = t.ngettext(
        "My reader account is in {n} channel or supergroup.",
        "My reader account is in {n} channels and supergroups.",
        notice.channels,
    ).format(n=notice.channels)
    if not n and notice.options:
        line = t.gettext("I already follow all of them. From now on: {how}")
        return Outgoing(text=f"{text} {line.format(how=typed_options(notice.options, t))}")
    if not n:
        line = t.gettext("I already follow all of them.")
        return Outgoing(text=f"{text} {line}")
    line = t.ngettext("I do not follow {n} of them yet.", "I do not follow {n} of them yet.", n).format(n=n)
    label = t.ngettext("Follow {n} channel", "Follow {n} channels", n).format(n=n)
    return Outgoing(text=f"{text} {line}", buttons=((button(label, "all", notice.options),),))


@render_notice.register
def _channels_found(notice: ChannelsFound, locale: Locale) -> Outgoing:
    return render_findings(
        notice.about,
        notice.asked,
        notice.findings,
        locale,
        enquiry_id=notice.enquiry,
        followed=notice.followed,
        may_follow=notice.may_follow,
    )


@render_notice.register
def _comments_followed(notice: CommentsFollowed, locale: Locale) -> Outgoing:
    t, channel, group = locale.t, _name(notice.channel), _name(notice.group or "")
    if notice.reason is None:
        line = t.gettext("I now also follow the comments on «{channel}», in «{group}».")
        return Outgoing(text=line.format(channel=channel, group=group))
    line = t.gettext("I cannot follow the comments on «{channel}».").format(channel=channel)
    return Outgoing(text=f"{line} {refusal(notice.reason, t)}")


@render_notice.register
def _channel_lost(notice: ChannelLost, locale: Locale) -> Outgoing:
    line = locale.t.gettext("I can no longer read «{channel}». Its new posts will be missing here.")
    return Outgoing(text=f"{line.format(channel=_name(notice.channel))} {refusal(notice.reason, locale.t)}")


@render_notice.register
def _channel_regained(notice: ChannelRegained, locale: Locale) -> Outgoing:
    line = locale.t.gettext("I can read «{channel}» again.")
    if notice.on_page:
        line = locale.t.gettext("🌐 I read «{channel}» through its web page now.")
    return Outgoing(text=line.format(channel=_name(notice.channel)))


@render_notice.register
def _channel_withheld(notice: ChannelWithheld, locale: Locale) -> Outgoing:
    t = locale.t
    line = t.gettext("⚠️ Telegram hides «{channel}» in some places: {where}. I keep reading it as long as I can.")
    return Outgoing(text=line.format(channel=_name(notice.channel), where=show_withholdings(notice.found, t)))


@render_notice.register
def _channel_renamed(notice: ChannelRenamed, locale: Locale) -> Outgoing:
    t, title = locale.t, _name(notice.title)
    lines = []
    if notice.old_title != notice.title:
        line = t.gettext("«{channel}» is now called «{title}».")
        lines.append(line.format(channel=_name(notice.old_title), title=title))
    if notice.old_username != notice.username:
        line = t.gettext("«{title}» is now @{username}, no longer @{old}.")
        if notice.username is None:
            line = t.gettext("«{title}» has given up its public name @{old}. I am a member and keep reading it.")
        elif notice.old_username is None:
            line = t.gettext("«{title}» is now public: @{username}.")
        lines.append(line.format(title=title, username=notice.username, old=notice.old_username))
    return Outgoing(text="\n".join(lines))


@render_notice.register
def _channel_silent(notice: ChannelSilent, locale: Locale) -> Outgoing:
    line = locale.t.gettext(
        "«{channel}» is unusually silent: its last post is from {time}; normally there would have been about {n} more."
    )
    return Outgoing(text=line.format(channel=_name(notice.channel), time=locale.date(notice.since), n=notice.expected))


@render_notice.register
def _reader_lost(notice: ReaderLost, locale: Locale) -> Outgoing:
    t = locale.t
    if notice.is_standby:
        news = t.gettext(
            "My standby reader account can no longer read channels. For this account, add --standby to the command."
        )
    else:
        news = t.gettext("My reader account can no longer read channels.")
    then = t.gettext("Once it is logged in again, I will carry on and catch up on everything posted in the meantime.")
    signed = t.gettext("What I had read until then is in a signed report on the server, in DATA_DIR/reports.")
    return Outgoing(text=f"⚠️ {news} {refusal(notice.reason, t)} {then} {signed}")


@render_notice.register
def _head_posted(notice: HeadPosted, locale: Locale) -> Outgoing:
    t = locale.t
    text = Text().line(t.gettext("🔏 Head of the ledger: line {n}"), n=notice.sequence)
    text.line(t.gettext("Whoever keeps this message can tell later whether anything stored before was changed."))
    written, entities = text.add("\n", code(f"{notice.text}\n{notice.signature}\n{notice.key}")).build()
    return Outgoing(text=written, entities=entities)


_HEAD_FAULTS = {
    HeadFault.SIGNATURE: N_("its signature is wrong"),
    HeadFault.KEY: N_("another key has signed it"),
    HeadFault.BACK: N_("it has fewer lines than before"),
    HeadFault.HASH: N_("the same line has another hash"),
}


@render_notice.register
def _head_refused(notice: HeadRefused, locale: Locale) -> Outgoing:
    t = locale.t
    line = t.gettext("⚠️ The head of the ledger that «{channel}» has posted does not follow from its last one: {why}.")
    then = t.gettext("Ask them: the key was changed, an older copy was put back, or somebody has changed the ledger.")
    why = t.gettext(_HEAD_FAULTS[notice.fault])
    return Outgoing(text=f"{line.format(channel=_name(notice.channel), why=why)} {then}")


@render_notice.register
def _pages_begun(notice: PagesBegun, locale: Locale) -> Outgoing:
    t, n = locale.t, notice.channels
    lines = [
        t.ngettext(
            "🌐 No reader account can read {n} public channel now, so I read its web page.",
            "🌐 No reader account can read {n} public channels now, so I read their web pages.",
            n,
        ).format(n=n),
        t.gettext("Posts arrive some minutes late. Long formatted posts are missing, and deletions are noticed late."),
    ]
    if notice.unread:
        names = _listed([f"«{_name(title)}»" for title in notice.unread])
        lines.append(t.gettext("Nobody reads these, since they have no such page: {names}.").format(names=names))
    if notice.has_account:
        lines.append(t.gettext("Once a reader account can read again, it catches up on everything by itself."))
    else:
        lines.append(t.gettext("To read private channels as well, and all within seconds: channelwatch login"))
    return Outgoing(text="\n".join(lines))


@render_notice.register
def _pages_ended(_notice: PagesEnded, locale: Locale) -> Outgoing:
    line = locale.t.gettext(
        "A reader account reads all channels again, and has caught up with those read through pages."
    )
    return Outgoing(text=line)


@render_notice.register
def _page_failed(notice: PageFailed, locale: Locale) -> Outgoing:
    line = locale.t.gettext("⚠️ I cannot read the web page of «{channel}».").format(channel=_name(notice.channel))
    return Outgoing(text=f"{line} {refusal(notice.reason, locale.t)}")


@render_notice.register
def _posts_missed(notice: PostsMissed, locale: Locale) -> Outgoing:
    t, facts = locale.t, []
    if notice.missed:
        facts.append(t.ngettext("{n} post", "{n} posts", notice.missed).format(n=notice.missed))
    if notice.edited:
        facts.append(t.ngettext("{n} edit", "{n} edits", notice.edited).format(n=notice.edited))
    links = " ".join(post_link(notice.channel_id, notice.username, number) for number in notice.ids)
    lines = (
        t.gettext("⚠️ My reader account has missed something in «{channel}»: {facts}.").format(
            channel=_name(notice.channel), facts=", ".join(facts)
        ),
        t.gettext("Its web page shows it: {links}").format(links=links),
        t.gettext("It is stored now, with its alerts, and I am reading the channel again."),
    )
    return Outgoing(text="\n".join(lines))


@render_notice.register
def _updates_missed(_notice: UpdatesMissed, locale: Locale) -> Outgoing:
    line = locale.t.gettext(
        "For a few minutes Telegram did not pass on what people wrote to me. I have read the messages in "
        "another way; if a tap did nothing, tap again."
    )
    return Outgoing(text=f"⚠️ {line}")


@render_notice.register
def _posts_unreadable(notice: PostsUnreadable, locale: Locale) -> Outgoing:
    t, n = locale.t, notice.posts
    if notice.on_page:
        return _posts_hidden(notice, locale)
    line = t.ngettext(
        "Telegram has changes that this version cannot read: {n} post in {channels}. All other posts arrive.",
        "Telegram has changes that this version cannot read: {n} posts in {channels}. All other posts arrive.",
        n,
    )
    titles = [f"«{_name(title)}»" for title in notice.channels]
    then = t.gettext(
        "Update channelwatch to read them. To see which ones, run on the server: channelwatch doctor --gaps"
    )
    return Outgoing(text=f"⚠️ {line.format(n=n, channels=_listed(titles))} {then}")


def _posts_hidden(notice: PostsUnreadable, locale: Locale) -> Outgoing:
    t, n = locale.t, notice.posts
    line = t.ngettext(
        "{n} post cannot be read on a web page, only by a reader account: {channels}.",
        "{n} posts cannot be read on web pages, only by a reader account: {channels}.",
        n,
    )
    titles = [f"«{_name(title)}»" for title in notice.channels]
    return Outgoing(text=f"🌐 {line.format(n=n, channels=_listed(titles))}")


@render_notice.register
def _daily_report(notice: DailyReport, locale: Locale) -> Outgoing:
    t, n = locale.t, notice.channels
    figures = (
        t.ngettext("{verified} of {n} channel verified", "{verified} of {n} channels verified", n),
        t.ngettext("{alerts} alert", "{alerts} alerts", notice.alerts),
        t.ngettext("{gaps} gap", "{gaps} gaps", notice.gaps),
    )
    shown = ", ".join(figures).format(n=n, verified=notice.verified, alerts=notice.alerts, gaps=notice.gaps)
    lines = [t.gettext("Since {time}: {figures}.").format(time=locale.date(notice.since), figures=shown)]
    if notice.gap_names:
        line = t.gettext("Lost, late, unchecked or with a gap: {names}. See /channels.")
        lines.append(line.format(names=_listed(list(map(_name, notice.gap_names)), notice.gaps)))
    if notice.unverified_names:
        names = _listed(list(map(_name, notice.unverified_names)), n - notice.verified - notice.gaps - notice.pages)
        lines.append(t.gettext("Not verified yet: {names}.").format(names=names))
    if notice.pages:
        line = t.ngettext(
            "🌐 {n} channel is read through its web page.",
            "🌐 {n} channels are read through their web pages.",
            notice.pages,
        )
        lines.append(line.format(n=notice.pages))
    return Outgoing(text="\n".join(lines))


@render_notice.register
def _weekly_report(notice: WeeklyReport, locale: Locale) -> Outgoing:
    return write_weekly_report(notice, locale)


@render_notice.register
def _topic_surge(notice: TopicSurge, locale: Locale) -> Outgoing:
    t = locale.t
    line = t.gettext("📈 Unusually much on {topic}: posts in an hour: {posts}, in {channels} channels; usual: {usual}.")
    topic = bold(one_line(topic_title(notice.topic, t), NAME_ROOM))
    usual = show_number(notice.usual, t)
    text = Text().line(line, topic=topic, posts=notice.posts, channels=notice.channels, usual=usual)
    for title, url in zip(notice.titles, notice.links, strict=False):
        text.add(link(one_line(title, NAME_ROOM) or url, url), "\n")
    words, entities = text.build()
    return Outgoing(text=words.rstrip(), entities=entities)


@render_notice.register
def _pong(notice: Pong, locale: Locale) -> Outgoing:
    line = locale.t.gettext(
        "Pong. This took the same path as an alert and was sent {time} after your command reached me."
    )
    seconds = (locale.now - notice.asked_at).total_seconds()
    return Outgoing(text=line.format(time=show_span(seconds, locale.t)))


@render_notice.register
def _sample_alert(_notice: SampleAlert, locale: Locale) -> Outgoing:
    return Outgoing(text=locale.t.gettext("This is a test alert. Alerts reach this chat; there is nothing else to do."))


@render_notice.register
def _thread_closed(notice: ThreadClosed, locale: Locale) -> Outgoing:
    t = locale.t
    if not notice.topics:
        return Outgoing(text=t.gettext("The thread for this chat's alerts is closed, so they now come here."))
    titles = [f"«{_name(topic_title(name, t))}»" for name in notice.topics]
    line = t.gettext("The thread for {topics} is closed, so these alerts now come here.")
    return Outgoing(text=line.format(topics=_listed(titles)))


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
        return Outgoing(text=f"⚠️ {line.format(chat=_name(notice.chat))} ({why}) {then}")
    return Outgoing(text=f"{line.format(chat=_name(notice.chat))} {refusal(notice.reason, t, SUSPENSIONS)} {then}")


@render_notice.register
def _target_failing(notice: TargetFailing, locale: Locale) -> Outgoing:
    t = locale.t
    line = t.gettext("The target «{target}» has taken nothing since {time} ({reason}). I keep trying: /targets")
    time, why = locale.date(notice.since), target_trouble(notice.reason, t)
    return Outgoing(text=f"⚠️ {line.format(target=_name(notice.target), time=time, reason=why)}")


@render_notice.register
def _telegram_out(notice: TelegramOut, locale: Locale) -> Outgoing:
    t = locale.t
    line = t.gettext(
        "No Telegram channel has been readable since {time}. What is posted meanwhile I will read afterwards."
    )
    if notice.outage is Outage.SENDING:
        line = t.gettext(
            "Telegram has taken nothing from me since {time}. Until it does, alerts go to the fallback of each chat "
            "that has one; the others wait."
        )
    return Outgoing(text=f"⚠️ {line.format(time=locale.date(notice.since))}")


@render_notice.register
def _telegram_back(notice: TelegramBack, locale: Locale) -> Outgoing:
    t = locale.t
    since, until = locale.date(notice.since), locale.date(notice.until, relative_to=notice.since)
    line = t.gettext("Telegram channels can be read again; they could not be from {since} to {until}.")
    if notice.outage is Outage.SENDING:
        line = t.gettext("Telegram takes my messages again; it did not from {since} to {until}.")
    text = line.format(since=since, until=until)
    if notice.alerts:
        line = t.ngettext(
            "{n} alert went to fallbacks meanwhile.", "{n} alerts went to fallbacks meanwhile.", notice.alerts
        )
        text += f" {line.format(n=notice.alerts)}"
    return Outgoing(text=text)


@render_notice.register
def _broadcast_offered(notice: BroadcastOffered, locale: Locale) -> Outgoing:
    t, chat = locale.t, _name(notice.chat)
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
    return Outgoing(text=line.format(chat=_name(notice.chat)))


@render_notice.register
def _promotion_ignored(notice: PromotionIgnored, locale: Locale) -> Outgoing:
    t = locale.t
    line = t.gettext(
        "{name} made me an admin of «{chat}» but is neither an owner nor an editor here, so I do nothing "
        "there. To send alerts there, remove me from it and add me again yourself."
    )
    return Outgoing(text=line.format(name=_name(notice.name) or t.gettext("Somebody"), chat=_name(notice.chat)))


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
    who, topic = _name(notice.name) or t.gettext("On the server"), _name(topic_title(act.topic, t))
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


def _name(name: str) -> str:
    return one_line(name, NAME_ROOM)


def _listed(names: Sequence[str], total: int | None = None) -> str:
    return join_names(names, SHOWN_NAMES, total=total)
