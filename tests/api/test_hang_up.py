"""A client that hangs up while its poll is held, however it does that, plainly or over TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.conftest import StartDaemon
from tests.daemons import Daemon, call, eventually

REQUEST = b"GET /traefik/config HTTP/1.1\r\nHost: localhost\r\nUser-Agent: %s\r\n\r\n"
PLAIN, TLS = False, True


def close(client: socket.socket) -> None:
    """In an orderly way."""
    client.close()


def reset(client: socket.socket) -> None:
    """With an RST, as a process that is killed."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def half_close(client: socket.socket) -> None:
    """A FIN, and the connection stays open for what we answer."""
    client.shutdown(socket.SHUT_WR)


def notify(client: socket.socket) -> None:
    """TLS's own end, with the connection below left open."""
    assert isinstance(client, ssl.SSLSocket)
    client.unwrap()


def polled(port: int, name: str, trust: ssl.SSLContext | None) -> socket.socket:
    """A connection that had one answer, and sent its second poll."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=10)
    client = trust.wrap_socket(plain, server_hostname="localhost") if trust else plain
    client.sendall(REQUEST % name.encode())
    assert client.recv(65536).startswith(b"HTTP/1.1 200")
    client.sendall(REQUEST % name.encode())
    return client


@pytest.mark.parametrize(
    ("tls", "hang_up"),
    [
        *((PLAIN, way) for way in (close, reset, half_close)),
        *((TLS, way) for way in (close, reset, half_close, notify)),
    ],
)
async def test_its_hold_ends_at_once(
    start_daemon: StartDaemon,
    pair: tuple[Path, Path],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    tls: bool,
    hang_up: Callable[[socket.socket], None],
) -> None:
    flags = [f"--tls-cert-file={pair[0]}", f"--tls-key-file={pair[1]}"] if tls else []
    daemon = await start_daemon("--hold-s", "60", *flags)
    trust = ssl.create_default_context(cafile=str(pair[0])) if tls else None
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(asking(daemon, trust))

        async def pollers() -> list[dict[str, Any]]:
            answer = await call(session, "GET", "/api/health")
            listed = answer.value["metrics"]["router"]["pollers"]
            return [each for each in listed if each["user_agent"] == "hangs up"]

        async def is_held() -> None:
            assert [each["held"] for each in await pollers()] == [True]

        async def is_gone() -> None:
            (each,) = await pollers()
            assert each["gone_at"] is not None
            assert each["held"] is False

        client = await asyncio.to_thread(polled, daemon.port, "hangs up", trust)
        stack.enter_context(closing(client))
        await eventually(is_held)
        await asyncio.to_thread(hang_up, client)
        await eventually(is_gone)
    assert "Traceback" not in capfd.readouterr().err
    assert [each.getMessage() for each in caplog.records if each.exc_info] == []


def asking(daemon: Daemon, trust: ssl.SSLContext | None) -> aiohttp.ClientSession:
    """A client that asks how things are."""
    scheme = "https" if trust else "http"
    connector = aiohttp.TCPConnector(ssl=trust) if trust else None
    return aiohttp.ClientSession(f"{scheme}://localhost:{daemon.port}", connector=connector)
