"""A poll that is the very same bytes again: answered before aiohttp, with the very same bytes.

Whoever polls without being held sends one request again and again. What aiohttp and the handler
made of it the first time holds for the next second, as long as the document is in force and the
caller may still come in: both are looked at each time. All else goes the long way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from aiohttp import HttpVersion11, web

from provider.api.door import Admitted
from provider.api.surface import Surface
from provider.departure import Departure
from provider.pollers import Connection
from provider.publication import Publication

# No longer: the answer has a date, and aiohttp closes a connection that it takes for idle.
_FOR_S = 1.0
_READ_BYTES = 256 * 1024
_KEPT_MAX = 2  # with gzip, and without
_POLL = b"GET /traefik/config"
_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Repeat:
    """What a request and its whole answer were."""

    request: bytes
    answer: bytes
    publication: Publication
    connection: Connection
    admitted: Admitted


class Answers:
    """Heads and bodies in one piece: those who ask within one second, alike, share it."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[bytes, bytes]] = {}

    def whole(self, head: bytes, body: bytes) -> bytes:
        """The answer as it is sent."""
        known = self._known.get(head)
        if known is None or known[0] is not body:
            self._known.pop(head, None)
            if len(self._known) >= _KEPT_MAX:
                del self._known[next(iter(self._known))]
            known = self._known[head] = body, head + body
        return known[1]


class RepeatingProtocol(asyncio.BufferedProtocol):
    """One connection: aiohttp's protocol, and before it the polls that are repeated.

    A repeat is answered only between two requests, when nothing of the client's waits in aiohttp:
    after any other request than a poll the connection has none any more.
    """

    def __init__(
        self, surface: Surface, inner: asyncio.Protocol, buffer: bytearray, answers: Answers
    ) -> None:
        self._surface, self._inner, self._answers = surface, inner, answers
        self._view = memoryview(buffer)
        self._out: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._is_between, self._is_full = True, False
        self._asked: bytes | None = None
        self._repeat: Repeat | None = None
        self.departure = Departure()

    @property
    def transport(self) -> asyncio.BaseTransport | None:
        """That of aiohttp's protocol; None when the connection is over."""
        transport: asyncio.BaseTransport | None = getattr(self._inner, "transport", None)
        return transport

    def get_buffer(self, _size_hint: int) -> memoryview:
        """Where the client's bytes go: else asyncio takes 256 KiB anew for each read.

        Over TLS asyncio reads one record after the other into slices of it (`asyncio.sslproto`):
        a slice has to be the same memory, and that of a bytearray is a copy.
        """
        return self._view

    def buffer_updated(self, size: int) -> None:
        """Bytes of the client."""
        data, repeat = bytes(self._view[:size]), self._repeat
        if repeat is not None:
            if data == repeat.request and self._is_answered(repeat):
                return
            self._repeat = None
        self._asked = data if self._is_between and _is_one_poll(data) else None
        self._is_between = False
        self._inner.data_received(data)

    def answered(self, made: Callable[[bytes, Answers], Repeat | None]) -> None:
        """The whole answer to a poll is written; `made` is a repeat of it, from its bytes."""
        asked, self._asked = self._asked, None
        if asked is not None:
            self._is_between = True
            self._repeat = repeat = made(asked, self._answers)
            if repeat is not None:
                self._loop.call_later(_FOR_S, self._forget, repeat)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client came."""
        self._out = cast(asyncio.Transport, transport)  # uvloop's are no subclass
        self._inner.connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """The client is gone."""
        self._out = self._repeat = self._asked = None
        self.departure.come()
        self._inner.connection_lost(error)

    def eof_received(self) -> bool | None:
        """The client sends no more."""
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        """The client reads too slowly: the long way waits for it."""
        self._is_full = True
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """It has read."""
        self._is_full = False
        self._inner.resume_writing()

    def _forget(self, repeat: Repeat) -> None:
        if self._repeat is repeat:
            self._repeat = None

    def _is_answered(self, repeat: Repeat) -> bool:
        surface, out = self._surface, self._out
        if out is None or self._is_full or out.is_closing():
            return False
        if not surface.door.admits_again(repeat.admitted):
            return False
        if not surface.polls.repeated(repeat.connection, repeat.publication):
            return False
        surface.meters.count_request("GET", "/traefik/config", 200)
        out.write(repeat.answer)
        return True


def repeating(
    surface: Surface, factory: Callable[[], asyncio.Protocol]
) -> Callable[[], asyncio.BaseProtocol]:
    """A protocol factory whose connections answer repeated polls at once.

    They share a buffer: what was read into it is taken out before another one is read.
    """
    buffer, answers = bytearray(_READ_BYTES), Answers()
    return lambda: RepeatingProtocol(surface, factory(), buffer, answers)


class PollAnswer(web.Response):
    """The answer to a poll that was not held: it may be repeated."""

    def __init__(
        self, request: web.Request, publication: Publication, body: bytes, **more: Any
    ) -> None:
        super().__init__(body=body, **more)
        self._of, self._publication, self._bytes = request, publication, body

    async def write_eof(self, data: bytes = b"") -> None:
        """Write what is left, and say that it is written."""
        await super().write_eof(data)
        protocol = _protocol_of(self._of)
        if protocol is not None:
            protocol.answered(self._repeat)

    def _repeat(self, asked: bytes, answers: Answers) -> Repeat | None:
        request, admitted = self._of, Admitted.of(self._of)
        is_plain = request.method == "GET" and request.version == HttpVersion11
        is_whole = is_plain and request.keep_alive and not request.body_exists
        if not is_whole or admitted is None or "Expect" in request.headers:
            return None
        lines = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        head = f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode()
        answer = answers.whole(head, self._bytes)
        return Repeat(asked, answer, self._publication, request.task, admitted)


def departure_of(request: web.Request) -> Departure:
    """The departure of the client that asks."""
    protocol = _protocol_of(request)
    return protocol.departure if protocol else Departure(has_come=request.transport is None)


def _protocol_of(request: web.Request) -> RepeatingProtocol | None:
    protocol = request.transport.get_protocol() if request.transport is not None else None
    return protocol if isinstance(protocol, RepeatingProtocol) else None


def _is_one_poll(data: bytes) -> bool:
    return data.startswith(_POLL) and data.find(_END) == len(data) - len(_END)
