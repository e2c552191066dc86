"""Records out of a compose file: one for each service that says that it wants one."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from registry.fields import LIST_LENGTH_MAX
from registry.importers.compose_ports import (
    PublishedPort,
    exposed_ports,
    port_records,
    published_ports,
)
from registry.importers.imported import Claim, Imported, Record, Unusable, claims_of, completed
from registry.importers.labels import Words, words_of
from registry.importers.naming import slug_of, title_of

_ROUTER_WORDS = (
    "hostnames",
    "entrypoints",
    "service_url",
    "server_urls",
    "path_prefix",
    "strip_prefix",
    "middlewares",
    "pass_host_header",
)
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_GIVE_PORT = "; give routebook.port, the port of the container"


@dataclass(frozen=True, slots=True)
class _Stack:
    project_id: str
    host: str
    name: str
    provider: str
    region: str
    ip: str | None
    state: str


@dataclass(slots=True)
class _Service:
    """One service on its way to a record; `remarks` are what could not be carried over."""

    name: str
    given: Mapping[str, Any]
    words: Words
    remarks: list[str] = field(default_factory=list)
    ports: list[PublishedPort] = field(default_factory=list)


@dataclass(slots=True)
class _Made:
    """The records so far by slug, who claims which route, and what was left out."""

    records: dict[str, Record] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    claims: dict[Claim, str] = field(default_factory=dict)

    def keep(self, record: Record, service: str) -> list[str]:
        """Takes the record in if it is right and new; what there is to say of it."""
        try:
            environment = completed(record)
        except Unusable as error:
            return [f"no record is made: {error}"]
        if record["slug"] in self.records:
            return [f"no record is made: the slug '{record['slug']}' is another service's"]
        self.records[record["slug"]] = record
        claims = claims_of(environment) if environment.routed else frozenset()
        others = sorted({self.claims[claim] for claim in claims if claim in self.claims})
        self.claims = {**dict.fromkeys(claims, service), **self.claims}
        if not others:
            return []
        return [f"claims a route of {', '.join(others)}; give routebook.hostnames or .path_prefix"]


def from_compose(
    compose: Mapping[str, Any],
    *,
    project_id: str,
    host: str,
    stack: str,
    provider: str = "compose",
    region: str = "local",
    ip: str | None = None,
    state: str = "active",
) -> Imported:
    """The records of a compose file whose variables are already replaced, in its order.

    A service has one if it has `routebook.*` labels or `x-routebook:`. Raises ValueError for a
    file that is not compose, or a wrong value, naming service and word.
    """
    about = _Stack(project_id, host, stack, provider, region, ip, state)
    made = _Made()
    for name, given in _services(compose).items():
        try:
            _take(str(name), given, about, made)
        except ValueError as error:
            raise ValueError(f"services.{name}: {error}") from error
    return Imported(tuple(made.records.values()), (*_not_followed(compose), *made.left_out))


def stack_name(compose: Mapping[str, Any], folder_name: str, environ: Mapping[str, str]) -> str:
    """The name of a stack as compose finds it, fit to begin a slug."""
    for name in (environ.get("COMPOSE_PROJECT_NAME"), compose.get("name"), folder_name):
        if re.search(r"[a-z0-9]", str(name or "").lower()):
            return slug_of(str(name))
    return "stack"


def _services(compose: Mapping[str, Any]) -> Mapping[str, Any]:
    services = compose.get("services")
    if services is None:
        return {}
    if not isinstance(services, Mapping):
        raise ValueError("services: must be a mapping")
    return services


def _not_followed(compose: Mapping[str, Any]) -> list[str]:
    if not compose.get("include"):
        return []
    return ["include: files that are included are not read; import each by itself"]


def _take(name: str, given: Any, about: _Stack, made: _Made) -> None:
    """Adds what one service comes to. Raises ValueError that names the word."""
    if not isinstance(given, Mapping):
        raise ValueError("must be a mapping")
    extends = ["extends: what is inherited is not read"] if given.get("extends") else []
    words = words_of(given)
    service = _Service(name, given, words or Words({}, ()), extends)
    if words is not None and words.values.get("enable") is not False:
        service.remarks += words.remarks
        record = _record(service, about, made)
        service.remarks += made.keep(record, name)
    made.left_out += [f"services.{name}: {remark}" for remark in service.remarks]


def _record(service: _Service, about: _Stack, made: _Made) -> Record:
    words = service.words
    _take_ports(service)
    host = _host(words.under("host"), about)
    _say_loopback(service, host["hostname"])
    ports = port_records(service.name, service.ports)
    slug = words.values.get("slug") or slug_of(f"{about.name}-{service.name}", made.records)
    health = words.under("health")
    record = {
        **words.only("environment_id"),
        "project_id": words.values.get("project_id", about.project_id),
        "slug": slug,
        "name": words.values.get("name", title_of(slug)),
        **words.only("description"),
        "host": host,
        "ports": ports,
        "owner": words.under("owner"),
        "lifecycle": {"state": about.state, **words.under("lifecycle")},
        "health": {"status": "unknown", **health} if health else {},
        "metadata": _metadata(service, ports),
    }
    return {key: value for key, value in record.items() if value not in ({}, [])}


def _host(words: Mapping[str, Any], about: _Stack) -> dict[str, Any]:
    hostname = words.get("hostname", about.host)
    # The address given for the stack's host says nothing of another one.
    ip = (about.ip if hostname == about.host else None) or _address(hostname)
    found = {
        "hostname": hostname,
        "provider": about.provider,
        "region": about.region,
        "ip": ip,
        **words,
    }
    return {key: value for key, value in found.items() if value is not None}


def _address(hostname: str) -> str | None:
    try:
        return str(ipaddress.ip_address(hostname.removeprefix("[").removesuffix("]")))
    except ValueError:
        return None


def _take_ports(service: _Service) -> None:
    if service.given.get("network_mode") == "host":
        # On the network of the host nothing is published: a port is the host's own.
        own = service.words.values.get("port")
        service.ports = [PublishedPort(own, own)] if own else []
        return
    for port in published_ports(service.given.get("ports")):
        if port.published is not None:
            service.ports.append(port)
        else:
            remark = "has no fixed port on the host; publish it as 'HOST:CONTAINER'"
            service.remarks.append(f"port {port.target}/{port.protocol} {remark}")
    if len(service.ports) > LIST_LENGTH_MAX:
        remark = f"{len(service.ports)} published ports, the first {LIST_LENGTH_MAX} are kept"
        service.remarks.append(remark)
        del service.ports[LIST_LENGTH_MAX:]


def _say_loopback(service: _Service, hostname: str) -> None:
    """A port that only its own machine reaches is of no use to a Traefik elsewhere."""
    hidden = [str(port.target) for port in service.ports if port.is_on_loopback]
    if hidden and hostname not in _LOOPBACK:
        service.remarks.append(
            f"port {', '.join(hidden)} is published on loopback: only a Traefik on that machine's "
            f"own network reaches it, and not as {hostname}"
        )


def _metadata(service: _Service, ports: list[Record]) -> dict[str, Any]:
    metadata = service.words.under("metadata")
    upstream = _upstream(service, ports)
    if upstream is not None:
        router = {**service.words.only(*_ROUTER_WORDS), **upstream}
        tls = service.words.under("tls")
        metadata["router"] = {**router, "tls": tls} if tls else router
    return metadata


def _upstream(service: _Service, ports: list[Record]) -> dict[str, Any] | None:
    """What the router says of where requests go; None for no router."""
    wanted = service.words.values.get("port")
    if any(service.words.only("service_url", "server_urls").values()):
        if wanted is not None:
            service.remarks.append("port: not used beside service_url or server_urls")
        return {}
    named = [
        (port.target, record["name"])
        for port, record in zip(service.ports, ports, strict=True)
        if port.is_tcp
    ]
    if wanted is None:
        return _only_upstream(service, named)
    name = next((name for target, name in named if target == wanted), None)
    return {"port": name} if name else _inside(service, wanted)


def _only_upstream(service: _Service, named: list[tuple[int, str]]) -> dict[str, Any] | None:
    exposed = exposed_ports(service.given.get("expose"))
    if len(named) == 1:
        return {"port": named[0][1]}
    if not named and len(exposed) == 1:
        return _inside(service, exposed[0])
    targets = ", ".join(str(target) for target in [port for port, _ in named] or exposed)
    if targets:
        service.remarks.append(f"no router, since it has several ports ({targets}){_GIVE_PORT}")
    elif service.words.only(*_ROUTER_WORDS) or service.words.under("tls"):
        service.remarks.append(f"no router, since it has no port of a fixed number{_GIVE_PORT}")
    return None


def _inside(service: _Service, port: int) -> dict[str, Any]:
    url = f"http://{service.name}:{port}"
    service.remarks.append(
        f"port {port} is not published: Traefik must share a network with the service, to reach "
        f"{url}"
    )
    return {"service_url": url}
