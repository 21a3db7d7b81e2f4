"""The messages a session has received: new, repeated, or refused for breaking the rules of ids."""

import asyncio
from bisect import bisect_left
from dataclasses import dataclass
from enum import IntEnum

REMEMBERED = 2048  # messages per session, at most

MAX_AGE_S = 300  # https://core.telegram.org/mtproto/description#message-identifier-msg-id
MAX_AHEAD_S = 30


class Bad(IntEnum):
    """Why a message is refused: https://core.telegram.org/mtproto/service_messages_about_messages#notice-of-ignored-error-message."""

    ID_TOO_LOW = 16  # over 300 s before the server's time
    ID_TOO_HIGH = 17  # over 30 s after it
    ID_BITS = 18  # not divisible by four
    CONTAINER_REPEATED = 19
    TOO_OLD = 20  # older than all that is remembered, so perhaps handled already
    SEQNO_TOO_LOW = 32
    SEQNO_TOO_HIGH = 33
    EVEN_EXPECTED = 34  # a message that needs no acknowledgement
    ODD_EXPECTED = 35  # one that needs it
    SALT = 48
    CONTAINER = 64


@dataclass(slots=True, eq=False)
class Received:
    """One message of the client, and the state of its answer."""

    seqno: int
    answer_id: int | None = None  # msg_id of the answer, once there is one
    failed: bool | None = None  # whether the answer is an error; None while it is being worked on
    dropped: bool = False  # the client no longer wants the answer
    finished: asyncio.Event | None = None  # made where another request waits for this one (invokeAfterMsg)


def mistimed(msg_id: int, now_s: float) -> Bad | None:
    """Check an outermost msg_id against the server's clock (seconds since 1970); None where nothing is wrong."""
    sent_s = msg_id / (1 << 32)
    if sent_s < now_s - MAX_AGE_S:
        return Bad.ID_TOO_LOW
    if sent_s > now_s + MAX_AHEAD_S:
        return Bad.ID_TOO_HIGH
    return Bad.ID_BITS if msg_id % 4 else None


class Inbox:
    """The latest messages that one session received."""

    def __init__(self) -> None:
        self._received: dict[int, Received] = {}
        self._ids: list[int] = []  # sorted
        self._floor = 0  # ids up to here have been forgotten

    def find(self, msg_id: int) -> Received | None:
        """Return an earlier message; None for an unknown id."""
        return self._received.get(msg_id)

    def add(self, msg_id: int, seqno: int) -> Received:
        """Remember a message that was accepted."""
        received = self._received[msg_id] = Received(seqno)
        ids = self._ids
        if not ids or ids[-1] < msg_id:
            ids.append(msg_id)
        else:
            ids.insert(bisect_left(ids, msg_id), msg_id)
        if len(ids) > REMEMBERED:
            self._forget(REMEMBERED // 2)
        return received

    def clear(self) -> None:
        """Start again, as for a new session."""
        self._received.clear()
        self._ids.clear()
        self._floor = 0

    def _forget(self, count: int) -> None:
        self._floor = self._ids[count - 1]
        for msg_id in self._ids[:count]:
            del self._received[msg_id]
        del self._ids[:count]

    def verdict(self, msg_id: int, seqno: int) -> Bad | None:
        """Check a new message against the earlier ones; None where nothing is wrong."""
        if msg_id % 4:
            return Bad.ID_BITS
        if msg_id <= self._floor:
            return Bad.TOO_OLD
        place = bisect_left(self._ids, msg_id)
        tie = seqno % 2  # an equal seqno is only wrong on a message that counts
        if place and self._seqno(place - 1) >= seqno + 1 - tie:
            return Bad.SEQNO_TOO_LOW
        if place < len(self._ids) and self._seqno(place) <= seqno - 1 + tie:
            return Bad.SEQNO_TOO_HIGH
        return None

    def _seqno(self, place: int) -> int:
        return self._received[self._ids[place]].seqno

    def state(self, msg_id: int) -> int:
        """Return the status byte of https://core.telegram.org/mtproto/service_messages_about_messages#informational-message-regarding-status-of-messages."""
        received = self._received.get(msg_id)
        if received is None:
            if msg_id <= self._floor:
                return 1  # nothing is known
            return 3 if not self._ids or msg_id > self._ids[-1] else 2  # not received; 3: not yet
        answered = 64 | 32 | 8 if received.answer_id else 0
        return 4 | answered | (0 if received.seqno % 2 else 16)
