"""Notices about what is followed: what came of a request, and what becomes of a channel."""

from bot.locales import N_
from bot.locales.locale import Locale
from bot.locales.refusals import refusal
from bot.models.notices import (
    ChannelLost,
    ChannelRegained,
    ChannelRenamed,
    ChannelsFound,
    ChannelSilent,
    ChannelWithheld,
    CommentsFollowed,
    FolderRead,
    FollowAccess,
    FollowAllOffered,
    Followed,
    FollowRefused,
    JoinRequested,
)
from bot.models.outgoing import Outgoing
from bot.rendering.findings import render_findings
from bot.rendering.follow_list import typed_options
from bot.rendering.notices.base import listed, render_notice, shown_name
from bot.rendering.withheld import show_withholdings
from bot.text.buttons import button
from bot.text.references import show_reference

FOLLOWED = {
    FollowAccess.JOINED: N_("I now follow «{channel}»."),
    FollowAccess.POLLED: N_("I now follow «{channel}». Until I have joined it, its posts may arrive a minute late."),
    FollowAccess.OUTSIDE: N_("I now follow «{channel}» from outside; its posts may arrive a few minutes late."),
    FollowAccess.PAGE: N_("I now follow «{channel}» through its web page; its posts may arrive a few minutes late."),
    FollowAccess.OUTSIDE_FAST: N_("I now follow «{channel}» from outside; its posts may arrive half a minute late."),
    FollowAccess.SITE: N_("I now follow the site «{channel}»; its posts may arrive some minutes late."),
}


@render_notice.register
def _followed(notice: Followed, locale: Locale) -> Outgoing:
    t = locale.t
    first = t.gettext(FOLLOWED[notice.access]).format(channel=shown_name(notice.channel))
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
    return Outgoing(text=line.format(channel=shown_name(notice.channel)))


@render_notice.register
def _follow_refused(notice: FollowRefused, locale: Locale) -> Outgoing:
    name = show_reference(shown_name(notice.reference))
    line = locale.t.gettext("I could not follow {reference}.").format(reference=name)
    return Outgoing(text=f"{line} {refusal(notice.reason, locale.t)}")


@render_notice.register
def _folder_read(notice: FolderRead, locale: Locale) -> Outgoing:
    t = locale.t
    text = t.ngettext(
        "The folder «{folder}» has {n} channel I can read; I am checking it now.",
        "The folder «{folder}» has {n} channels I can read; I am checking them now.",
        notice.channels,
    ).format(folder=shown_name(notice.folder), n=notice.channels)
    if notice.private:
        line = t.gettext("These are private, so I need an invite link for each: {names}")
        names = listed(list(map(shown_name, notice.private)))
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
    t, channel, group = locale.t, shown_name(notice.channel), shown_name(notice.group or "")
    if notice.reason is None:
        line = t.gettext("I now also follow the comments on «{channel}», in «{group}».")
        return Outgoing(text=line.format(channel=channel, group=group))
    line = t.gettext("I cannot follow the comments on «{channel}».").format(channel=channel)
    return Outgoing(text=f"{line} {refusal(notice.reason, t)}")


@render_notice.register
def _channel_lost(notice: ChannelLost, locale: Locale) -> Outgoing:
    line = locale.t.gettext("I can no longer read «{channel}». Its new posts will be missing here.")
    return Outgoing(text=f"{line.format(channel=shown_name(notice.channel))} {refusal(notice.reason, locale.t)}")


@render_notice.register
def _channel_regained(notice: ChannelRegained, locale: Locale) -> Outgoing:
    line = locale.t.gettext("I can read «{channel}» again.")
    if notice.on_page:
        line = locale.t.gettext("🌐 I read «{channel}» through its web page now.")
    return Outgoing(text=line.format(channel=shown_name(notice.channel)))


@render_notice.register
def _channel_withheld(notice: ChannelWithheld, locale: Locale) -> Outgoing:
    t = locale.t
    line = t.gettext("⚠️ Telegram hides «{channel}» in some places: {where}. I keep reading it as long as I can.")
    return Outgoing(text=line.format(channel=shown_name(notice.channel), where=show_withholdings(notice.found, t)))


@render_notice.register
def _channel_renamed(notice: ChannelRenamed, locale: Locale) -> Outgoing:
    t, title = locale.t, shown_name(notice.title)
    lines = []
    if notice.old_title != notice.title:
        line = t.gettext("«{channel}» is now called «{title}».")
        lines.append(line.format(channel=shown_name(notice.old_title), title=title))
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
    return Outgoing(
        text=line.format(channel=shown_name(notice.channel), time=locale.date(notice.since), n=notice.expected)
    )
