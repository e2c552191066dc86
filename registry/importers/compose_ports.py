"""The ports of a compose service: published ones, short or long form, and exposed ones.

Source: https://docs.docker.com/reference/compose-file/services/#ports.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from registry.importers.naming import port_name_of

_PROTOCOLS = ("tcp", "udp", "sctp")
_RANGE = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?\Z")


@dataclass(frozen=True, slots=True)
class PublishedPort:
    """A port of a container and the port of the host that leads to it.

    `published` None: the engine takes one at random, or out of a range, at each start.
    """

    target: int
    published: int | None
    protocol: str = "tcp"
    name: str | None = None
    app_protocol: str | None = None
    address: str = ""

    @property
    def is_on_loopback(self) -> bool:
        """Whether it is published for its own machine alone."""
        return self.address.startswith("127.") or self.address in ("::1", "localhost")

    @property
    def is_tcp(self) -> bool:
        """Whether a router could serve it."""
        return self.protocol == "tcp"


def published_ports(ports: Any) -> list[PublishedPort]:
    """The `ports` of a service, ranges written out, in order. Raises ValueError."""
    if ports is None:
        return []
    if not isinstance(ports, list):
        raise ValueError("ports: must be a list")
    return [port for entry in ports for port in _entry(entry)]


def exposed_ports(expose: Any) -> list[int]:
    """The tcp ports of `expose`, ranges written out, each once. Raises ValueError."""
    found: dict[int, None] = {}
    for entry in expose if isinstance(expose, list) else []:
        numbers, _, protocol = str(entry).partition("/")
        if protocol in ("", "tcp"):
            found.update(dict.fromkeys(_range(numbers, f"expose: {entry!r}")))
    return list(found)


def port_records(service: str, ports: Iterable[PublishedPort]) -> list[dict[str, Any]]:
    """`ports` of a record, each with a name of its own, in the order of the given ones.

    Every port must have a published number.
    """
    records: dict[str, dict[str, Any]] = {}
    for port in ports:
        name = port_name_of(port.name or f"{service}-{port.target}", records)
        records[name] = {"name": name, "port": port.published, "protocol": _protocol(port)}
    return list(records.values())


def _entry(entry: Any) -> Iterator[PublishedPort]:
    if isinstance(entry, Mapping):
        return _long(entry)
    if isinstance(entry, str | int) and not isinstance(entry, bool):
        return _short(str(entry))
    raise ValueError(f"ports: {entry!r} is neither a text, a number nor a mapping")


def _short(text: str) -> Iterator[PublishedPort]:
    place = f"ports: {text!r}"
    numbers, _, protocol = text.partition("/")
    address, closing, rest = numbers.rpartition("]:")
    parts = rest.split(":")
    if len(parts) > (2 if closing else 3) or (closing and not address.startswith("[")):
        raise ValueError(f"{place} is not [ADDRESS:][HOST:]CONTAINER[/PROTOCOL]")
    host = parts[-2] if len(parts) > 1 else ""
    targets = _range(parts[-1], place)
    for target, published in _pairs(targets, _range(host, place) if host else (), place):
        yield PublishedPort(
            target,
            published,
            _known_protocol(protocol, place),
            address=address[1:] if closing else ":".join(parts[:-2]),
        )


def _long(entry: Mapping[str, Any]) -> Iterator[PublishedPort]:
    place = f"ports: {dict(entry)!r}"
    published = entry.get("published")
    hosts = () if published in (None, "", 0, "0") else _range(str(published), place)
    name, app_protocol = entry.get("name"), entry.get("app_protocol")
    for target, host in _pairs(_range(str(entry.get("target")), place), hosts, place):
        yield PublishedPort(
            target,
            host,
            _known_protocol(str(entry.get("protocol") or ""), place),
            str(name) if name else None,
            str(app_protocol).lower() if app_protocol else None,
            str(entry.get("host_ip") or "").strip("[]"),
        )


def _pairs(
    targets: Sequence[int], hosts: Sequence[int], place: str
) -> Iterator[tuple[int, int | None]]:
    if len(hosts) == len(targets):
        return zip(targets, hosts, strict=True)
    if hosts and len(targets) > 1:
        raise ValueError(f"{place}: the two ranges are not of one length")
    return ((target, None) for target in targets)


def _range(text: str, place: str) -> Sequence[int]:
    match = _RANGE.match(text)
    first = int(match[1]) if match else 0
    last = int(match[2] or first) if match else 0
    if not 1 <= first <= last <= 65535:
        raise ValueError(f"{place}: {text!r} is not a port, or a range of ports, from 1 to 65535")
    return range(first, last + 1)


def _known_protocol(protocol: str, place: str) -> str:
    known = protocol.lower() or "tcp"
    if known not in _PROTOCOLS:
        raise ValueError(f"{place}: the protocol must be one of {', '.join(_PROTOCOLS)}")
    return known


def _protocol(port: PublishedPort) -> str:
    if port.is_tcp and port.app_protocol in ("http", "https"):
        return port.app_protocol
    return port.protocol
