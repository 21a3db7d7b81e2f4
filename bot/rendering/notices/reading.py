"""Notices for the owners about reading: accounts, web pages, what was missed, and Telegram's outages."""

from bot.locales.locale import Locale
from bot.locales.refusals import refusal
from bot.models.links import post_link
from bot.models.notices import (
    Outage,
    PageFailed,
    PagesBegun,
    PagesEnded,
    PostsMissed,
    PostsUnreadable,
    ReaderLost,
    TelegramBack,
    TelegramOut,
    UpdatesMissed,
)
from bot.models.outgoing import Outgoing
from bot.rendering.notices.base import listed, render_notice, shown_name


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
        names = listed([f"«{shown_name(title)}»" for title in notice.unread])
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
    line = locale.t.gettext("⚠️ I cannot read the web page of «{channel}».").format(channel=shown_name(notice.channel))
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
            channel=shown_name(notice.channel), facts=", ".join(facts)
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
    titles = [f"«{shown_name(title)}»" for title in notice.channels]
    then = t.gettext(
        "Update channelwatch to read them. To see which ones, run on the server: channelwatch doctor --gaps"
    )
    return Outgoing(text=f"⚠️ {line.format(n=n, channels=listed(titles))} {then}")


def _posts_hidden(notice: PostsUnreadable, locale: Locale) -> Outgoing:
    t, n = locale.t, notice.posts
    line = t.ngettext(
        "{n} post cannot be read on a web page, only by a reader account: {channels}.",
        "{n} posts cannot be read on web pages, only by a reader account: {channels}.",
        n,
    )
    titles = [f"«{shown_name(title)}»" for title in notice.channels]
    return Outgoing(text=f"🌐 {line.format(n=n, channels=listed(titles))}")


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
