"""Paths as Traefik has them: what it routes by, and what an upstream sees of them.

Source: traefik `pkg/server/server_entrypoint_tcp.go` (normalizePath, sanitizePath),
`pkg/muxer/http/mux.go` (withRoutingPath), `pkg/middlewares/stripprefix`, `addprefix`; Go `net/url`.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_RESERVED = frozenset(":/?#[]@!$&'()*+,;=%")
_GO_LEAVES = "$&+,/:;=@-._~"  # net/url shouldEscape, encodePath
_VALID = re.compile(r"[A-Za-z0-9!$&'()*+,;=:@\[\]%/._~-]*\Z")  # net/url validEncoded


def cleaned(raw: str) -> str:
    """The path that Traefik goes on with, escaped; `raw` is as in the request, its escapes valid.

    Unreserved characters are decoded, other escapes upper-cased, empty and dot segments resolved.
    """
    path = _ESCAPE.sub(_normal, raw)
    if not _VALID.match(path):
        # Go encodes such a path anew, and forgets which slashes were escaped.
        path = quote(unquote_to_bytes(path), safe=_GO_LEAVES)
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts[-1:] = []
        elif part not in ("", "."):
            parts.append(part)
    tail = "/" if parts and path.endswith("/") else ""
    return f"/{'/'.join(parts)}{tail}"


def routing_path(escaped: str) -> str:
    """What rules are compared with: of a cleaned path, only reserved characters stay escaped."""
    kept = re.sub(r"%(?:[0-9A-F]{2})", _unless_reserved, escaped)
    return unquote_to_bytes(kept.encode()).decode(errors="surrogateescape")


def upstream_target(escaped: str, query: str | None, strip: str | None, add: str | None) -> str:
    """The request target that the upstream gets. `query` None: there was no question mark."""
    path = escaped.removeprefix(strip) if strip else escaped
    path = f"{add or ''}{path}" or "/"
    # Go's proxy takes `;` for `&`.
    return path if query is None else f"{path}?{query.replace(';', '&')}"


def _normal(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    return character if character in _UNRESERVED else escape[0].upper()


def _unless_reserved(escape: re.Match[str]) -> str:
    # An escaped `%` stays one when everything else is decoded.
    return f"%25{escape[0][1:]}" if chr(int(escape[0][1:], 16)) in _RESERVED else escape[0]
