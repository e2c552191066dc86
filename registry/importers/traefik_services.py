"""A load-balancer service of a Traefik file as upstream URLs, and what Traefik does beside that.

Source: traefik `pkg/server/service/service.go`, `pkg/proxy/httputil/proxy.go`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from registry.importers.traefik_shapes import (
    LeftOut,
    as_mapping,
    field_of,
    is_off,
    mapping_of,
    other_keys,
    text_of,
)
from registry.names import canonical_host


@dataclass(frozen=True, slots=True)
class Servers:
    """Upstream URLs, each once, in order; `host` is the first one's, canonical."""

    urls: tuple[str, ...]
    host: str
    passes_host_header: bool
    remarks: tuple[str, ...]


def servers_of(services: Mapping[Any, Any], name: str) -> Servers:
    """The servers of a named service. Raises LeftOut where a record cannot have such a service."""
    if name not in services:
        raise LeftOut("the file does not have it")
    balancer = _balancer(as_mapping(services[name], "it"))
    servers = field_of(balancer, "servers")
    if not isinstance(servers, list) or not servers:
        raise LeftOut("it has no list of servers")
    given = [as_mapping(server, "a server") for server in servers]
    used = [server for server in given if str(field_of(server, "weight")) != "0"]
    if not used:
        raise LeftOut("every server has weight 0")
    urls, remarks = _urls(used)
    return Servers(
        urls=urls,
        host=_host(urls[0]),
        passes_host_header=not is_off(field_of(balancer, "passHostHeader")),
        remarks=(*remarks, *_remarks(balancer, given, used)),
    )


def _balancer(service: Mapping[Any, Any]) -> Mapping[Any, Any]:
    others = other_keys(service, ("loadBalancer",))
    if others:
        raise LeftOut(f"{', '.join(others)}: a record has servers, and no other kind of service")
    return mapping_of(service, "loadBalancer")


def _urls(servers: Sequence[Mapping[Any, Any]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    urls: dict[str, None] = {}
    remarks: dict[str, None] = {}
    for server in servers:
        parts = _split(text_of(server, "url"))
        keeps_path = field_of(server, "preservePath")
        kept = parts.path if keeps_path is not None and not is_off(keeps_path) else ""
        urls[f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{kept.rstrip('/')}"] = None
        remarks.update(dict.fromkeys(_dropped(parts, kept)))
    return tuple(urls), tuple(remarks)


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url.strip())
    except ValueError:
        raise LeftOut("a server's url is no URL") from None


def _dropped(parts: SplitResult, kept: str) -> Iterator[str]:
    # The values are not repeated: a query or user information may be a secret.
    if parts.path.strip("/") and not kept:
        yield "the path in a server's url is dropped, as Traefik does without preservePath"
    if parts.query or parts.fragment or "@" in parts.netloc:
        yield "the query, fragment or user in a server's url is dropped, as Traefik does"


def _host(url: str) -> str:
    try:
        return canonical_host(urlsplit(url).hostname or "")
    except ValueError as error:
        raise LeftOut(f"the host of its first server: {error}") from error


def _remarks(
    balancer: Mapping[Any, Any],
    given: Sequence[Mapping[Any, Any]],
    used: Sequence[Mapping[Any, Any]],
) -> Iterator[str]:
    others = other_keys(balancer, ("servers", "passHostHeader"))
    if others:
        yield f"not carried over: {', '.join(others)}"
    if len(used) < len(given):
        yield "servers of weight 0 are left out"
    if len({str(field_of(server, "weight") or 1) for server in used}) > 1:
        yield "weights are not carried over; every server gets the same share"
    rest = {key for server in used for key in other_keys(server, ("url", "weight", "preservePath"))}
    if rest:
        yield f"not carried over from servers: {', '.join(sorted(rest))}"
