"""Open mode: no accounts, so only local callers are answered, and no one through them.

A page in a browser can reach a loopback port by DNS rebinding, and a route of our own could lead
back to us: both show in the headers.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from urllib.parse import urlsplit

_HOST = re.compile(r"^(\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(?::[0-9]+)?\Z")
_HOSTS_MAX = 256
_FORWARDED = ("forwarded", "x-forwarded-")


@lru_cache(_HOSTS_MAX)  # those who call say the same one again and again
def is_local(host: str) -> bool:
    """Whether a host without port is `localhost` or a loopback literal."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host.lower() == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def forwarded_by(headers: Mapping[str, str]) -> str | None:
    """The header that says so, where a request came through a proxy."""
    return next((each for each in headers if each.lower().startswith(_FORWARDED)), None)


def refusal(headers: Mapping[str, str], allowed_hosts: Collection[str]) -> str | None:
    """Why these request headers are not a local caller's; None when they are."""
    host = headers.get("Host", "")
    name = _without_port(host)
    if not is_local(name) and name.lower() not in allowed_hosts:
        return f"Host {host!r} is not local and not in ROUTEBOOK_ALLOWED_HOSTS"
    forwarded = forwarded_by(headers)
    if forwarded is not None:
        return f"{forwarded} says that the request came through a proxy"
    origin = headers.get("Origin")
    if origin is not None and _site(origin) != host.lower():
        return f"Origin {origin!r} is another site than {host!r}"
    return None


def _site(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None


def _without_port(host: str) -> str:
    """The host of `host[:port]`; nothing local, when it is something else."""
    matched = _HOST.match(host)
    return matched[1] if matched else "nothing"
