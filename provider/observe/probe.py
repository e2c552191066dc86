"""One GET through a Traefik: what comes back, and the certificate that is shown. I/O only."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

PROBE_S = 2.0
HEAD_BYTES_MAX = 16 * 1024
BODY_BYTES_MAX = 4 * 1024
_NAMES_MAX = 20


@dataclass(frozen=True, slots=True)
class Door:
    """Where to ask: an address of a Traefik that the settings name, and one of its entrypoints."""

    host: str
    port: int
    tls: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A certificate, not verified. `fingerprint` is the SHA-256 of its DER, in hex."""

    subject: str
    names: tuple[str, ...]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Probed:
    """What came back. `error` says why there is no `status`; `body` is its first few KiB."""

    status: int | None = None
    content_type: str = ""
    location: str | None = None
    body: bytes = b""
    certificate: Shown | None = None
    error: str | None = None


async def probe(door: Door, host: str, host_header: str, raw: str) -> Probed:
    """Ask for `raw`, which has neither spaces nor control characters, as it stands.

    SNI is `host`. No redirect is followed, nothing is verified. Never raises for what comes back.
    """
    try:
        async with asyncio.timeout(PROBE_S):
            return await _asked(door, host, host_header, raw)
    except TimeoutError:
        return Probed(error=f"no answer within {PROBE_S:g} seconds")
    except (OSError, ValueError, EOFError) as error:  # ssl.SSLError is an OSError
        return Probed(error=f"{type(error).__name__}: {error}"[:300])


async def _asked(door: Door, host: str, host_header: str, raw: str) -> Probed:
    reader, writer = await asyncio.open_connection(
        door.host,
        door.port,
        limit=HEAD_BYTES_MAX,
        ssl=_trusting() if door.tls else None,
        server_hostname=host if door.tls else None,
    )
    try:
        tunnel = writer.get_extra_info("ssl_object")
        certificate = _shown(tunnel.getpeercert(binary_form=True)) if tunnel else None
        writer.write(
            f"GET {raw} HTTP/1.1\r\nHost: {host_header}\r\nUser-Agent: routebook-probe\r\n"
            "Accept: */*\r\nConnection: close\r\n\r\n".encode("ascii")
        )
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            raise ValueError(f"headers of more than {HEAD_BYTES_MAX} bytes") from None
        body = await _start_of(reader)
    finally:
        writer.transport.abort()
    status, headers = _parsed(head)
    return Probed(
        status=status,
        content_type=headers.get("content-type", ""),
        location=headers.get("location"),
        body=body,
        certificate=certificate,
    )


async def _start_of(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while len(body) < BODY_BYTES_MAX:
        more = await reader.read(BODY_BYTES_MAX - len(body))
        if not more:
            break
        body += more
    return body


def _parsed(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    if not version.startswith("HTTP/1.") or not rest[:3].isdigit():
        raise ValueError("not an answer of HTTP/1.1")
    pairs = (line.partition(":") for line in lines if line)
    return int(rest[:3]), {name.lower(): value.strip()[:2000] for name, _, value in pairs}


def _trusting() -> ssl.SSLContext:
    """The certificate is reported, not judged: which one is shown is what people want to see."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _shown(der: bytes | None) -> Shown | None:
    if not der:
        return None
    certificate = x509.load_der_x509_certificate(der)
    try:
        san = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = [str(name.value) for name in san]
    except (x509.ExtensionNotFound, ValueError):
        names = []
    return Shown(
        subject=certificate.subject.rfc4514_string(),
        names=tuple(names[:_NAMES_MAX]),
        fingerprint=certificate.fingerprint(SHA256()).hex(),
    )
