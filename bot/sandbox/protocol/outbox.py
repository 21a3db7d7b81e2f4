"""The messages for a client: numbered, packed many in a container, and kept until they are acknowledged."""

from collections.abc import Callable
from typing import NamedTuple

from bot.sandbox.protocol.tl import MESSAGE_HEADER, container_header

MAX_KEPT = 512  # unacknowledged messages per session
MAX_KEPT_BYTES = 1 << 24
MAX_PACKED = 100  # messages per container
MAX_PACKED_BYTES = 1 << 20

_RESPONSE, _NOTIFICATION = 1, 3  # the low bits of a server's msg_id


class Sent(NamedTuple):
    """A numbered message for the client."""

    msg_id: int
    seqno: int
    body: bytes
    answer: bool  # it answers a request; pushes are not repeated when a client comes back

    def parts(self) -> tuple[bytes, bytes]:
        """Return the message's header and its body."""
        return MESSAGE_HEADER.pack(self.msg_id, self.seqno, len(self.body)), self.body


class Outbox:
    """The sending half of a session; `clock` gives seconds since 1970."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last_id = 0
        self._counted = 0  # messages so far that need an acknowledgement
        self._waiting: list[Sent] = []
        self._kept: dict[int, Sent] = {}  # in the order they were sent
        self._kept_bytes = 0

    def add(self, body: bytes, *, content: bool, answer: bool = False) -> int:
        """Queue a body and return its msg_id; `content` messages are kept until the client acknowledges them."""
        sent = Sent(self.new_id(answer=answer), self._seqno(content=content), body, answer)
        self._waiting.append(sent)
        if content:
            self._keep(sent)
        return sent.msg_id

    def find(self, msg_id: int | None) -> Sent | None:
        """Return a message that is kept; None for another."""
        return self._kept.get(msg_id) if msg_id is not None else None

    def requeue(self, msg_id: int) -> bool:
        """Queue a kept message once more; False where it is no longer kept."""
        sent = self._kept.get(msg_id)
        if sent is None:
            return False
        if sent not in self._waiting:
            self._waiting.append(sent)
        return True

    def forget(self, msg_id: int) -> None:
        """Drop a message that the client has acknowledged."""
        sent = self._kept.pop(msg_id, None)
        if sent is not None:
            self._kept_bytes -= len(sent.body)

    def requeue_answers(self) -> None:
        """Queue the unacknowledged answers for a client that has reconnected; its pushes are lost."""
        self._waiting = [sent for sent in self._kept.values() if sent.answer]

    def drop(self) -> None:
        """Drop the queue, since the client is away."""
        self._waiting.clear()

    def take(self) -> list[bytes]:
        """Return the parts of the next message to send, a container where several wait; empty where none does."""
        count = self._fitting()
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        if len(batch) <= 1:
            return [part for sent in batch for part in sent.parts()]
        inner = [part for sent in batch for part in sent.parts()]
        head = container_header(len(batch))
        length = len(head) + sum(map(len, inner))
        header = MESSAGE_HEADER.pack(self.new_id(answer=False), self._seqno(content=False), length)
        return [header, head, *inner]

    def _fitting(self) -> int:
        size = 0
        for count, sent in enumerate(self._waiting[:MAX_PACKED]):
            size += len(sent.body)
            if size > MAX_PACKED_BYTES and count:
                return count
        return MAX_PACKED

    def new_id(self, *, answer: bool) -> int:
        """Return a msg_id for now, above all before it unless the clock was set back."""
        now = self._clock()
        msg_id = (int(now) << 32) | (int(now % 1 * (1 << 32)) & ~3)
        if msg_id <= self._last_id and self._last_id - msg_id < 1 << 33:  # under two seconds is no set-back
            msg_id = (self._last_id & ~3) + 4
        self._last_id = msg_id | (_RESPONSE if answer else _NOTIFICATION)
        return self._last_id

    def _seqno(self, *, content: bool) -> int:
        seqno = self._counted * 2 + content
        self._counted += content
        return seqno

    def _keep(self, sent: Sent) -> None:
        self._kept[sent.msg_id] = sent
        self._kept_bytes += len(sent.body)
        while len(self._kept) > MAX_KEPT or (self._kept_bytes > MAX_KEPT_BYTES and len(self._kept) > 1):
            self.forget(next(iter(self._kept)))
