"""Dispatches requests: each goes to the service method marked as its handler, and the result is the reply."""

import inspect
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from telethon.tl import TLRequest, types
from telethon.tl.alltlobjects import LAYER
from telethon.tl.functions import (
    InitConnectionRequest,
    InvokeAfterMsgRequest,
    InvokeAfterMsgsRequest,
    InvokeWithLayerRequest,
    InvokeWithoutUpdatesRequest,
)

from bot.sandbox.faults import Faults, Hold
from bot.sandbox.protocol.keys import Auth
from bot.sandbox.protocol.session import Session
from bot.sandbox.protocol.tl import serialise

log = logging.getLogger(__name__)

MAX_CALLS = 20_000  # calls kept; the older half is dropped when there are more

_WRAPPERS = (
    InvokeWithLayerRequest,
    InitConnectionRequest,
    InvokeWithoutUpdatesRequest,
    InvokeAfterMsgRequest,
    InvokeAfterMsgsRequest,
)


class RpcError(Exception):
    """An error that the client gets as the answer: RpcError(400, "CHANNEL_INVALID")."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


class UnknownRequestError(RpcError):
    """A request that no service handles; it is listed in Dispatcher.unknown."""

    def __init__(self, name: str) -> None:
        super().__init__(400, f"INPUT_METHOD_INVALID_{name}")
        self.name = name


@dataclass(slots=True)
class Caller:
    """The session that a request came by, and so who asks."""

    session: Session
    msg_id: int = 0  # of the request

    @property
    def auth(self) -> Auth:
        """The authorisation key of the request; a service that signs an account in sets its `account_id`."""
        return self.session.auth

    @property
    def account_id(self) -> int | None:
        """The account that is signed in, if any."""
        return self.session.auth.account_id

    @property
    def layer(self) -> int | None:
        """The TL layer that the client speaks."""
        return self.session.auth.layer


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request as it came, without its invokeWith… wrappers."""

    at: datetime
    name: str  # class name without «Request»
    request: TLRequest
    account_id: int | None  # who was signed in at that moment


@dataclass(frozen=True, slots=True)
class RpcReply:
    """The answer to a request: a serialised result, or an rpc_error."""

    body: bytes  # the serialised result or rpc_error
    failed: bool = False  # an rpc_error, which also fails requests that wait for this one by invokeAfterMsg
    lost: bool = False  # cut the connection instead of sending it (Faults.lose_reply)


Handler = Callable[[Any, Caller], Awaitable[Any] | Any]
_Marked = TypeVar("_Marked", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class _Mark:
    requests: tuple[type[TLRequest], ...]
    anonymous: bool


def handles(*requests: type[TLRequest], anonymous: bool = False) -> Callable[[_Marked], _Marked]:
    """Mark a service method as the handler of requests; `anonymous` ones need no account."""

    def mark(method: _Marked) -> _Marked:
        method.__dict__["handles"] = _Mark(requests, anonymous)
        return method

    return mark


def names_of(request: TLRequest) -> tuple[str, str]:
    """Return a request's name without and with its namespace: «SendMessage», «messages.SendMessage»."""
    kind = type(request)
    name = kind.__name__.removesuffix("Request")
    namespace = kind.__module__.removeprefix("telethon.tl.functions").lstrip(".")
    return name, f"{namespace}.{name}" if namespace else name


class Dispatcher:
    """Finds the handler of a request among the methods of the services, and turns its result or error into a reply."""

    def __init__(self, services: Iterable[object], faults: Faults, now: Callable[[], datetime]) -> None:
        self.calls: list[Call] = []
        self.unknown: list[str] = []
        self.crashes: list[BaseException] = []
        self._faults = faults
        self._now = now
        self._handlers: dict[type[TLRequest], tuple[Handler, bool]] = {}
        for service in services:
            self._collect(service)

    def _collect(self, service: object) -> None:
        for method, mark in _marked(service):
            for request in mark.requests:
                if request in self._handlers:
                    raise ValueError(f"{request.__name__} is handled twice, also by {method!r}")
                self._handlers[request] = method, mark.anonymous

    def answer(self, request: TLRequest, caller: Caller) -> RpcReply | Coroutine[Any, Any, RpcReply]:
        """Return the reply, or a coroutine of it where the handler is asynchronous or the reply is held back."""
        try:
            unwrapped, after = _unwrap(request, caller.session)
        except RpcError as error:
            return self._refusal(error)
        if after:
            return self._answer_after(after, unwrapped, caller)
        return self._answer_now(unwrapped, caller)

    async def _answer_after(self, after: list[int], request: TLRequest, caller: Caller) -> RpcReply:
        for msg_id in after:
            if msg_id == caller.msg_id or not await caller.session.succeeds(msg_id):
                return self._refusal(RpcError(400, "MSG_WAIT_FAILED"))
        reply = self._answer_now(request, caller)
        return reply if isinstance(reply, RpcReply) else await reply

    def _answer_now(self, request: TLRequest, caller: Caller) -> RpcReply | Coroutine[Any, Any, RpcReply]:
        try:
            result = self._call(request, caller)
            if inspect.isawaitable(result):
                return self._answer_later(request, result)
            reply = self._reply(request, result)
        except Exception as error:  # noqa: BLE001 - the guard around foreign code: recorded for the test, then answered
            reply = self._refusal(error)
        return self._apply_faults(request, reply)

    async def _answer_later(self, request: TLRequest, result: Awaitable[Any]) -> RpcReply:
        try:
            reply = self._reply(request, await result)
        except Exception as error:  # noqa: BLE001 - the guard around foreign code: recorded for the test, then answered
            reply = self._refusal(error)
        passed = self._apply_faults(request, reply)
        return passed if isinstance(passed, RpcReply) else await passed

    def _reply(self, request: TLRequest, result: Any) -> RpcReply:  # noqa: ANN401 - whatever the handler returns
        return RpcReply(serialise(self._faults.reshape_result(names_of(request), result)))

    def _call(self, request: TLRequest, caller: Caller) -> Any:  # noqa: ANN401 - whatever the handler returns
        names = names_of(request)
        self._record(names[0], request, caller.account_id)
        if refusal := self._faults.refusal(names, request, caller.account_id):
            raise RpcError(*refusal)
        handler, anonymous = self._handlers.get(type(request), (None, False))
        if handler is None:
            self.unknown.append(names[0])
            raise UnknownRequestError(names[0])
        if caller.account_id is None and not anonymous:
            raise RpcError(401, "SESSION_REVOKED" if caller.auth.revoked else "AUTH_KEY_UNREGISTERED")
        return handler(request, caller)

    def _record(self, name: str, request: TLRequest, account_id: int | None) -> None:
        if len(self.calls) >= MAX_CALLS:
            del self.calls[: MAX_CALLS // 2]
        self.calls.append(Call(at=self._now(), name=name, request=request, account_id=account_id))

    def _refusal(self, error: Exception) -> RpcReply:
        if not isinstance(error, RpcError):
            log.error("a handler of the sandbox failed", exc_info=error)
            self.crashes.append(error)
            error = RpcError(500, "INTERNAL")
        return RpcReply(bytes(types.RpcError(error.code, error.message)), failed=True)

    def _apply_faults(self, request: TLRequest, reply: RpcReply) -> RpcReply | Coroutine[Any, Any, RpcReply]:
        """Return the reply as the faults that strike after the handler leave it."""
        names = names_of(request)
        if self._faults.loses_reply(names, request):
            reply = RpcReply(reply.body, reply.failed, lost=True)
        hold = self._faults.find_hold(names)
        return reply if hold is None else _reply_after(reply, hold)


async def _reply_after(reply: RpcReply, hold: Hold) -> RpcReply:
    await hold.wait()
    return reply


def _marked(service: object) -> Iterator[tuple[Handler, _Mark]]:
    for name, member in inspect.getmembers_static(type(service)):
        mark = getattr(member, "__dict__", {}).get("handles")
        if isinstance(mark, _Mark):
            yield getattr(service, name), mark


def _unwrap(request: TLRequest, session: Session) -> tuple[TLRequest, list[int]]:
    """Take off the invokeWith… wrappers and apply them; also return the msg_ids of the requests to wait for."""
    after: list[int] = []
    quiet = False
    while isinstance(request, _WRAPPERS):
        if isinstance(request, InvokeWithLayerRequest):
            _set_layer(session.auth, request.layer)
        elif isinstance(request, InitConnectionRequest):
            _introduce(session.auth, request)
        elif isinstance(request, InvokeWithoutUpdatesRequest):
            quiet = True
        else:
            after += request.msg_ids if isinstance(request, InvokeAfterMsgsRequest) else [request.msg_id]
        request = request.query
    if not isinstance(request, TLRequest):
        raise RpcError(400, f"INPUT_METHOD_INVALID_{getattr(request, 'CONSTRUCTOR_ID', 0)}")
    if session.auth.layer is None or session.auth.device_model is None:
        raise RpcError(400, "CONNECTION_NOT_INITED")
    session.wants_updates = session.wants_updates or not quiet
    return request, after


def _set_layer(auth: Auth, layer: int) -> None:
    if layer != LAYER:  # results are written by Telethon's classes, which know one layer
        raise RpcError(400, "CONNECTION_LAYER_INVALID")
    auth.layer = layer


def _introduce(auth: Auth, init: InitConnectionRequest) -> None:
    auth.api_id = init.api_id
    auth.device_model = init.device_model
    auth.system_version = init.system_version
    auth.app_version = init.app_version
    auth.system_lang_code = init.system_lang_code
    auth.lang_code = init.lang_code
