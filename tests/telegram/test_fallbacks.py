from dataclasses import replace

import pytest

from bot.errors import TelegramError, Verdict
from bot.models import Entity
from bot.models.outgoing import Button, Outgoing
from bot.telegram.sender import MOST_WAYS, simplified, with_fallbacks
from bot.text.markup import LIMIT, units

LINK = "https://t.me/agency/5"
OPEN, SNOOZE = Button(text="Open", url=LINK), Button(text="Snooze", data=b"snooze:1:5")
FULL = Outgoing(
    text="Сбой " * 200,
    entities=(Entity(kind="bold", offset=0, length=4), Entity(kind="bold", offset=990, length=4)),
    buttons=((OPEN, SNOOZE),),
    silent=True,
)


def written(verdict: Verdict, outgoing: Outgoing = FULL) -> Outgoing:
    other = simplified(outgoing, verdict)
    assert other is not None
    return other


def test_what_is_too_long_is_cut_to_half_and_keeps_its_link() -> None:
    shorter = written(Verdict.SHORTEN)
    assert units(shorter.text) <= units(FULL.text) // 2
    assert (shorter.text[-2:], shorter.buttons, shorter.silent) == ("й…", FULL.buttons, True)
    assert shorter.entities == FULL.entities[:1]


def test_what_cannot_be_cut_any_more_loses_its_formatting_and_then_there_is_nothing_left() -> None:
    short = replace(FULL, text="Сбой")
    assert written(Verdict.SHORTEN, short) == replace(short, entities=())
    assert simplified(replace(short, entities=()), Verdict.SHORTEN) is None


def test_refused_formatting_is_left_out_and_nothing_else() -> None:
    plain = written(Verdict.PLAIN)
    assert plain == replace(FULL, entities=())
    assert simplified(plain, Verdict.PLAIN) is None


def test_refused_buttons_leave_their_link_under_the_text() -> None:
    bare = written(Verdict.BARE)
    assert bare.text == f"{FULL.text.strip()} \n{LINK}"
    assert (bare.entities, bare.buttons) == (FULL.entities, ())
    assert simplified(bare, Verdict.BARE) is None


def test_long_texts_of_refused_buttons_are_shortened_before_the_buttons_are_left_out() -> None:
    long = replace(OPEN, text="Show the post and all that was said since")
    shorter = written(Verdict.BARE, replace(FULL, buttons=((long, SNOOZE),)))
    assert shorter == replace(FULL, buttons=((replace(OPEN, text="Show the post and a…"), SNOOZE),))
    assert written(Verdict.BARE, shorter).buttons == ()


def test_a_link_under_a_full_text_takes_the_room_of_its_end() -> None:
    bare = written(Verdict.BARE, replace(FULL, text="Сбой " * 819))
    assert units(bare.text) <= LIMIT
    assert bare.text.endswith(f"…\n{LINK}")


@pytest.mark.parametrize("verdict", [Verdict.DROP, Verdict.RETRY, Verdict.SUSPEND, Verdict.FATAL, Verdict.CLOSED])
def test_no_other_refusal_is_mended_by_writing_plainer(verdict: Verdict) -> None:
    assert simplified(FULL, verdict) is None


class Sending:
    def __init__(self, *verdicts: Verdict) -> None:
        self.verdicts = list(verdicts)
        self.sent: list[tuple[Outgoing, int]] = []

    @with_fallbacks
    async def send(self, outgoing: Outgoing, *, random_id: int) -> str:
        self.sent.append((outgoing, random_id))
        if self.verdicts:
            raise TelegramError("REFUSED", code=400, verdict=self.verdicts.pop(0))
        return "sent"


async def test_one_refusal_after_the_other_is_given_way_to_under_the_same_random_id() -> None:
    sending = Sending(Verdict.PLAIN, Verdict.BARE)
    assert await sending.send(FULL, random_id=7) == "sent"
    assert [random_id for _, random_id in sending.sent] == [7, 7, 7]
    last = sending.sent[-1][0]
    assert (last.entities, last.buttons) == ((), ())


async def test_a_refusal_that_plainer_words_do_not_mend_is_raised() -> None:
    sending = Sending(Verdict.PLAIN, Verdict.PLAIN)
    with pytest.raises(TelegramError):
        await sending.send(FULL, random_id=7)
    assert len(sending.sent) == 2


async def test_there_is_an_end_to_writing_anew() -> None:
    sending = Sending(*[Verdict.SHORTEN] * 9)
    with pytest.raises(TelegramError):
        await sending.send(replace(FULL, text="Сбой " * 800), random_id=7)
    assert len(sending.sent) == MOST_WAYS + 1
