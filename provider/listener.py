"""Our own listener: its socket, its TLS, and room for many idle connections."""

from __future__ import annotations

import asyncio
import resource
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from weakref import WeakSet

from registry.errors import StoreUnavailable

_OPEN_FILES = 65536
_BACKLOG = 1024
SILENT_S = 30.0


class SilentClients:
    """Closes connections that have not sent one whole request `silent_s` after they came.

    aiohttp bounds the time between two requests of a connection, and none before the first.
    """

    def __init__(self, silent_s: float = SILENT_S) -> None:
        self._silent_s = silent_s
        self._heard: WeakSet[asyncio.BaseProtocol] = WeakSet()

    def heard(self, transport: asyncio.BaseTransport | None) -> None:
        """A whole request came on this connection; None when it is gone already."""
        if transport is not None:
            # Not the transport: uvloop's over TLS takes no weak reference.
            self._heard.add(transport.get_protocol())

    def watched(
        self, factory: Callable[[], asyncio.BaseProtocol]
    ) -> Callable[[], asyncio.BaseProtocol]:
        """A protocol factory whose connections have to speak in time."""

        def make() -> asyncio.BaseProtocol:
            protocol = factory()
            asyncio.get_running_loop().call_later(self._silent_s, self._close_silent, protocol)
            return protocol

        return make

    def _close_silent(self, protocol: asyncio.BaseProtocol) -> None:
        transport = getattr(protocol, "transport", None)
        if transport is not None and protocol not in self._heard:
            transport.close()


async def accept(
    factory: Callable[[], asyncio.BaseProtocol], listener: socket.socket, tls: ssl.SSLContext | None
) -> asyncio.Server:
    """Accept connections on a bound socket; the caller closes the server."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(factory, sock=listener, ssl=tls, backlog=_BACKLOG)


def bound(host: str, port: int) -> socket.socket:
    """A socket bound to an address; port 0 takes a free one. Raises StoreUnavailable."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise StoreUnavailable(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return listener


def tls_context(cert_file: Path | None, key_file: Path | None) -> ssl.SSLContext | None:
    """TLS with this pair; None without one. Raises ValueError when it is no usable pair."""
    if cert_file is None or key_file is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(cert_file, key_file)
    except OSError as error:
        raise ValueError(f"tls_cert_file, tls_key_file: no usable pair: {error}") from error
    return context


def raise_open_files() -> None:
    """Idle connections are cheap for us; the default limit of 1,024 files would end polls."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
