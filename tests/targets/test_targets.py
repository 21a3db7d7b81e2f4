"""Ways out other than Telegram, against real receivers: what is written, what an answer means, what an address is."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from aiohttp import web

from bot.errors import TargetError, Verdict
from bot.models.outgoing import Button, Outgoing
from bot.models.targets import TargetMessage, short_id
from bot.targets import send_once
from bot.targets.address import AddressError, endpoint_of, read_address
from bot.targets.text import TextFormat, write
from bot.targets.webhook import verdict_of
from bot.text.markup import Text, bold, link
from tests.targets.receivers import Receiver, receiver
from tests.waiting import until

NOW = datetime(2026, 11, 27, 20, 0, tzinfo=UTC)
HOSTILE = "*x* _y_ [a](http://evil) <b>&amp; @everyone\n# Head\n1. one `code`"


def message(text: Text | None = None, *, about: str | None = None, number: int = 1) -> TargetMessage:
    words, entities = (text or Text().add(bold("Outages"), " · Desk\nСбой <b> & *all*")).build()
    rows = ((Button(text="Open", url="https://t.me/desk/1?a=1&b=2"),),)
    outgoing = Outgoing(text=words, entities=entities, buttons=rows)
    return TargetMessage(id=short_id(number), about=about, created_at=NOW, outgoing=outgoing)


@pytest.fixture
async def service() -> AsyncIterator[Receiver]:
    async with receiver() as running:
        yield running


@pytest.mark.parametrize(
    ("how", "body"),
    [
        (
            TextFormat.PLAIN,
            "Сбой <b> & *all*\nOpen: https://t.me/desk/1?a=1&b=2\nid 0000000001 · re 0000000002",
        ),
        (
            TextFormat.HTML,
            (
                'Сбой &lt;b&gt; &amp; *all*<br/>\n<a href="https://t.me/desk/1?a=1&amp;b=2">Open</a>'
                "<br/>\nid 0000000001 · re 0000000002"
            ),
        ),
        (
            TextFormat.MARKDOWN,
            "Сбой \\<b\\> \\& \\*all\\*  \n[Open](<https://t.me/desk/1?a=1&b=2>)  \nid 0000000001 · re 0000000002",
        ),
    ],
)
def test_foreign_text_is_no_markup_anywhere(how: TextFormat, body: str) -> None:
    text = write(message(about=short_id(2)), how, room=4000, title_room=250)
    assert (text.title, text.body) == ("Outages · Desk", body)


@pytest.mark.parametrize("how", list(TextFormat))
@pytest.mark.parametrize("room", [160, 380, 2000])
def test_a_long_text_is_cut_and_keeps_its_link_and_id(how: TextFormat, room: int) -> None:
    long = Text().add(link("Desk", "https://t.me/desk"), ": ", f"{HOSTILE} " * 80)
    body = write(message(long), how, room=room, title_room=0).body
    assert len(body) <= room
    assert "https://t.me/desk/1?a=1" in body
    assert body.endswith("id 0000000001")
    assert "…" in body


def test_hostile_text_pings_nobody() -> None:
    body = write(message(Text().add(HOSTILE)), TextFormat.MARKDOWN, room=4000, title_room=0).body
    assert "@everyone" not in body
    assert "\\[a\\]\\(http" in body
    assert "\\# Head" in body


@pytest.mark.parametrize(
    ("status", "after", "verdict", "wait"),
    [
        (200, None, None, 0),
        (204, None, None, 0),
        (410, None, Verdict.SUSPEND, 0),
        (413, None, Verdict.DROP, 0),
        (404, None, Verdict.RETRY, 0),
        (302, None, Verdict.RETRY, 0),
        (500, None, Verdict.RETRY, 0),
        (429, "17", Verdict.RETRY, 17),
        (503, "Fri, 27 Nov 2026 20:01:00 GMT", Verdict.RETRY, 60),
        (503, "soon", Verdict.RETRY, 0),
        (503, "Fri, 31 Dec 9999 23:59:59 -0100", Verdict.RETRY, 3600),
        (429, "99999999", Verdict.RETRY, 3600),
    ],
)
def test_what_an_answer_means(status: int, after: str | None, verdict: Verdict | None, wait: float) -> None:
    refusal = verdict_of(status, after, now=NOW)
    assert (refusal and refusal.verdict, refusal.retry_after if refusal else 0) == (verdict, wait)


@pytest.mark.parametrize(
    ("typed", "service"),
    [
        ("ntfy://localhost/topic", "ntfy"),
        ("mailto://user:pass@example.org", "E-Mail"),
        ("https://example.org/hook?x=1", "webhook"),
        ("webhook+http://127.0.0.1:8080/", "webhook"),
    ],
)
def test_an_address_is_read(typed: str, service: str) -> None:
    address = read_address(typed)
    assert address.service == service
    assert (address.made_secret is not None) == (service == "webhook")
    if service == "webhook":
        endpoint = endpoint_of(address.url.get_secret_value())
        assert endpoint.url == typed.removeprefix("webhook+")
        assert len(endpoint.key) == 32


@pytest.mark.parametrize(
    "typed", ["topsecret", "nonsense://topsecret", "syslog://", "https:///topsecret", "https://h/?secret=topsecret"]
)
def test_a_wrong_address_is_never_repeated(typed: str) -> None:
    with pytest.raises(AddressError) as refused:
        read_address(typed)
    assert "topsecret" not in str(refused.value)


async def test_a_webhook_is_signed_and_names_itself(service: Receiver) -> None:
    address = read_address(f"webhook+{service.url}/hook?x=1")
    url = address.url.get_secret_value()
    await send_once(url, message(about=short_id(2)))
    (taken,) = service.taken
    assert taken.is_signed_with(endpoint_of(url).key)
    assert (taken.path, taken.headers["webhook-id"], taken.json["id"]) == ("/hook?x=1", short_id(1), short_id(1))
    assert (taken.json["version"], taken.json["about"]) == (1, short_id(2))
    assert "Сбой <b> & *all*" in taken.json["text"]


async def test_ntfy_gets_it_through_apprise(service: Receiver) -> None:
    await send_once(f"ntfy://{service.host}/alarm", message())
    (taken,) = service.taken
    assert (taken.json["topic"], taken.json["title"]) == ("alarm", "Outages · Desk")
    assert taken.json["message"].endswith("id 0000000001")


@pytest.mark.parametrize("scheme", ["webhook+http", "ntfy"])
async def test_a_hanging_receiver_is_given_up_and_a_failing_one_may_heal(service: Receiver, scheme: str) -> None:
    url = f"{scheme}://{service.host}/hook"
    service.hangs = True
    with pytest.raises(TargetError, match="TIMEOUT"):
        await send_once(url, message(), within=0.05)
    service.release()
    service.answers = [lambda: web.Response(status=500)]

    async def is_answered() -> bool:
        with pytest.raises(TargetError) as refused:
            await send_once(url, message())
        assert refused.value.verdict is Verdict.RETRY
        return refused.value.error != "TIMEOUT"  # of a thread that is on its way out

    await until(is_answered)
    await send_once(url, message())
    assert len(service.taken) == 1
