import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ChannelwatchError
from bot.models import Entity, Forward, Media, Post, RawFormat
from bot.sources.desktop_export import ExportedChannel, read
from bot.sources.desktop_message import SkipReason

CHANNEL = ExportedChannel(id=1001, kind="broadcast", title="Вести", username=None, is_public=True, is_alone=True)
NOON = 1741608000  # 2025-03-10 12:00 UTC


def message(number: int = 1, text: object = "Сбой", **fields: object) -> dict[str, object]:
    return {
        "id": number,
        "type": "message",
        "date": "2025-03-10T15:00:00",
        "date_unixtime": str(NOON),
        "from": "Вести",
        "from_id": "channel1001",
        "text": text,
        **fields,
    }


def chat(*messages: object, **fields: object) -> dict[str, object]:
    return {"name": "Вести", "type": "public_channel", "id": 1001, "messages": list(messages), **fields}


def account(*chats: object, left: Iterable[object] = ()) -> dict[str, object]:
    """Make an export of all chats, with what else stands in one."""
    return {
        "about": "Here is the data you requested.",
        "personal_information": {"user_id": 7, "first_name": "Anna", "phone_number": "+10000000000"},
        "contacts": {"about": "…", "list": [{"user_id": 8, "first_name": "Boris"}]},
        "chats": {"about": "…", "list": list(chats)},
        "left_chats": {"about": "…", "list": list(left)},
    }


def file(content: object) -> io.BytesIO:
    given = content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False, indent=1).encode()
    return io.BytesIO(given)


def items(content: object, zone: ZoneInfo | None = None) -> list[Any]:
    return list(read(file(content), zone=zone))


def shown(found: Iterable[Any]) -> list[str]:
    titled = (f"#{item.title}" if isinstance(item, ExportedChannel) else item for item in found)
    return [item.text if isinstance(item, Post) else item for item in titled]


def post(**fields: object) -> Post:
    """Read one message with these fields."""
    channel, found = items(chat(message(**fields)))  # type: ignore[arg-type]
    assert channel == CHANNEL
    assert isinstance(found, Post), found
    return found


class TestPosts:
    def test_a_message_is_a_post_with_itself_as_evidence(self) -> None:
        given = message(7, "Тихий день", author="А. Б.", reply_to_message_id=5, reactions=[{"count": 3}])
        found = items(chat(given))[1]
        assert (found.channel_id, found.message_id, found.text, found.entities) == (1001, 7, "Тихий день", ())
        assert found.date == datetime(2025, 3, 10, 12, tzinfo=UTC)
        assert (found.author, found.reply_to, found.edit_date, found.views) == ("А. Б.", 5, None, None)
        assert (found.raw_format, found.layer) == (RawFormat.JSON, None)
        assert json.loads(found.raw) == given
        assert found.raw == json.dumps(given, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    @pytest.mark.parametrize("field", ["text", "text_entities"])
    def test_a_text_in_parts_is_joined_with_its_formatting_in_utf16_units(self, field: str) -> None:
        parts = [
            {"type": "bold", "text": "Лес 🌲"},
            " и ",
            {"type": "link", "text": "t.me/x"},
            {"type": "text_link", "text": "тут", "href": "https://example.org"},
            {"type": "strikethrough", "text": "нет"},
            {"type": "plain", "text": "!"},
            {"type": "pre", "text": "x = 1", "language": "python"},
            {"type": "mention_name", "text": "Анна", "user_id": 42},
            {"type": "custom_emoji", "text": "😀", "document_id": "5368324170671202286"},
            {"type": "custom_emoji", "text": "😀", "document_id": "stickers/e.webp"},
        ]
        found = post(**{"text": "", field: parts})
        assert found.text == "Лес 🌲 и t.me/xтутнет!x = 1Анна😀😀"
        encoded = found.text.encode("utf-16-le")
        shown = [encoded[2 * e.offset : 2 * (e.offset + e.length)].decode("utf-16-le") for e in found.entities]
        assert [(e.kind, words, e.value) for e, words in zip(found.entities, shown, strict=True)] == [
            ("bold", "Лес 🌲", None),
            ("url", "t.me/x", None),
            ("text_url", "тут", "https://example.org"),
            ("strike", "нет", None),
            ("pre", "x = 1", "python"),
            ("mention_name", "Анна", "42"),
            ("custom_emoji", "😀", "5368324170671202286"),
            ("custom_emoji", "😀", None),
        ]

    def test_entities_count_where_both_forms_of_a_text_are_there(self) -> None:
        found = post(text="Сбой", text_entities=[{"type": "bold", "text": "Сбой"}])
        assert (found.text, found.entities) == ("Сбой", (Entity(kind="bold", offset=0, length=4),))
        assert post(text="Сбой", text_entities=[]).text == "Сбой"

    def test_an_edit_has_its_date(self) -> None:
        assert post(edited="2025-03-10T15:05:00", edited_unixtime=str(NOON + 300)).edit_date == datetime(
            2025, 3, 10, 12, 5, tzinfo=UTC
        )

    @pytest.mark.parametrize(
        ("fields", "forward"),
        [
            ({"forwarded_from": "Хроника", "forwarded_from_id": "channel1002"}, (1002, "Хроника")),
            ({"forwarded_from": "Анна", "forwarded_from_id": "user42"}, (None, "Анна")),
            ({"forwarded_from": None}, (None, None)),
        ],
        ids=["channel", "person", "nobody any more"],
    )
    def test_a_forward_keeps_its_origin(
        self, fields: dict[str, object], forward: tuple[int | None, str | None]
    ) -> None:
        channel_id, name = forward
        assert post(**fields).forward == Forward(channel_id=channel_id, message_id=None, name=name, date=None)

    @pytest.mark.parametrize(("peer", "target"), [("channel1002", (5, 1002)), ("user42", (None, None))])
    def test_a_reply_to_another_chat_names_it(self, peer: str, target: tuple[int | None, int | None]) -> None:
        found = post(reply_to_message_id=5, reply_to_peer_id=peer)
        assert (found.reply_to, found.reply_channel) == target

    @pytest.mark.parametrize(
        ("fields", "parts"),
        [
            ({"poll": {"question": "Кто?", "answers": [{"text": "Я", "voters": 2}, 7]}}, ["poll: Кто?", "poll: Я"]),
            ({"todo_list": {"title": "Дела", "answers": [{"text": ["Чинить"]}]}}, ["to_do: Дела", "to_do: Чинить"]),
            ({"file": "files/План.pdf"}, ["file: План.pdf"]),
            ({"file": "(…)", "performer": "Хор", "title": "Гимн"}, ["audio: Хор — Гимн"]),
            ({"place_name": "Кремль", "address": "Москва"}, ["place: Кремль", "place: Москва"]),
            (
                {"contact_information": {"first_name": "Анна", "last_name": "Б.", "phone_number": "+7"}},
                ["contact: Анна Б.", "contact: +7"],
            ),
            ({"game_title": "Змейка", "game_description": "Игра"}, ["game: Змейка", "game: Игра"]),
            ({"invoice_information": {"title": "Год", "description": None}}, ["invoice: Год"]),
            ({"inline_bot_buttons": [[{"type": "url", "text": "Сайт"}], "?"]}, ["button: Сайт"]),
            ({"poll": "?", "contact_information": [], "inline_bot_buttons": {}}, []),
        ],
    )
    def test_what_stands_beside_the_text_is_read(self, fields: dict[str, object], parts: list[str]) -> None:
        assert [f"{part.kind}: {part.text}" for part in post(**fields).parts] == parts

    def test_reactions_are_counted_together(self) -> None:
        assert post(reactions=[{"type": "emoji", "count": 7}, {"count": 2}, {"count": "?"}]).reactions == 9

    @pytest.mark.parametrize(
        ("fields", "media"),
        [
            ({"photo": "photos/photo_1.jpg", "width": 1280}, Media(kind="photo")),
            ({"file": "files/План.pdf", "mime_type": "application/pdf"}, Media(kind="document", title="План.pdf")),
            ({"file": "(File not included. …)", "file_name": "a.mp4"}, Media(kind="document", title="a.mp4")),
            ({"file": "(File not included. …)", "media_type": "sticker"}, Media(kind="document")),
            ({"poll": {"question": "Кто?", "answers": []}}, Media(kind="poll", title="Кто?")),
            ({"poll": {"question": ["Кто", {"type": "bold", "text": "?"}]}}, Media(kind="poll", title="Кто?")),
            ({"todo_list": {"title": "Дела"}}, Media(kind="to_do", title="Дела")),
            ({"contact_information": {"first_name": "Анна"}}, Media(kind="contact")),
            ({"location_information": {"latitude": 55.75, "longitude": 37.61}}, Media(kind="geo")),
            ({"place_name": "Кремль", "location_information": {}}, Media(kind="venue", title="Кремль")),
            ({"game_title": "Змейка"}, Media(kind="game", title="Змейка")),
        ],
        ids=lambda value: value.kind if isinstance(value, Media) else None,
    )
    def test_media_are_kept_as_metadata(self, fields: dict[str, object], media: Media) -> None:
        assert post(**fields).media == media

    def test_old_exports_are_read_in_the_time_zone_they_were_made_in(self) -> None:
        old = message(date_unixtime=None, edited="1970-01-01T03:00:00", from_id=8589935593)
        del old["date_unixtime"]
        content = chat(old, id=8589935593)  # their ids of channels were this much higher
        assert items(content) == [CHANNEL, SkipReason.UNDATED]
        channel, found = items(content, ZoneInfo("Europe/Moscow"))
        assert (channel, found.date, found.edit_date) == (CHANNEL, datetime(2025, 3, 10, 12, tzinfo=UTC), None)


class TestChats:
    @pytest.mark.parametrize(
        ("kind", "ours"),
        [
            ("public_channel", "broadcast"),
            ("private_channel", "broadcast"),
            ("public_supergroup", "supergroup"),
            ("private_supergroup", "supergroup"),
        ],
    )
    def test_channels_and_supergroups_are_taken(self, kind: str, ours: str) -> None:
        channel, found = items(chat(message(), type=kind))
        assert (channel.kind, found.text) == (ours, "Сбой")

    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            ({"type": "personal_chat"}, SkipReason.PRIVATE),
            ({"type": "saved_messages"}, SkipReason.PRIVATE),
            ({"type": "verification_codes"}, SkipReason.PRIVATE),
            ({"type": "private_group"}, SkipReason.BASIC_GROUP),
            ({"type": "forum_of_tomorrow"}, SkipReason.NO_CHANNEL),
            ({"type": None}, SkipReason.NO_CHANNEL),
            ({"id": None}, SkipReason.NO_CHANNEL),
            ({"id": "abc"}, SkipReason.NO_CHANNEL),
            ({"id": True}, SkipReason.NO_CHANNEL),
            ({"id": -5}, SkipReason.NO_CHANNEL),
        ],
        ids=str,
    )
    def test_other_chats_are_left_out_with_the_reason(self, fields: dict[str, object], reason: SkipReason) -> None:
        assert items(chat(message(1), message(2), **fields)) == [reason, reason]

    def test_an_account_brings_its_channels_and_those_it_left(self) -> None:
        found = items(
            account(
                chat(message(1, "а"), message(2, "б")),
                chat(message(9), type="personal_chat", id=8),
                chat(),
                chat(message(1, "в"), id=1002, name=None),
                left=[chat(message(1, "г"), id=1003, name="Ушли", type="private_supergroup")],
            )
        )
        assert shown(found) == ["#Вести", "а", "б", SkipReason.PRIVATE, "#1002", "в", "#Ушли", "г"]

    def test_messages_that_come_before_their_channel_are_left_out(self) -> None:
        given = chat(message())
        rewritten = {key: given[key] for key in sorted(given)}  # as other programs do; the type comes last
        assert items(rewritten) == [SkipReason.NO_CHANNEL]


class TestBrokenFiles:
    @pytest.mark.parametrize(
        ("given", "reason"),
        [
            ({"id": 1, "type": "unsupported"}, SkipReason.UNSUPPORTED),
            (message(type="service", action="pin_message"), SkipReason.SERVICE),
            (message(-999999990), SkipReason.MIGRATED),
            (message(0), SkipReason.BROKEN),
            (message(2**31), SkipReason.BROKEN),
            (message(id="7"), SkipReason.BROKEN),
            (message(id=True), SkipReason.BROKEN),
            (message(type=["message"]), SkipReason.BROKEN),
            (message(date_unixtime="soon"), SkipReason.BROKEN),
            (message(date_unixtime="9" * 5000), SkipReason.BROKEN),
            (message(date_unixtime=[1]), SkipReason.BROKEN),
            (message(edited_unixtime="x", edited="y"), SkipReason.BROKEN),
            (message(text=5), SkipReason.BROKEN),
            (message(text=[["x"]]), SkipReason.BROKEN),
            (message(text=[{"type": "bold"}]), SkipReason.BROKEN),
            (message(text_entities={"type": 1, "text": "x"}), SkipReason.BROKEN),
            ({}, SkipReason.BROKEN),
            ("text", SkipReason.BROKEN),
            (None, SkipReason.BROKEN),
            ([message()], SkipReason.BROKEN),
        ],
        ids=lambda value: "" if isinstance(value, SkipReason) else str(value)[:40],
    )
    def test_a_message_that_is_no_post_is_left_out_and_the_next_is_read(
        self, given: object, reason: SkipReason
    ) -> None:
        assert shown(items(chat(given, message(8, "Дальше")))) == ["#Вести", reason, "Дальше"]

    @pytest.mark.parametrize("place", ["about", "contacts", "before", "after"])
    def test_what_is_nested_without_end_outside_of_messages_takes_no_time(self, place: str) -> None:
        deep = b"[" * 200_000 + b"7," * 200_000 + b"7" + b"]" * 200_000
        content = account(chat(message(8)))
        around = {place: "DEEP", **content} if place == "before" else {**content, place: "DEEP"}
        text = json.dumps(around).encode()
        assert shown(items(text.replace(b'"DEEP"', deep))) == ["#Вести", "Сбой"]

    def test_a_message_nested_without_end_is_left_out(self) -> None:
        deep = b"[" * 50_000 + b"]" * 50_000
        content = json.dumps(chat("DEEP", message(8, "Дальше"))).encode().replace(b'"DEEP"', b'{"text":' + deep + b"}")
        assert shown(items(content)) == ["#Вести", SkipReason.BROKEN, "Дальше"]

    @pytest.mark.parametrize("parts", [1, 2, 3])
    def test_what_stands_before_the_end_of_a_file_that_breaks_off_is_read(self, parts: int) -> None:
        whole = file(chat(*(message(n) for n in range(1, 2001)))).getvalue()
        cut = whole[: len(whole) * parts // 4]
        found: list[Any] = []
        with pytest.raises(ChannelwatchError, match="breaks off or is damaged near byte") as error:
            found.extend(read(io.BytesIO(cut)))
        assert len(str(error.value).splitlines()) == 1
        complete = cut.count(b"}")
        assert [item.message_id for item in found[1:]] == list(range(1, complete + 1))

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            (b"", "the file is empty"),
            (b"\xef\xbb\xbf \n", "the file is empty"),
            (b"<!DOCTYPE html>\n<html>", "in HTML"),
            (b"\xef\xbb\xbf<html>", "in HTML"),
            (b"[1, 2]", "no export of Telegram Desktop"),
            (b"PK\x03\x04", "no export of Telegram Desktop"),
            ('{"messages": []}'.encode("utf-16"), "no export of Telegram Desktop"),
            (b"{}", "no chats in this file"),
            (b'{"messages": {"item": {"id": 1}}, "chats": [1]}', "no chats in this file"),
            (b'{"messages": [{"id": nope', "damaged near byte"),
            (b'{"messages": []} and more', "damaged near byte"),
            (b'{"messages": ["\xff"]}', "damaged near byte"),
            (b'{"messages": [' + b"1" * 5000 + b"]}", "damaged near byte"),
        ],
        ids=lambda value: str(value[:20]) if isinstance(value, bytes) else "",
    )
    def test_a_file_that_is_no_export_is_one_line(self, given: bytes, said: str) -> None:
        with pytest.raises(ChannelwatchError, match=said) as error:
            items(given)
        assert len(str(error.value).splitlines()) == 1

    def test_a_byte_order_mark_does_no_harm(self) -> None:
        whole = file(chat(message())).getvalue()
        assert items(b"\xef\xbb\xbf" + whole) == items(whole)

    def test_an_empty_channel_is_no_error(self) -> None:
        assert items(chat()) == []

    @given(st.integers(min_value=1, max_value=12), st.lists(st.sampled_from(["\x0b", "\x1f", "\\", "\\x0B", "я", '"'])))
    def test_control_characters_are_read_as_telegram_desktop_writes_them(self, size: int, pieces: list[str]) -> None:
        text = "".join(pieces)
        whole = json.dumps(chat(message(text=text)), ensure_ascii=False)
        written = whole.replace("\\u000b", "\\x0B").replace("\\u001f", "\\x1F").encode()
        assert shown(read(_Trickle(written, size))) == ["#Вести", text]


class _Trickle(io.BytesIO):
    """Gives a few bytes at a time, so that every escape is cut somewhere."""

    def __init__(self, content: bytes, size: int) -> None:
        super().__init__(content)
        self._size = size

    def read(self, size: int | None = -1) -> bytes:
        return super().read(512 if size == 512 else min(self._size, size or 0))
