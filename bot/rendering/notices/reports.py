"""Notices that come by themselves or for the asking: reports, surges, heads of the ledger, tests."""

from bot.locales import N_
from bot.locales.locale import Locale, show_number, show_span, topic_title
from bot.models.notices import (
    DailyReport,
    HeadFault,
    HeadPosted,
    HeadRefused,
    Pong,
    SampleAlert,
    TopicSurge,
    WeeklyReport,
)
from bot.models.outgoing import Outgoing
from bot.rendering.notices.base import NAME_ROOM, listed, render_notice, shown_name
from bot.rendering.weekly_report import write_weekly_report
from bot.text.buttons import button
from bot.text.markup import Text, bold, code, link, one_line


@render_notice.register
def _head_posted(notice: HeadPosted, locale: Locale) -> Outgoing:
    t = locale.t
    text = Text().line(t.gettext("🔏 Signature over all that is stored: line {n} of the ledger"), n=notice.sequence)
    text.line(t.gettext("Whoever keeps this message can tell later whether anything stored before was changed."))
    written, entities = text.add(
        "\n", code("\n".join((notice.text, notice.signature, notice.key, *notice.handovers)))
    ).build()
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
    line = t.gettext(
        "⚠️ The signature over the ledger that «{channel}» has posted does not follow from its last one: {why}."
    )
    then = t.gettext("Ask them: the key was changed, an older copy was put back, or somebody has changed the ledger.")
    why = t.gettext(_HEAD_FAULTS[notice.fault])
    text = f"{line.format(channel=shown_name(notice.channel), why=why)} {then}"
    if notice.fault is HeadFault.SIGNATURE:  # nobody has signed it
        return Outgoing(text=text)
    return Outgoing(text=text, buttons=((button(t.gettext("Accept from here…"), "head", notice.channel_id),),))


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
        lines.append(line.format(names=listed(list(map(shown_name, notice.gap_names)), notice.gaps)))
    if notice.unverified_names:
        names = listed(list(map(shown_name, notice.unverified_names)), n - notice.verified - notice.gaps - notice.pages)
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
    line = t.gettext("📈 Unusually many posts on {topic}. In an hour: {posts}, channels: {channels}; usually: {usual}.")
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
