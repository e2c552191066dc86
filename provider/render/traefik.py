"""Traefik v3 dynamic configuration, the part that we write, as typed output.

Source: traefik `pkg/config/dynamic/http_config.go`, `middlewares.go` and `pkg/tls/tls.go`.
Traefik refuses a whole document for one unknown field or one empty map, so nothing is encoded but
what passed `checked` here. The objects are JSON as Traefik reads it: what is unset is not there.
"""

from __future__ import annotations

from typing import Annotated, NotRequired, TypeVar, cast

from pydantic import ConfigDict, Field, TypeAdapter, with_config
from typing_extensions import TypedDict  # Pydantic takes no other before Python 3.12

_PRIORITY_MAX = 2**63 - 1 - 1000  # traefik pkg/server/router/router.go: above it is reserved
_OUTPUT = ConfigDict(extra="forbid", strict=True)
_Item = TypeVar("_Item")
_Text = Annotated[str, Field(min_length=1)]
_Some = Annotated[list[_Item], Field(min_length=1)]


@with_config(_OUTPUT)
class Domain(TypedDict):
    """What a certificate is for: one main name, and others."""

    main: _Text
    sans: NotRequired[_Some[str]]


@with_config(_OUTPUT)
class RouterTls(TypedDict):
    """TLS termination; empty means with the best certificate of the store."""

    certResolver: NotRequired[str]
    domains: NotRequired[_Some[Domain]]


@with_config(_OUTPUT)
class Router(TypedDict):
    """One router; `tls` puts it among the TLS routers on every one of its entrypoints."""

    rule: _Text
    priority: Annotated[int, Field(gt=0, le=_PRIORITY_MAX)]
    entryPoints: _Some[str]
    middlewares: NotRequired[_Some[str]]
    service: _Text
    tls: NotRequired[RouterTls]


@with_config(_OUTPUT)
class Server(TypedDict):
    """One upstream: Traefik drops path, query and user information of the URL."""

    url: Annotated[str, Field(pattern=r"^https?://[^/?#@]+$")]


@with_config(_OUTPUT)
class LoadBalancer(TypedDict):
    """The servers of a service."""

    servers: _Some[Server]
    passHostHeader: bool
    serversTransport: NotRequired[str]


@with_config(_OUTPUT)
class Service(TypedDict):
    """One service."""

    loadBalancer: LoadBalancer


@with_config(_OUTPUT)
class StripPrefix(TypedDict):
    """Prefixes taken off the path, in decoded form, without a trailing slash."""

    prefixes: _Some[str]


@with_config(_OUTPUT)
class AddPrefix(TypedDict):
    """A prefix put before the path."""

    prefix: Annotated[str, Field(min_length=2)]


@with_config(_OUTPUT)
class Middleware(TypedDict):
    """One middleware: exactly one of the kinds."""

    stripPrefix: NotRequired[StripPrefix]
    addPrefix: NotRequired[AddPrefix]


@with_config(_OUTPUT)
class Certificate(TypedDict):
    """A pair of files on Traefik's file system."""

    certFile: str
    keyFile: str


@with_config(_OUTPUT)
class Http(TypedDict):
    """Routers, services and middlewares by name."""

    routers: dict[str, Router]
    services: dict[str, Service]
    middlewares: dict[str, Middleware]


_HTTP = TypeAdapter(Http).validator


def checked(http: Http) -> Http:
    """The same, as it is; raises ValidationError for what Traefik would refuse."""
    return cast(Http, _HTTP.validate_python(http))
