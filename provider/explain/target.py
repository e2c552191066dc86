"""A URL as people write it, to the request that a client makes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from provider.explain.paths import cleaned, routing_path
from registry.errors import FieldError, InvalidRecord
from registry.names import canonical_host

_URL = re.compile(r"(https?)://([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?\Z", re.IGNORECASE)
_AUTHORITY = re.compile(r"(\[[^\]]*\]|[^:]*)(?::(\d{0,5}))?\Z", re.ASCII)
_WRONG_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_AS_TYPED = "".join(map(chr, range(0x21, 0x7F)))
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """One request. `host` is canonical, `host_header` with the port where it is not the usual.

    `raw` is the request target as a client sends it; `path` is what Traefik makes of its path, and
    `routing_path` what rules are compared with. `query` is None without a question mark.
    """

    url: str
    tls: bool
    host: str
    host_header: str
    raw: str
    path: str
    routing_path: str
    query: str | None


def target_of(url: str) -> Target:
    """The request for a URL. A fragment is dropped, as clients do. Raises InvalidRecord."""
    found = _URL.match(url.strip())
    if found is None:
        raise _wrong("not a URL such as https://app.test/path: http or https, and a host")
    scheme, authority, path, query = found[1].lower(), found[2], found[3] or "/", found[4]
    host, port = _host(authority)
    raw = _sendable(path)
    if _WRONG_ESCAPE.search(raw):
        raise _wrong("'%' is followed by no two hex digits: Traefik answers 400")
    asked = _sendable(query) if query else ""
    clean = cleaned(raw)
    bracketed = f"[{host}]" if ":" in host else host
    return Target(
        url=f"{scheme}://{bracketed}{f':{port}' if port else ''}{raw}{asked}",
        tls=scheme == "https",
        host=host,
        host_header=bracketed if port in (None, _PORTS[scheme]) else f"{bracketed}:{port}",
        raw=raw + asked,
        path=clean,
        routing_path=routing_path(clean),
        query=asked[1:] if query else None,
    )


def _host(authority: str) -> tuple[str, int | None]:
    if "@" in authority:
        raise _wrong("user information is not taken: it has no say in routing")
    found = _AUTHORITY.match(authority)
    if found is None or not found[1]:
        raise _wrong("no host, or no port, can be read in it")
    port = int(found[2]) if found[2] else None
    if port is not None and not 0 < port < 65536:
        raise _wrong("the port is not from 1 to 65535")
    try:
        return canonical_host(found[1]), port
    except ValueError as error:
        raise _wrong(f"the host: {error}") from error


def _sendable(text: str) -> str:
    """As clients send it: what is not ASCII, and spaces, are escaped."""
    if any(ord(character) < 0x20 or character == "\x7f" for character in text):
        raise _wrong("it has a control character")
    return quote(text, safe=_AS_TYPED, errors="replace")


def _wrong(reason: str) -> InvalidRecord:
    return InvalidRecord("the URL is wrong", [FieldError("/url", reason)])
