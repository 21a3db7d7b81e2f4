from datetime import timedelta

from bot.commands.context import Reply
from bot.models.people import Role
from bot.store import feeds, stats, subscriptions
from tests.commands.alerts import USUAL, alerted, key, labels
from tests.commands.kit import ANNA, BORIS, GROUP, Bot, bold_words, button, text
from tests.kit_archive import NEWS, NOON, OTHER, post

WRONG = f"wrong:{NEWS}:1".encode()
DRILL = "Учения: сбой условный, службы завода готовы."


async def marks(bot: Bot) -> list[tuple[int, str, str, str, str | None]]:
    rows = await bot.db.fetch_all("SELECT * FROM feedback ORDER BY person_id, post_key")
    return [(row["person_id"], row["post_key"], row["topics"], row["what"], row["word"]) for row in rows]


async def preview(bot: Bot, word: str) -> Reply:
    asked = await bot.taps(WRONG)
    offered = await bot.taps(key(asked, "A word in it…"))
    return await bot.taps(key(offered, word))


async def heard(bot: Bot, message_id: int, words: str, channel: int = NEWS) -> bool:
    result = await bot.archive.live(post(message_id, words, channel_id=channel, date=bot.archive.now))
    return result.alerts > 0


async def excluded(bot: Bot) -> list[tuple[str, str]]:
    """Return the exclusions of all chats: topics and words."""
    rows = await bot.db.fetch_all("SELECT name, word FROM exclusions JOIN topics ON id = topic_id ORDER BY name, word")
    return [(row["name"], row["word"]) for row in rows]


async def test_just_noting_it_leaves_one_mark_however_often_it_is_tapped(bot: Bot) -> None:
    await alerted(bot, DRILL)
    asked = await bot.taps(WRONG)
    assert labels(asked) == ["This channel", "A word in it…", "Just note it", "Back"]
    for _ in range(3):
        noted = await bot.taps(key(asked, "Just note it"))
    assert (labels(noted), noted.note) == (USUAL, "Noted. Thank you.")
    assert await marks(bot) == [(ANNA, "m1", '["outages"]', "note", None)]


async def test_this_channel_mutes_the_topic_there_for_good(bot: Bot) -> None:
    await alerted(bot, DRILL)
    done = await bot.taps(key(await bot.taps(WRONG), "This channel"))
    assert (labels(done), done.note) == (USUAL, "Noted. This chat gets no more alerts on Outages from this channel.")
    assert "Muted for good: Outages in Вести" in text(await bot.says("/mute"))
    bot.archive.now = NOON + timedelta(days=1000)
    await heard(bot, 2, "Новый сбой")
    await heard(bot, 3, "Ещё один сбой", OTHER)
    assert [alert.post_key for alert in await bot.archive.outbox() if alert.label == "alert"] == ["m1", "m3"]
    assert await marks(bot) == [(ANNA, "m1", '["outages"]', "channel", None)]


async def test_a_word_is_excluded_after_what_else_it_would_have_removed_was_shown(bot: Bot) -> None:
    await alerted(bot, DRILL)
    for number, words in enumerate(("Сбой на учениях", "Сбой на узле", "Авария и сбой", "Учения без происшествий"), 2):
        await heard(bot, number, words)
    await bot.taps(f"blame:{NEWS}:2:note".encode())
    asked = await bot.taps(WRONG)
    offered = await bot.taps(key(asked, "A word in it…"))
    assert labels(offered) == ["сбой", "Учения", "условный", "службы", "завода", "готовы", "Back"]
    shown = await bot.taps(key(offered, "Учения"))
    assert labels(shown) == USUAL
    said = text(shown)
    assert "Should Outages leave out posts that say Учения, in any form?" in said
    assert "I checked the last 3 other posts on this topic. 1 of them would not have been sent:" in said
    assert "Сбой на учениях" in said
    assert "1 of those that would not have been sent is marked not relevant." in said
    assert "учениях" in bold_words(shown.messages[0])
    assert await excluded(bot) == []
    done = await bot.taps(button(shown.messages[0], "Exclude"))
    assert done.edit is not None
    assert done.edit.text.startswith("In this chat, Outages now leaves out posts that say Учения.")
    assert (await marks(bot))[0] == (ANNA, "m1", '["outages"]', "word", "учения")
    assert not await heard(bot, 10, "Сбой во время учений")
    assert await heard(bot, 11, "Сбой во время матча")
    assert "excluded by: учения" in text(await bot.says("/explain", reply_to=1, replied="Учения и сбой"))


async def test_an_exclusion_is_shown_by_topics_and_removed_there(bot: Bot) -> None:
    await alerted(bot, DRILL)
    await bot.taps(button((await preview(bot, "Учения")).messages[0], "Exclude"))
    shown = await bot.says("/topics")
    assert "Posts that say this are left out:\nOutages: учения\n" in text(shown)
    back = await bot.taps(button(shown.messages[0], "Bring back «учения»"))
    assert back.edit is not None
    assert "Posts that say this are left out" not in back.edit.text
    assert await heard(bot, 10, "Сбой во время учений")
    assert (await bot.taps(button(shown.messages[0], "Bring back «учения»"))).edit is not None


async def test_a_topic_of_their_own_keeps_its_exclusions_when_its_query_is_changed(bot: Bot) -> None:
    await bot.pair()
    await bot.tracks("Банки: банк")
    await bot.archive.follow(title="Вести")
    await bot.archive.live(post(1, "Банк проводит учения"))
    await bot.taps(button((await preview(bot, "учения")).messages[0], "Exclude"))
    shown = await bot.says("/track Банки: банк|касса")
    assert "Posts that say this are left out: учения. /topics brings them back." in text(shown)
    assert "Looking for: банк, касса" in text(shown)
    assert "would have triggered 0 alerts" in text(shown)
    await bot.taps(button(shown.messages[0], "Save"))
    assert not await heard(bot, 2, "В кассе учения")
    assert await heard(bot, 3, "В кассе очередь")


async def test_leaving_it_changes_no_topic_and_notes_the_alert(bot: Bot) -> None:
    await alerted(bot, DRILL)
    shown = await preview(bot, "Учения")
    left = await bot.taps(button(shown.messages[0], "Leave it as it is"))
    assert text(left) == "No word was excluded. I have noted that the alert was not relevant."
    assert await marks(bot) == [(ANNA, "m1", '["outages"]', "note", None)]
    assert await heard(bot, 2, "Сбой на учениях")


async def test_of_several_topics_one_is_chosen_for_the_word(bot: Bot) -> None:
    await bot.pair()
    await bot.tracks("Пожары: пожар")
    await bot.archive.follow(title="Вести")
    await bot.archive.live(post(1, "Пожар и сбой на учениях"))
    asked = await bot.taps(key(await bot.taps(WRONG), "A word in it…"))
    assert labels(asked) == ["Topic Outages", "Topic Пожары", "Back"]
    offered = await bot.taps(key(asked, "Topic Пожары"))
    shown = await bot.taps(key(offered, "учениях"))
    await bot.taps(button(shown.messages[0], "Exclude"))
    assert await excluded(bot) == [("Пожары", "учениях")]


async def test_a_reader_excludes_words_in_private_and_not_for_a_group(bot: Bot) -> None:
    await alerted(bot, DRILL)
    await bot.pair(BORIS, Role.READER)
    await heard(bot, 2, "Сбой на учениях")
    asked = await bot.taps(f"wrong:{NEWS}:2".encode(), person=BORIS)
    offered = await bot.taps(key(asked, "A word in it…"), person=BORIS)
    shown = await bot.taps(key(offered, "учениях"), person=BORIS)
    await bot.taps(button(shown.messages[0], "Exclude"), person=BORIS)
    assert (await bot.archive.live(post(3, "Снова сбой и учения"))).alerts == 1  # for Anna
    await bot.taps(key(asked, "Just note it"), person=BORIS)
    await bot.taps(f"blame:{NEWS}:2:note".encode())
    assert [mark[0] for mark in await marks(bot)] == [ANNA, BORIS]
    await bot.says("/start@our_bot", person=ANNA, chat=GROUP)
    assert (await bot.taps(WRONG, person=BORIS, chat=GROUP)).note == "Only owners and editors can do that here."


async def test_a_word_that_an_edit_has_removed_is_asked_for_anew(bot: Bot) -> None:
    await alerted(bot, DRILL)
    offered = await bot.taps(key(await bot.taps(WRONG), "A word in it…"))
    await bot.archive.live(post(1, "Сбой на узле связи", edit_date=NOON + timedelta(minutes=1)))
    gone = await bot.taps(key(offered, "Учения"))
    assert gone.note == "The post has changed. Please choose the word again."


async def test_somebody_elses_change_of_the_topic_is_not_lost(bot: Bot) -> None:
    await alerted(bot, DRILL)
    first = await preview(bot, "Учения")
    second = await preview(bot, "завода")
    await bot.taps(button(first.messages[0], "Exclude"))
    await bot.taps(button(second.messages[0], "Exclude"))
    await bot.taps(button(second.messages[0], "Exclude"))
    assert await excluded(bot) == [("outages", "завода"), ("outages", "учения")]


async def test_the_figures_count_alerts_duplicates_and_what_was_not_relevant(bot: Bot) -> None:
    words = "Сбой на крупном узле связи в городе: сайты и приложения банка не открываются со вчерашнего дня."
    await alerted(bot, words)
    await bot.archive.live(post(1, words, channel_id=OTHER))
    for number, place in enumerate(("насос", "котёл", "турбина"), 2):
        await heard(bot, number, f"Сбой: {place}")
    await bot.taps(f"blame:{NEWS}:2:note".encode())
    chat = (await bot.db.fetch_all("SELECT id FROM chats"))[0]["id"]
    counted = await stats.topic_stats(bot.db, chat, NOON - timedelta(days=30))
    assert counted == {"outages": stats.TopicStats(alerts=4, duplicates=1, wrong=1)}
    assert "Outages: 4 alerts · 1 duplicate · 25% not relevant · with sound\n" in text(await bot.says("/topics"))
    assert await stats.topic_stats(bot.db, chat, NOON + timedelta(days=1)) == {}


async def test_a_feed_leaves_words_out_and_says_so(bot: Bot) -> None:
    chat = await bot.pair()
    await bot.archive.follow(title="Вести")
    feed = await bot.db.write(lambda tx: feeds.make(tx, str(NEWS), "Вести", now=NOON))
    await bot.db.write(lambda tx: subscriptions.subscribe(tx, chat.id, feed.id, now=NOON))
    await bot.archive.live(post(1, "Реклама банка"), post(2, "Погода хорошая"), post(3, "Новая реклама окон"))
    shown = await preview(bot, "Реклама")
    assert "1 stored post would not have been sent:" in text(shown)
    assert "Новая реклама окон" in text(shown)
    await bot.taps(button(shown.messages[0], "Exclude"))
    assert not await heard(bot, 4, "Реклама сыра")
    assert await heard(bot, 5, "Сыр подорожал")
    assert "says реклама, which this chat excludes" in text(await bot.says("/post https://t.me/News1001/4"))
    assert "excluded by: реклама" in text(await bot.taps(f"why:{NEWS}:4".encode()))
    assert "Left out in this chat: реклама" in text(await bot.taps(f"about:{feed.id}".encode()))
