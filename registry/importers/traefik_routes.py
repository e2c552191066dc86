"""The routers of a Traefik file as routes: each one path, its hosts, and what serves it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from registry.importers.traefik_claims import claims_of
from registry.importers.traefik_middlewares import Before, middlewares_before
from registry.importers.traefik_shapes import (
    LeftOut,
    as_mapping,
    field_of,
    is_off,
    other_keys,
    own_name,
    shown,
    text_of,
    texts_of,
)

_KNOWN = (
    ["rule", "ruleSyntax", "service", "middlewares", "entryPoints", "tls", "priority", "parentRefs"]
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Route:
    """What one record will say of routing; `routers` are the names it comes from."""

    routers: tuple[str, ...]
    path: str
    hosts: tuple[str, ...]
    entrypoints: tuple[str, ...]
    domains: tuple[str, ...]
    service: str
    before: Before


def routes_of(
    name: str, body: object, middlewares: Mapping[Any, Any]
) -> tuple[tuple[Route, ...], tuple[str, ...]]:
    """The routes of a router, and remarks on what changes. Raises LeftOut."""
    router = as_mapping(body, "it")
    if field_of(router, "parentRefs"):
        raise LeftOut("parentRefs: without its parents the router would let in more requests")
    claims = claims_of(text_of(router, "rule"))
    tls = _tls(router)
    service = own_name(text_of(router, "service"))
    given = texts_of(router, "middlewares")
    entrypoints = texts_of(router, "entryPoints") or (("web",) if tls is None else ("websecure",))
    domains, odd_domains = _domains(tls or {})
    routes = tuple(
        Route((name,), claim.path, claim.hosts, entrypoints, domains, service,
              middlewares_before(claim.path, given, middlewares))
        for claim in claims
    )  # fmt: skip
    remarks = [remark for claim in claims for remark in claim.remarks]
    return routes, (*remarks, *odd_domains, *_remarks(router, tls, entrypoints))


def twins_merged(routes: Iterable[Route]) -> tuple[Route, ...]:
    """Routes that differ only in entrypoints and TLS as one, in the place of the first."""
    merged: dict[object, Route] = {}
    for route in routes:
        key = (frozenset(route.hosts), route.path, route.service, route.before)
        known = merged.get(key)
        merged[key] = route if known is None else _joined(known, route)
    return tuple(merged.values())


def _joined(first: Route, second: Route) -> Route:
    return replace(
        first,
        routers=tuple(dict.fromkeys((*first.routers, *second.routers))),
        entrypoints=tuple(dict.fromkeys((*first.entrypoints, *second.entrypoints))),
        domains=tuple(dict.fromkeys((*first.domains, *second.domains))),
    )


def _tls(router: Mapping[Any, Any]) -> Mapping[Any, Any] | None:
    value = field_of(router, "tls")
    if value is None or is_off(value):
        return None
    if value is True or (isinstance(value, str) and value.lower() == "true"):
        return {}
    tls = as_mapping(value, "tls")
    options = field_of(tls, "options")
    if options is not None and own_name(text_of(tls, "options")) != "default":
        raise LeftOut(
            f"tls.options {shown(options)}: a record has the default options, "
            "which may accept clients that these refuse"
        )
    return tls


def _domains(tls: Mapping[Any, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    try:
        return tuple(dict.fromkeys(_names(field_of(tls, "domains")))), ()
    except LeftOut as reason:
        return (), (f"tls.domains are not carried over: {reason}",)


def _names(domains: object) -> Iterator[str]:
    if domains is None:
        return
    if not isinstance(domains, list):
        raise LeftOut("not a list")
    for domain in domains:
        part = as_mapping(domain, "a domain")
        yield text_of(part, "main")
        yield from texts_of(part, "sans")


def _remarks(
    router: Mapping[Any, Any], tls: Mapping[Any, Any] | None, entrypoints: tuple[str, ...]
) -> Iterator[str]:
    if not texts_of(router, "entryPoints"):
        yield (
            f"it names no entryPoints, which is all the default ones; the record says "
            f"{entrypoints[0]}"
        )
    elif tls is not None and "web" in entrypoints:
        yield "with tls it took only https on web; the record takes what the entrypoint is for"
    if field_of(router, "priority"):
        yield "priority is not carried over; exact hosts and longer paths go first"
    others = other_keys(tls or {}, ("options", "domains"))
    if others:
        yield f"not carried over from tls: {', '.join(others)}"
    rest = other_keys(router, _KNOWN)
    if rest:
        yield f"not carried over: {', '.join(rest)}"
