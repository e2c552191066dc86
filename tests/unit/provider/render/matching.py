"""What Traefik would do with a document: which routers match a request, and which one answers.

Only for the rules that we write: hosts and paths, `||` inside a part, `&&` between parts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_MATCHER = re.compile(r'(\w+)\(("(?:[^"\\]|\\.)*")\)')


@dataclass(frozen=True)
class Request:
    """A request as it reaches a router: the host lower-case and without port."""

    host: str
    path: str
    entrypoint: str
    secure: bool


def matching(document: dict[str, Any], request: Request) -> list[dict[str, Any]]:
    """The routers that match, the highest priority first."""
    routers = document["http"].get("routers", {}).values()
    found = [router for router in routers if takes(router, request)]
    return sorted(found, key=lambda router: -router["priority"])


def takes(router: dict[str, Any], request: Request) -> bool:
    """Whether one router matches."""
    # A router with `tls` is for TLS alone, one without for plain connections alone.
    if request.entrypoint not in router["entryPoints"] or request.secure != ("tls" in router):
        return False
    parts = router["rule"].split(" && ")
    return all(any(_matches(*each, request) for each in _matchers(part)) for part in parts)


def _matchers(part: str) -> Iterator[tuple[str, str]]:
    for name, literal in _MATCHER.findall(part):
        yield name, json.loads(literal)


def _matches(name: str, value: str, request: Request) -> bool:
    if name == "Host":
        return request.host.removesuffix(".") == value
    if name == "HostRegexp":
        return re.search(value, request.host) is not None
    if name == "Path":
        return request.path == value
    assert name == "PathPrefix", name
    return request.path.startswith(value)
