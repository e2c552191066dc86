"""Requests as bytes: nothing between a test and Traefik tidies a host, a path or a name in TLS."""

from __future__ import annotations

import asyncio
import inspect
import json
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, TypeVar

from cryptography import x509

T = TypeVar("T")
DEADLINE_S = 40.0
_ANSWER_S = 20.0
_LOOK_AGAIN_S = 0.01
_ANSWERS_MIN = 12


@dataclass(frozen=True)
class Answer:
    """A status, what the upstream says it saw, and over TLS the certificate that was presented."""

    status: int
    seen: dict[str, Any] = field(default_factory=dict)
    certificate: x509.Certificate | None = None

    @property
    def upstream(self) -> str | None:
        """The upstream's name; None when none answered."""
        return self.seen.get("upstream")

    @property
    def path(self) -> str | None:
        """The path that the upstream was asked for."""
        return self.seen.get("path")

    @property
    def common_name(self) -> str:
        """The certificate's CN."""
        assert self.certificate is not None
        return str(
            self.certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value
        )


async def ask(
    port: int, host: str | None, target: str = "/", *, tls: bool = False, sni: str | None = None
) -> Answer:
    """One GET on a connection of its own; over TLS the SNI is the host, unless given.

    Raises OSError (ssl.SSLError too) when there is no answer.
    """
    async with asyncio.timeout(_ANSWER_S):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1",
            port,
            ssl=_anyone() if tls else None,
            server_hostname=(sni or host) if tls else None,
        )
        try:
            host_line = f"Host: {host}\r\n" if host is not None else ""
            writer.write(f"GET {target} HTTP/1.1\r\n{host_line}Connection: close\r\n\r\n".encode())
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            tunnel = writer.get_extra_info("ssl_object")
            der = tunnel.getpeercert(binary_form=True) if tunnel else None
        finally:
            writer.close()
    if not head:
        raise ConnectionError("closed without an answer")
    return Answer(
        status=int(head.split(b" ", 2)[1]),
        seen=json.loads(body) if b"x-upstream:" in head.lower() else {},
        certificate=x509.load_der_x509_certificate(der) if der else None,
    )


async def eventually(check: Callable[[], Any], deadline_s: float = DEADLINE_S) -> Any:
    """What `check` returns, sync or async, as soon as it raises neither assertion nor OSError."""
    end_s = time.monotonic() + deadline_s
    while True:
        try:
            outcome = check()
            return await outcome if inspect.isawaitable(outcome) else outcome
        except (AssertionError, OSError):
            if time.monotonic() > end_s:
                raise
        await asyncio.sleep(_LOOK_AGAIN_S)


@asynccontextmanager
async def hammered(
    port: int, host: str, target: str = "/", *, tls: bool = False
) -> AsyncIterator[list[Answer]]:
    """One request after the other until the end, each on a connection, or in a TLS handshake, of
    its own; every one of them must be answered with 200. The first one is there at the start."""
    answers: list[Answer] = []
    stop = asyncio.Event()

    async def go_on() -> None:
        while not stop.is_set() or len(answers) < _ANSWERS_MIN:
            answers.append(await ask(port, host, target, tls=tls))
            await asyncio.sleep(_LOOK_AGAIN_S)

    client = asyncio.create_task(go_on())
    try:
        while not answers and not client.done():
            await asyncio.sleep(_LOOK_AGAIN_S)
        yield answers
    finally:
        stop.set()
        await client
    assert [each for each in answers if each.status != 200] == []


async def seen_last(answers: Sequence[Answer], number: int) -> None:
    """Wait until who hammers is shown the certificate of this serial number."""

    def check() -> None:
        certificate = answers[-1].certificate
        assert certificate is not None
        assert certificate.serial_number == number

    await eventually(check)


def in_turn(seen: Iterable[T]) -> list[T]:
    """Each once for each time that it came to be seen: of A A B B A it is A B A."""
    return [each for each, _ in groupby(seen)]


def _anyone() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loads no authorities: much cheaper
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
