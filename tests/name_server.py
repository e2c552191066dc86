"""A real name server on loopback, UDP and TCP, that says what its zone tells it to."""

from __future__ import annotations

import asyncio
import ipaddress
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import cast

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

_CHAIN_MAX = 8


class Odd(Enum):
    """What a name server does instead of answering."""

    DROP = "drop"
    REFUSE = "refuse"
    SERVFAIL = "servfail"
    GARBAGE = "garbage"
    TRUNCATED = "truncated"
    """192.0.2.53, but over TCP alone."""
    TRUNCATED_GARBAGE = "truncated garbage"


Records = list[str] | str | Odd
"""Addresses of both families, or the target of a CNAME, or something odd; [] has no record."""


@dataclass
class NameServer:
    """`zone` may be changed while it runs; `*.x.test` in it is a wildcard.

    `queries` are the questions, as `a.test AAAA`; `odd` is what is odd for one of them alone.
    While `held` is clear no answer goes out. `open_at_once` is how many waited at most.
    """

    zone: dict[str, Records]
    address: str = ""
    queries: list[str] = field(default_factory=list)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    odd: dict[str, Odd] = field(default_factory=dict)
    open_now: int = 0
    open_at_once: int = 0

    def __post_init__(self) -> None:
        self.held.set()

    async def answer(self, wire: bytes, *, tcp: bool) -> bytes | None:
        """The bytes to send back; None for silence."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        asked = f"{name} {kind}"
        self.queries.append(asked)
        self.open_now += 1
        self.open_at_once = max(self.open_at_once, self.open_now)
        await self.held.wait()
        self.open_now -= 1
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        records = self.odd.get(asked, self._records(name))
        if isinstance(records, Odd):
            return _odd(records, response, wire, tcp=tcp)
        response.set_rcode(self._fill(response, name, kind))
        return response.to_wire()

    def _records(self, name: str) -> Records | None:
        wild = f"*.{name.partition('.')[2]}"
        return self.zone.get(name, self.zone.get(wild))

    def _fill(self, response: dns.message.Message, name: str, kind: str) -> dns.rcode.Rcode:
        for _ in range(_CHAIN_MAX):
            records = self._records(name)
            if records is None:
                return dns.rcode.NXDOMAIN
            if not isinstance(records, str):
                break
            response.answer.append(_rrset(name, "CNAME", f"{records}."))
            name = records
        mine = (
            []
            if records is None or isinstance(records, Odd | str)
            else [r for r in records if _kind(r) == kind]
        )
        if mine:
            response.answer.append(_rrset(name, kind, *mine))
        return dns.rcode.NOERROR


def _rrset(name: str, kind: str, *texts: str) -> dns.rrset.RRset:
    return dns.rrset.from_text(f"{name}.", 60, dns.rdataclass.IN, kind, *texts)


def _kind(address: str) -> str:
    return "AAAA" if ipaddress.ip_address(address).version == 6 else "A"


def _odd(odd: Odd, response: dns.message.Message, wire: bytes, *, tcp: bool) -> bytes | None:
    if odd is Odd.DROP:
        return None
    if odd is Odd.GARBAGE or (odd is Odd.TRUNCATED_GARBAGE and tcp):
        return wire[:2] + b"\xff" * 30
    if odd in (Odd.REFUSE, Odd.SERVFAIL):
        refused = odd is Odd.REFUSE
        response.set_rcode(dns.rcode.REFUSED if refused else dns.rcode.SERVFAIL)
    elif not tcp:
        response.flags |= dns.flags.TC
    elif response.question[0].rdtype == dns.rdatatype.A:
        name = response.question[0].name.to_text(omit_final_dot=True)
        response.answer.append(_rrset(name, "A", "192.0.2.53"))
    return response.to_wire()


class _Udp(asyncio.DatagramProtocol):
    """Each datagram is a question."""

    def __init__(self, server: NameServer) -> None:
        self._server, self._tasks = server, set[asyncio.Task[None]]()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what to answer by."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one question."""
        task = asyncio.create_task(self._reply(data, addr))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reply(self, data: bytes, addr: tuple[str, int]) -> None:
        content = await self._server.answer(data, tcp=False)
        if content is not None:
            self._transport.sendto(content, addr)

    async def ended(self) -> None:
        """Give up what is being answered."""
        self._transport.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def name_server(
    zone: dict[str, Records], host: str = "127.0.0.1"
) -> AsyncIterator[NameServer]:
    """A name server for this zone, while the block runs."""
    server = NameServer(zone)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            size = struct.unpack("!H", await reader.readexactly(2))[0]
            content = await server.answer(await reader.readexactly(size), tcp=True)
            if content is not None:
                writer.write(struct.pack("!H", len(content)) + content)
                await writer.drain()
        writer.close()

    async with await asyncio.start_server(talk, host, 0) as tcp:
        port = tcp.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        _, udp = await loop.create_datagram_endpoint(lambda: _Udp(server), (host, port))
        server.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            yield server
        finally:
            server.held.set()
            await udp.ended()
