"""Where a router's requests go: decided from the record alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from registry.fields import PORT, UPSTREAM_URL
from registry.host import Host, Port
from registry.names import PLAIN_ADDRESS, PLAIN_HOST, canonical_host, canonical_pattern, covers
from registry.router_spec import RouterSpec, normal_path
from registry.values import value

_ROUTER = "/metadata/router"
_AT_SERVICE_URL = (f"{_ROUTER}/service_url",)
_SCHEMES = {None: "http", "": "http", "tcp": "http", "http": "http", "https": "https"}

# Already as `_server` writes it.
_PLAIN_SERVER = re.compile(rf"https?://(?:{PLAIN_HOST}|{PLAIN_ADDRESS})(?::{PORT})?\Z")


class UpstreamError(ValueError):
    """The record names no usable upstream; `pointer` is the place to mend."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer


@value()
class Upstream:
    """Servers as `scheme://host[:port]`, in order, each once, and the base path they share.

    `pointers` say where in the record each server comes from.
    """

    servers: tuple[str, ...]
    base_path: str
    pointers: tuple[str, ...]


def hostnames_of(router: RouterSpec, host: Host) -> tuple[str, ...]:
    """The canonical host patterns that the record asks for, each once, in order."""
    given = router.hostnames or [host.hostname]
    return tuple(dict.fromkeys(map(canonical_pattern, given)))


def resolve_upstream(router: RouterSpec, host: Host, ports: Sequence[Port]) -> Upstream:
    """`service_url` and `server_urls` together, else the named port. Raises UpstreamError."""
    port = _named_port(router.port, ports)
    url = router.service_url
    if url and not router.server_urls and _PLAIN_SERVER.match(url):  # as most records have it
        return Upstream((url,), "/", _AT_SERVICE_URL)
    given = list(_given(router))
    if given:
        return _joined(given)
    if port is None:
        raise UpstreamError(
            _AT_SERVICE_URL[0],
            "no upstream: give service_url or server_urls, or name one of the ports in port",
        )
    return _joined([_of_port(*port, router, host)])


def _given(router: RouterSpec) -> Iterator[tuple[str, str]]:
    if router.service_url:
        yield _AT_SERVICE_URL[0], router.service_url
    for index, url in enumerate(router.server_urls or ()):
        yield f"{_ROUTER}/server_urls/{index}", url


def _named_port(name: str | None, ports: Sequence[Port]) -> tuple[int, Port] | None:
    if name is None:
        return None
    for index, port in enumerate(ports):
        if port.name == name:
            return index, port
    known = ", ".join(repr(port.name) for port in ports) or "none"
    raise UpstreamError(f"{_ROUTER}/port", f"no port is named {name!r}; named ports: {known}")


def _of_port(index: int, port: Port, router: RouterSpec, host: Host) -> tuple[str, str]:
    # A URL on one of our own host names leads back through Traefik: a loop.
    if _is_http(port.url) and not _is_own(port.url or "", router, host):
        return f"/ports/{index}/url", port.url or ""
    scheme = _SCHEMES.get((port.protocol or "").lower())
    if scheme is None:
        raise UpstreamError(
            f"/ports/{index}/protocol",
            f"a router serves http, https or tcp, not {port.protocol!r}; give service_url instead",
        )
    return f"/ports/{index}", f"{scheme}://{_authority(host.ip or host.hostname)}:{port.port}"


def _is_http(url: str | None) -> bool:
    return url is not None and url.lower().startswith(("http://", "https://"))


def _is_own(url: str, router: RouterSpec, host: Host) -> bool:
    try:
        canonical = canonical_host(urlsplit(url).hostname or "")
    except ValueError:
        return False
    return any(covers(pattern, canonical) for pattern in hostnames_of(router, host))


def _authority(name: str) -> str:
    canonical = canonical_host(name)
    return f"[{canonical}]" if ":" in canonical else canonical


def _joined(urls: Sequence[tuple[str, str]]) -> Upstream:
    pointer, url = urls[0]
    if len(urls) == 1 and _PLAIN_SERVER.match(url):
        return Upstream((url,), "/", (pointer,))
    first_path = _base_path(pointer, url)
    for pointer, url in urls[1:]:
        if _base_path(pointer, url) != first_path:
            raise UpstreamError(
                pointer,
                f"every server has one base path, here {first_path!r}: Traefik adds it once",
            )
    pointers: dict[str, str] = {}
    for pointer, url in urls:
        pointers.setdefault(_server(pointer, url), pointer)
    return Upstream(tuple(pointers), first_path, tuple(pointers.values()))


def _server(pointer: str, url: str) -> str:
    if _PLAIN_SERVER.match(url):
        return url
    try:
        parts = urlsplit(url)
        authority = _authority(parts.hostname or "")
    except ValueError as error:
        raise UpstreamError(pointer, f"the upstream's host: {error}") from error
    port = "" if parts.port is None else f":{parts.port}"
    return f"{parts.scheme.lower()}://{authority}{port}"


def _base_path(pointer: str, url: str) -> str:
    if _PLAIN_SERVER.match(url):
        return "/"
    # A port's `url` is any link; only a plain one can serve as an upstream.
    if not re.match(UPSTREAM_URL, url):
        raise UpstreamError(
            pointer,
            "an upstream is a plain URL: host, port and path, no query, fragment or escapes",
        )
    try:
        return normal_path(urlsplit(url).path)
    except ValueError as error:  # brackets around what is no address
        raise UpstreamError(pointer, f"the upstream's host: {error}") from error
