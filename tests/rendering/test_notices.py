from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.locales import translator
from bot.locales.locale import Locale
from bot.models import Withholding
from bot.models.notices import (
    AlertsMissed,
    ChannelLost,
    ChannelRegained,
    ChannelRenamed,
    ChannelWithheld,
    ChatSuspended,
    FolderRead,
    FollowAccess,
    FollowAllOffered,
    Followed,
    FollowRefused,
    JoinRequested,
    Notice,
    Pong,
    PostsUnreadable,
    ReaderLost,
    SampleAlert,
    ThreadClosed,
    UpdatesMissed,
)
from bot.models.outgoing import Button
from bot.rendering.notices import render_notice

NOW = datetime(2021, 10, 4, 15, 45, tzinfo=UTC)
FOLLOWED = Followed(event="", channel="Минсвязь", channel_id=7, access=FollowAccess.JOINED, posts=200, alerts=0)
WITHHELD = (Withholding("ios-android", "copyright", "Telegram's words"), Withholding("all-ru", "x", ""))
RENAMED = ChannelRenamed(event="", old_title="Минсвязь", old_username="minsvyaz", title="Минсвязь", username="minsvyaz")


def locale(language: str) -> Locale:
    return Locale(t=translator(language), time_zone="UTC", now=NOW)


def render(language: str, notice: Notice) -> str:
    return render_notice(notice, locale(language)).text


def followed(access: FollowAccess) -> Followed:
    return replace(FOLLOWED, access=access)


def refused(reference: str, reason: str) -> FollowRefused:
    return FollowRefused(event="", reference=reference, reason=reason)


def lost(reason: str) -> ChannelLost:
    return ChannelLost(event="", channel="Минсвязь", reason=reason)


def folder(channels: int, *private: str) -> FolderRead:
    return FolderRead(event="", folder="СМИ", channels=channels, private=private)


def offered(unfollowed: int, options: str = "") -> FollowAllOffered:
    return FollowAllOffered(event="", channels=9, unfollowed=unfollowed, options=options)


@pytest.mark.parametrize(
    ("alerts", "sentence"),
    [
        (0, "Из последних 200 постов не подходит ни один."),
        (1, "Из последних 200 постов подходит 1."),
        (2, "Из последних 200 постов подходят 2."),
        (5, "Из последних 200 постов подходят 5."),
        (21, "Из последних 200 постов подходит 21."),
    ],
)
def test_a_new_channel_is_told_with_what_its_last_posts_would_have_brought(alerts: int, sentence: str) -> None:
    text = render("ru", replace(FOLLOWED, alerts=alerts))
    assert text == f"Теперь я слежу за каналом «Минсвязь».\n{sentence}"


def test_the_same_in_english() -> None:
    text = render("en", replace(FOLLOWED, alerts=1))
    assert text == "I now follow «Минсвязь».\nOf its last 200 posts, 1 matches."


def test_that_the_past_of_a_new_channel_is_read_is_said() -> None:
    for alerts, line in (
        (1, "Of its last 200 posts, 1 matches."),
        (0, "Of its last 200 posts, none matches."),
        (None, "I now follow «Минсвязь»."),
    ):
        text = render_notice(replace(FOLLOWED, alerts=alerts, past_days=30), locale("en")).text
        assert text.endswith(f"{line}\nI am now reading its last 30 days, a page at a time.")


@pytest.mark.parametrize("alerts", [0, 6])
def test_what_would_have_come_can_be_seen_at_a_tap(alerts: int) -> None:
    outgoing = render_notice(replace(FOLLOWED, access=FollowAccess.POLLED, alerts=alerts), locale("en"))
    show, every = Button(text="Show them", data=b"seen:7"), Button(text="Send every post", data=b"feed:c7:on")
    assert outgoing.buttons == (((show, every) if alerts else (every,)),)


def test_following_all_is_offered_with_how_to_follow() -> None:
    outgoing = render_notice(offered(4, "join:no history:5000"), locale("en"))
    assert outgoing.buttons == ((Button(text="Follow 4 channels", data=b"all:join:no history:5000"),),)


@pytest.mark.parametrize(
    ("notice", "sentence"),
    [
        (followed(FollowAccess.POLLED), "Until I have joined it"),
        (JoinRequested(event="", channel="Минсвязь"), "As soon as its admins let me in"),
        (refused("@nobody", "USERNAME_NOT_OCCUPIED"), "I could not follow @nobody."),
        (refused("@nobody", "USERNAME_NOT_OCCUPIED"), "no channel with this name"),
        (refused("@ivan", "user"), "It is a person."),
        (refused("@nobody", "NEW_REASON"), "Telegram's reason: NEW_REASON."),
        (lost("CHANNEL_PRIVATE"), "I can no longer read «Минсвязь»"),
        (lost("vanished"), "It has become private or has been deleted."),
        (lost("removed"), "have removed my reader account"),
        (ChannelRegained(event="", channel="Минсвязь"), "I can read «Минсвязь» again."),
        (
            ChannelWithheld(event="", channel="Минсвязь", found=WITHHELD),
            "iOS, Android – copyright; all apps, Russia – x.",
        ),
        (replace(RENAMED, title="Связь"), "«Минсвязь» is now called «Связь»."),
        (replace(RENAMED, username="svyaz"), "«Минсвязь» is now @svyaz, no longer @minsvyaz."),
        (replace(RENAMED, username=None), "has given up its public name @minsvyaz"),
        (replace(RENAMED, old_username=None), "«Минсвязь» is now public: @minsvyaz."),
        (followed(FollowAccess.OUTSIDE), "from outside"),
        (followed(FollowAccess.OUTSIDE_FAST), "may arrive half a minute late"),
        (folder(12), "has 12 channels I can read"),
        (folder(1, "Тайна"), "I need an invite link for each: Тайна"),
        (folder(1, *["Тайна"] * 12, *["Никто"] * 18), "Тайна, Тайна +18"),
        (offered(4), "I do not follow 4 of them yet."),
        (offered(0), "I already follow all of them."),
        (offered(0, "fast"), "From now on: fast"),
        (refused("+xyz", "basic_group"), "follow t.me/+xyz. It is a small group. I will follow it automatically once"),
        (Pong(event="", asked_at=NOW - timedelta(milliseconds=432)), "sent 432 ms after"),
        (SampleAlert(event=""), "This is a test alert."),
        (
            PostsUnreadable(event="", posts=3, channels=("Минсвязь", "Вести")),
            "cannot read: 3 posts in «Минсвязь», «Вести».",
        ),
        (ReaderLost(event="", is_standby=True, reason="SESSION_REVOKED"), "add --standby to the command"),
        (ThreadClosed(event="", topics=()), "The thread for this chat's alerts is closed"),
        (ThreadClosed(event="", topics=("outages",)), "The thread for «Outages» is closed"),
        (
            ChatSuspended(event="", chat="Штаб", reason="USER_KICKED"),
            "and have stopped its alerts. Its admins",
        ),
        (UpdatesMissed(event=""), "did not pass on what people wrote to me"),
        (AlertsMissed(event="", alerts=0), "Posts from that time triggered no alerts"),
        (AlertsMissed(event="", alerts=21), "21 alerts did not arrive"),
    ],
)
def test_every_notice_says_what_happened(notice: Notice, sentence: str) -> None:
    assert sentence in render("en", notice)
    russian = render("ru", notice)
    assert sentence not in russian or sentence.startswith("Тайна")
    assert "{" not in russian


def test_options_are_told_in_the_words_of_the_language() -> None:
    told = render("ru", offered(0, "fast join:no history:5000"))
    assert told.endswith("Теперь так: быстро вступать:нет история:5000")
    assert "«быстро»" in render("ru", refused("@news", "too_many_fast"))
    assert "«вступать:нет»" in render("ru", refused("@news", "needs_joining"))


def test_a_channel_that_shows_nobody_its_posts_is_not_judged_by_them() -> None:
    assert "\n" not in render("en", replace(FOLLOWED, posts=0))


def test_a_notice_without_a_renderer_is_an_error() -> None:
    with pytest.raises(NotImplementedError, match="str"):
        render("en", "unheard of")  # type: ignore[arg-type]
