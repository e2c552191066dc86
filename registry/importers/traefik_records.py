"""A route as the body of a new record: its slug, its name, its router section."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from registry.importers.traefik_routes import Route
from registry.importers.traefik_services import Servers
from registry.importers.traefik_shapes import LeftOut, shown
from registry.names import derived_environment_id
from registry.schema import Environment, field_errors

_SLUG_LENGTH_MAX = 63


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every record of one import has in common."""

    project_id: str
    provider: str
    region: str
    state: str


def record_of(
    route: Route, servers: Servers, around: Surroundings, taken: Collection[str], tail: str
) -> dict[str, Any]:
    """The body for a route, with a slug that is not taken. Raises LeftOut in the schema's words.

    `tail` is a path, where the router makes more than one record; else empty.
    """
    router = min(route.routers, key=len)  # of app and app-secure the plain one
    record = {
        "project_id": around.project_id,
        "slug": free_slug(f"{router}{tail}", taken),
        "name": _title(router, tail),
        "host": _host(servers.host, around),
        "lifecycle": {"state": around.state},
        "metadata": {"router": _section(route, servers)},
    }
    _check(record)
    return record


def free_slug(text: str, taken: Collection[str]) -> str:
    """A slug near the text that is not taken."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower())[:_SLUG_LENGTH_MAX].strip("-") or "router"
    slug, count = plain, 1
    while slug in taken:
        count += 1
        end = f"-{count}"
        slug = plain[: _SLUG_LENGTH_MAX - len(end)].rstrip("-") + end
    return slug


def _title(router: str, tail: str) -> str:
    words = re.sub(r"[\s._-]+", " ", shown(router)).strip()
    return f"{words[:1].upper()}{words[1:]} {tail}".strip() or "Router"


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


def _check(record: Mapping[str, Any]) -> None:
    defaults = {
        "environment_id": derived_environment_id(record["project_id"], record["slug"]),
        "owner": {"name": "the workspace's contact"},
        "health": {"status": "unknown"},
    }
    try:
        Environment.model_validate({**record, **defaults})
    except ValidationError as error:
        faults = (f"{fault.pointer}: {fault.message}" for fault in field_errors(error))
        raise LeftOut("; ".join(faults)) from error
