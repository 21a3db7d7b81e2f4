"""One rule of rights: each command for each role in each kind of chat, in the menu, in /help and as it is answered."""

from typing import Any

import pytest

from bot.commands import registry
from bot.commands.rights import REFUSALS, Need, allows
from bot.locales import translator
from bot.models.outgoing import Peer, PeerKind
from bot.models.people import Role
from tests.commands.kit import ANNA, BORIS, EVE, GROUP, Bot, text
from tests.kit_archive import Archive

CLARA = 503
BASIC_GROUP = Peer(kind=PeerKind.GROUP, id=77)
FORUM = Peer(kind=PeerKind.CHANNEL, id=9002, access_hash=3, thread_id=5)
SPEAKERS = {"owner": ANNA, "editor": BORIS, "reader": CLARA, "stranger": EVE, "anonymous": 0}
CHATS = {"private": None, "group": BASIC_GROUP, "supergroup": GROUP, "forum": FORUM}

# Who may send a command: o(wner), e(ditor), r(eader); in private, and in any group.
LOOK = "cases groups topics test explain search searches latest post stats channels status start ping help about cancel"
SET = """settings zone language quiet digest storms edits confirmations media translate receipt weekly heads surges
theme pages save track untrack mute unmute priority here fallback"""
RULES = {
    **dict.fromkeys(LOOK.split(), ("oer", "oer")),
    **dict.fromkeys(SET.split(), ("oer", "oe")),
    **dict.fromkeys(["follow", "unfollow", "private", "log"], ("oe", "oe")),
    "for": ("oe", ""),
    **dict.fromkeys(["team", "targets"], ("o", "")),
}


# What each kind of button needs.
TAPS = {
    Need.LOOK: """about again alike back case cases channel dossier edit find first found group groups history item keep
    latest like list more older order others others_of picture post quote rss run seen setup similar spread stats sum
    test topics translation undo why""",
    Need.CHAT: """blame casename casenote casetags confirmations digest drop edits every exclude fallback feed forall
    hush include into lang language leave media mute mutes newcase ok ours outof place prio quiet receipt revert
    heads pages rss_new save settings snooze store storms surges theme tocase topic translate type uncase unmute
    unstore wake weekly word words wrong zone""",
    Need.INSTANCE: """all follow further groups_of how ingroup log members name newgroup only open paste privates
    regroup retry share stop unfollow ungroup""",
    Need.BROADCAST: "for post_in",
    Need.TEAM: "handover head invite link person remove role target targets team withdraw",
}


def allowed(command: str, who: str, chat: str) -> bool:
    private, group = RULES[command]
    return who in SPEAKERS and who[0] in (private if chat == "private" else group) and who[0] in "oer"


def test_the_table_names_every_command() -> None:
    assert set(RULES) == set(registry.commands())


def test_a_new_button_is_thought_of() -> None:
    """Hold each kind of button to the right that it needs: one that is declared with less shows here."""
    assert {verb: tap.need for verb, tap in registry.taps().items()} == {
        verb: need for need, verbs in TAPS.items() for verb in verbs.split()
    }


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("chat", ["private", "group"])
def test_the_menu_obeys_it(role: Role, chat: str) -> None:
    shown = {name for name, _ in registry.menu(translator("ru"), role, private=chat == "private")}
    settings = {name for name, each in registry.commands().items() if each.is_setting}  # /settings has buttons for them
    assert shown == {name for name in RULES if allowed(name, role.value, chat)} - settings


@pytest.mark.parametrize("need", Need)
def test_a_stranger_may_do_nothing(need: Need) -> None:
    assert not allows(None, need, private=True)


@pytest.fixture
async def newsroom(bot: Bot) -> Bot:
    """Bring an owner, an editor and a reader, and the bot into a group of each kind."""
    await bot.says("/start", person=ANNA)
    await bot.pair(BORIS, Role.EDITOR)
    await bot.pair(CLARA, Role.READER)
    for peer in filter(None, CHATS.values()):
        await bot.says("/start@our_bot", person=ANNA, chat=peer)
    return bot


@pytest.mark.parametrize("chat", CHATS)
@pytest.mark.parametrize("who", SPEAKERS)
async def test_commands_obey_it(newsroom: Bot, who: str, chat: str) -> None:
    refusals = set(REFUSALS.values()) - {REFUSALS[Need.LOOK]}
    where: dict[str, Any] = {} if CHATS[chat] is None else {"chat": CHATS[chat]}
    wrong = []
    for name in RULES:
        said = f"/{name}" if chat == "private" else f"/{name}@our_bot"
        if who == "anonymous" and chat == "private":
            continue  # there are none
        answer = text(await newsroom.says(said, person=SPEAKERS[who], **where))
        if SPEAKERS[who] in {EVE, 0}:
            is_refused = answer in {"", "This bot is private. Ask its owner for an invitation."} or "Remain" in answer
        else:
            is_refused = answer in refusals
        if is_refused == allowed(name, who, chat):
            wrong.append((name, answer))
    assert wrong == []


@pytest.mark.parametrize("chat", ["private", "supergroup"])
@pytest.mark.parametrize("who", ["owner", "editor", "reader"])
async def test_help_obeys_it(newsroom: Bot, who: str, chat: str) -> None:
    where: dict[str, Any] = {} if CHATS[chat] is None else {"chat": CHATS[chat]}
    shown = text(await newsroom.says("/help", person=SPEAKERS[who], **where))
    listed = {line.split()[0].removeprefix("/") for line in shown.splitlines() if line.startswith("/")}
    assert listed == {name for name in RULES if allowed(name, who, chat)}


@pytest.mark.parametrize("chat", ["private", "supergroup"])
@pytest.mark.parametrize("who", ["owner", "editor", "reader"])
async def test_taps_obey_it(newsroom: Bot, archive: Archive, who: str, chat: str) -> None:
    """Send each kind of button that there is: who may not tap it gets one sentence, and nothing is written."""
    del archive
    where: dict[str, Any] = {} if CHATS[chat] is None else {"chat": CHATS[chat]}
    role = Role(who)
    refused = [verb for verb, tap in registry.taps().items() if not allows(role, tap.need, private=chat == "private")]
    for verb in refused:
        data = SAMPLES.get(verb, "")
        assert registry.taps()[verb].argument.fullmatch(data), (verb, "give a sample")
        answer = await newsroom.taps(f"{verb}:{data}".encode(), person=SPEAKERS[who], **where)
        assert answer.note, verb
        assert not answer.messages, verb
        assert answer.edit is None, verb


SAMPLES = {
    "target": "1:pause",
    "head": "1001",
    "follow": "@rkn_tg",
    "paste": "m-1",
    "retry": "1",
    "all": "",
    "list": "0",
    "find": "",
    "channel": "1",
    "hush": "1:8h",
    "how": "1:fast",
    "stop": "1",
    "unfollow": "m-1",
    "topic": "1:on:topics",
    "wake": "t1",
    "include": "1:00000000",
    "drop": "1",
    "save": "m-1:00000000",
    "store": "m-1",
    "unstore": "1",
    "mute": "t1",
    "mutes": "1",
    "privates": "1",
    "unmute": "t1",
    "zone": "UTC",
    "settings": "",
    "type": "quiet",
    "place": "UTC",
    "lang": "ru",
    "prio": "list",
    "wrong": "1:1",
    "blame": "1:1:note",
    "words": "1:1",
    "word": "1:1:1:00000000",
    "exclude": "1:1:1:00000000",
    "leave": "1:1",
    "snooze": "1:1",
    "ours": "1",
    "about": "list",
    "topics": "",
    "history": "1:0",
    "revert": "1:1",
    "forall": "1:00000000:out",
    "ok": "",
    "further": "20250101",
    "team": "0",
    "invite": "reader:1:15m",
    "link": "reader:1:15m",
    "withdraw": "1",
    "person": "1",
    "role": "1:reader",
    "remove": "1",
    "handover": "1",
    "log": "0:0:0",
    "only": "t1",
    "share": "t1:1:on",
    "open": "t1",
    "edits": "all",
    "storms": "off",
    "quiet": "off",
    "digest": "hourly",
    "language": "ru",
    "confirmations": "on",
    "heads": "on",
    "pages": "on",
    "media": "on",
    "translate": "en",
    "receipt": "off",
    "surges": "off",
    "theme": "dark",
    "weekly": "off",
    "edit": "m-1",
    "name": "m-1",
    "older": "q:m-1:1",
    "more": "m-1",
    "order": "m-1:best",
    "latest": "0:1",
    "seen": "1",
    "post": "1:1",
    "back": "1:1",
    "undo": "1",
    "spread": "1:1",
    "stats": "days:7:a",
    "quote": "1:1",
    "translation": "1:1",
    "sum": "1:0",
    "for": "1:setup",
    "newgroup": "",
    "members": "1:0",
    "ingroup": "1:1:on:0",
    "groups_of": "1",
    "regroup": "1",
    "ungroup": "1",
    "feed": "c1:on",
    "others": "1:1",
    "others_of": "m-1",
    "similar": "1",
    "found": "1:0",
    "every": "1:on",
    "post_in": "1:yes",
    "case": "1:0",
    "rss": "1",
    "rss_new": "t1",
    "dossier": "1",
    "cases": "0",
    "item": "1:1:1",
    "casename": "1",
    "casetags": "1",
    "casenote": "1",
    "outof": "1:1:1",
    "uncase": "1",
    "tocase": "1:1",
    "into": "1:1:1",
    "newcase": "1:1",
}


async def test_every_tap_is_answered_whatever_it_names(newsroom: Bot) -> None:
    """Send each kind of button for things that are not there, or with data that no button has."""
    assert (await newsroom.taps(b"nothing:1")).note == "This button no longer works."
    silent = []
    for verb in registry.taps():
        for data in (SAMPLES.get(verb, ""), "\N{SKULL}:" * 9):
            answer = await newsroom.taps(f"{verb}:{data}".encode())
            if not (answer.note or answer.edit or answer.messages or answer.buttons is not None):
                silent.append((verb, data))
    assert silent == []
