"""Traefik v3 dynamic configuration, the part that we write, as typed output.

Source: traefik `pkg/config/dynamic/http_config.go`, `middlewares.go` and `pkg/tls/tls.go`.
Traefik refuses a whole document for one unknown field or one empty map, so nothing but these
models is ever encoded, and what is None or unset is left out.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

_PRIORITY_MAX = 2**63 - 1 - 1000  # traefik pkg/server/router/router.go: above it is reserved


class Output(BaseModel):
    """An object of the document: camel case, nothing unknown, nothing empty."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True, strict=True
    )

    def as_json(self) -> dict[str, Any]:
        """The object as JSON values, without what is None."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    def as_text(self) -> str:
        """The same as compact JSON, in which only what JSON demands is escaped."""
        return self.model_dump_json(by_alias=True, exclude_none=True)


class Domain(Output):
    """What a certificate is for: one main name, and others."""

    main: Annotated[str, Field(min_length=1)]
    sans: Annotated[tuple[str, ...], Field(min_length=1)] | None = None


class RouterTls(Output):
    """TLS termination; empty means with the best certificate of the store."""

    cert_resolver: str | None = None
    domains: Annotated[tuple[Domain, ...], Field(min_length=1)] | None = None


class Router(Output):
    """One router; `tls` puts it among the TLS routers on every one of its entrypoints."""

    rule: Annotated[str, Field(min_length=1)]
    priority: Annotated[int, Field(gt=0, le=_PRIORITY_MAX)]
    entry_points: Annotated[tuple[str, ...], Field(min_length=1)]
    middlewares: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    service: Annotated[str, Field(min_length=1)]
    tls: RouterTls | None = None


class Server(Output):
    """One upstream: Traefik drops path, query and user information of the URL."""

    url: Annotated[str, Field(pattern=r"^https?://[^/?#@]+$")]


class LoadBalancer(Output):
    """The servers of a service."""

    servers: Annotated[tuple[Server, ...], Field(min_length=1)]
    pass_host_header: bool
    servers_transport: str | None = None


class Service(Output):
    """One service."""

    load_balancer: LoadBalancer


class StripPrefix(Output):
    """Prefixes taken off the path, in decoded form, without a trailing slash."""

    prefixes: Annotated[tuple[str, ...], Field(min_length=1)]


class AddPrefix(Output):
    """A prefix put before the path."""

    prefix: Annotated[str, Field(min_length=2)]


class Middleware(Output):
    """One middleware: exactly one of the kinds."""

    strip_prefix: StripPrefix | None = None
    add_prefix: AddPrefix | None = None


class Certificate(Output):
    """A pair of files on Traefik's file system."""

    cert_file: str
    key_file: str
