"""A client that costs little: HTTP/1.1 over raw sockets, bodies as they come, not decompressed."""

from __future__ import annotations

import asyncio
import json
import selectors
import socket
import time
from dataclasses import dataclass, field

_END = b"\r\n\r\n"
_LIMIT_BYTES = 1 << 28


def request(path: str, *headers: str, host: str = "127.0.0.1") -> bytes:
    """The bytes of a GET."""
    lines = (f"GET {path} HTTP/1.1", f"Host: {host}", *headers)
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def patch(path: str, document: object) -> bytes:
    """The bytes of a PATCH with a JSON body."""
    body = json.dumps(document).encode()
    lines = (f"PATCH {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json")
    return "\r\n".join((*lines, f"Content-Length: {len(body)}", "", "")).encode() + body


GZIP = "Accept-Encoding: gzip"


def quiet_s(environments: int) -> float:
    """So long after a document a held poll is given the next one at once (decision 0019)."""
    return 0.3 + environments * 0.00025


@dataclass
class Connection:
    """One connection, kept alive."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def to(cls, port: int) -> Connection:
        """A connection to a port of loopback."""
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=_LIMIT_BYTES))

    async def ask(self, wanted: bytes) -> tuple[bytes, bytes]:
        """Headers and body of the answer. Raises RuntimeError for any status but 200."""
        self.writer.write(wanted)
        head = await self.reader.readuntil(_END)
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        return head, await self.reader.readexactly(length_of(head))

    def close(self) -> None:
        """Hang up."""
        self.writer.close()


def length_of(head: bytes) -> int:
    """Content-Length. Raises ValueError without one."""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise ValueError("no Content-Length")


@dataclass
class Poll:
    """A held poll, as Traefik's, gzip accepted."""

    connection: Connection
    last: bytes = b""
    _wanted: bytes = field(default=b"")

    @classmethod
    async def of(cls, port: int) -> Poll:
        """One that has had the document in force."""
        poll = cls(await Connection.to(port), _wanted=request("/traefik/config", GZIP))
        await poll.next()
        return poll

    async def next(self) -> float:
        """Waits for another document than the last; when its last byte was here."""
        before = self.last
        while self.last == before:
            _, self.last = await self.connection.ask(self._wanted)
        return time.perf_counter()

    def close(self) -> None:
        """Hang up."""
        self.connection.close()


def rate(port: int, wanted: bytes, *, seconds: float, connections: int = 4) -> float:
    """Answers a second over so many connections, each asking again at once. Blocks the caller."""
    with selectors.DefaultSelector() as selector:
        clients = [_Asking(port, wanted) for _ in range(connections)]
        for client in clients:
            selector.register(client.socket, selectors.EVENT_READ, client)
        try:
            start_s = time.perf_counter()
            for client in clients:
                client.ask()
            answered = 0
            while time.perf_counter() - start_s < seconds:
                for key, _ in selector.select(1.0):
                    answered += key.data.read()
            return answered / (time.perf_counter() - start_s)
        finally:
            for client in clients:
                client.socket.close()


class _Asking:
    """Asks, and again when the whole answer is here."""

    def __init__(self, port: int, wanted: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._wanted, self._head, self._left = wanted, b"", 0
        self._buffer = bytearray(1 << 20)

    def ask(self) -> None:
        """Send the request."""
        self.socket.sendall(self._wanted)

    def read(self) -> int:
        """1 when an answer is complete, and the next was asked for."""
        size = self.socket.recv_into(self._buffer)
        if not size:
            raise ConnectionError("the server hung up")
        if self._left:
            self._left -= size
        else:
            self._head += self._buffer[:size]
            end = self._head.find(_END)
            if end < 0:
                return 0
            if not self._head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(self._head[:end].decode())
            self._left = length_of(self._head[:end]) - (len(self._head) - end - len(_END))
            self._head = b""
        if self._left:
            return 0
        self.ask()
        return 1
