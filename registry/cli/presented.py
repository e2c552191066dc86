"""A TLS handshake as a client makes it: which certificate is presented, and who trusts it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import NamedTuple

TIMEOUT_S = 5.0


class Address(NamedTuple):
    """Where Traefik listens."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class NoHandshake(Exception):
    """Nothing listens there, or what does speaks no TLS for this name."""


def presented_certificate(address: Address, host: str) -> bytes:
    """The leaf, in DER, that is presented for this host name (SNI). Raises NoHandshake."""
    anyone = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anyone.check_hostname = False
    anyone.verify_mode = ssl.CERT_NONE
    try:
        return _handshake(address, host, anyone)
    except OSError as error:
        raise NoHandshake(
            f"no TLS handshake with {address} for {host}: {_reason(error)}"
        ) from error


def distrust(address: Address, host: str, context: Callable[[], ssl.SSLContext]) -> str | None:
    """Why a client with this context does not trust what is presented; None when it does.

    Of the chain alone: whether the certificate covers the host is another question.
    """
    try:
        trusting = context()
        trusting.check_hostname = False
        _handshake(address, host, trusting)
    except ssl.SSLCertVerificationError as error:
        return str(error.verify_message)
    except (OSError, ValueError) as error:
        return _reason(error)
    return None


def _handshake(address: Address, host: str, context: ssl.SSLContext) -> bytes:
    with (
        socket.create_connection(address, TIMEOUT_S) as plain,
        context.wrap_socket(plain, server_hostname=host) as tunnel,
    ):
        return tunnel.getpeercert(binary_form=True) or b""


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return str(error.reason or error)
    return str(getattr(error, "strerror", None) or error)
