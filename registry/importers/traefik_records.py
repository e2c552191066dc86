"""A route as the body of a new record: its slug, its name, its router section."""

from __future__ import annotations

import ipaddress
from collections.abc import Container
from dataclasses import dataclass
from typing import Any

from registry.importers.imported import Record
from registry.importers.naming import slug_of, title_of
from registry.importers.traefik_routes import Route
from registry.importers.traefik_services import Servers


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every record of one import has in common."""

    project_id: str
    provider: str
    region: str
    state: str


def record_of(
    route: Route, servers: Servers, around: Surroundings, taken: Container[str], tail: str
) -> Record:
    """The body for a route, with a slug that is not taken; whether it is valid is not asked.

    `tail` is a path, where the router makes more than one record; else empty.
    """
    router = min(route.routers, key=len)  # of app and app-secure the plain one
    return {
        "project_id": around.project_id,
        "slug": slug_of(f"{router}{tail}", taken),
        "name": f"{title_of(slug_of(router))} {tail}".strip(),
        "host": _host(servers.host, around),
        "lifecycle": {"state": around.state},
        "metadata": {"router": _section(route, servers)},
    }


def _host(host: str, around: Surroundings) -> dict[str, Any]:
    found = {"hostname": host, "provider": around.provider, "region": around.region}
    try:
        return {**found, "ip": str(ipaddress.ip_address(host))}
    except ValueError:
        return found


def _section(route: Route, servers: Servers) -> dict[str, Any]:
    section: dict[str, Any] = {
        "hostnames": list(route.hosts),
        "entrypoints": list(route.entrypoints),
    }
    if len(servers.urls) == 1:
        section["service_url"] = servers.urls[0]
    else:
        section["server_urls"] = list(servers.urls)
    if route.path != "/":
        section |= {"path_prefix": route.path, "strip_prefix": route.before.strips}
    if route.before.names:
        section["middlewares"] = list(route.before.names)
    if not servers.passes_host_header:
        section["pass_host_header"] = False
    if route.domains:
        section["tls"] = {"domains": list(route.domains)}
    return section
