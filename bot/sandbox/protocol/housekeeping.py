"""Answers service messages: pings, acknowledgements, and questions about the state of messages."""

from collections.abc import Callable
from typing import Any

from telethon.tl import TLObject
from telethon.tl.functions import (
    DestroySessionRequest,
    GetFutureSaltsRequest,
    PingDelayDisconnectRequest,
    PingRequest,
    RpcDropAnswerRequest,
)
from telethon.tl.types import (
    DestroySessionNone,
    DestroySessionOk,
    FutureSalts,
    HttpWait,
    MsgResendReq,
    MsgsAck,
    MsgsAllInfo,
    MsgsStateInfo,
    MsgsStateReq,
    Pong,
    RpcAnswerDropped,
    RpcAnswerDroppedRunning,
    RpcAnswerUnknown,
)

from bot.sandbox.protocol.inbox import Inbox
from bot.sandbox.protocol.outbox import Outbox
from bot.sandbox.protocol.salts import Salts


class Housekeeping:
    """Answers the service messages of one session: https://core.telegram.org/mtproto/service_messages."""

    def __init__(self, inbox: Inbox, outbox: Outbox, *, salts: Salts, destroy: Callable[[int], bool]) -> None:
        self._inbox = inbox
        self._outbox = outbox
        self._salts = salts
        self._destroy = destroy
        self._answers: dict[type[TLObject], Callable[[int, Any], TLObject | None]] = {
            MsgsAck: self._acks,
            PingRequest: self._ping,
            PingDelayDisconnectRequest: self._ping,
            GetFutureSaltsRequest: self._future_salts,
            DestroySessionRequest: self._destroy_session,
            RpcDropAnswerRequest: self._drop_answer,
            MsgsStateReq: self._states,
            MsgResendReq: self._resend,
            MsgsStateInfo: self._nothing,
            MsgsAllInfo: self._nothing,
            HttpWait: self._nothing,
        }

    def answer(self, msg_id: int, message: TLObject) -> TLObject | None:
        """Apply a service message and return the answer to its `msg_id`; None where it has none."""
        return self._answers[type(message)](msg_id, message)

    def handles(self, kind: type[TLObject] | None) -> bool:
        """Tell whether messages of this kind are service messages."""
        return kind in self._answers

    def _acks(self, _msg_id: int, message: MsgsAck) -> None:
        for msg_id in message.msg_ids:
            self._outbox.forget(msg_id)

    def _ping(self, msg_id: int, message: PingRequest | PingDelayDisconnectRequest) -> Pong:
        return Pong(msg_id, message.ping_id)

    def _future_salts(self, msg_id: int, message: GetFutureSaltsRequest) -> FutureSalts:
        return FutureSalts(msg_id, self._salts.now(), self._salts.future(message.num))

    def _destroy_session(self, _msg_id: int, message: DestroySessionRequest) -> DestroySessionOk | DestroySessionNone:
        kind = DestroySessionOk if self._destroy(message.session_id) else DestroySessionNone
        return kind(message.session_id)

    def _drop_answer(self, _msg_id: int, message: RpcDropAnswerRequest) -> TLObject:
        received = self._inbox.find(message.req_msg_id)
        if received is None or received.dropped:
            return RpcAnswerUnknown()
        if received.failed is None:
            received.dropped = True
            return RpcAnswerDroppedRunning()
        sent = self._outbox.find(received.answer_id)
        if sent is None:
            return RpcAnswerUnknown()
        self._outbox.forget(sent.msg_id)
        return RpcAnswerDropped(sent.msg_id, sent.seqno, len(sent.body))

    def _states(self, msg_id: int, message: MsgsStateReq | MsgResendReq) -> MsgsStateInfo:
        return MsgsStateInfo(msg_id, bytes(map(self._inbox.state, message.msg_ids)))

    def _resend(self, msg_id: int, message: MsgResendReq) -> MsgsStateInfo | None:
        if not all(map(self._outbox.find, message.msg_ids)):
            return self._states(msg_id, message)
        for wanted in message.msg_ids:
            self._outbox.requeue(wanted)
        return None

    def _nothing(self, _msg_id: int, _message: TLObject) -> None:
        """Ignore messages that change nothing here: http_wait, and states of our own messages."""
