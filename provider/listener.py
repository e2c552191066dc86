"""Our own listener: its socket, its TLS, and room for many idle connections."""

from __future__ import annotations

import resource
import socket
import ssl
from pathlib import Path

from registry.errors import StoreUnavailable

_OPEN_FILES = 65536


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
