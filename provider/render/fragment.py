"""What one record asks of Traefik: claims, and everything its routers share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from provider.render.traefik import LoadBalancer, Middleware, RouterTls, Service
from registry.values import value


class Claim(NamedTuple):
    """One (host, path, entrypoint), all canonical: what two environments cannot both have."""

    host: str
    path: str
    entrypoint: str

    def __str__(self) -> str:
        return f"{self.host}{self.path} on {self.entrypoint}"


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key that match, as copies under a name made of their content.

    `names` are the lower-case SANs and the CN, sorted; Traefik keys certificates by them.
    Paths are those that Traefik sees.
    """

    fingerprint: str
    names: tuple[str, ...]
    not_after: datetime
    cert_path: str
    key_path: str


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """What became of the pair that a record names: what is served of it, and what is wrong.

    Both, while a half-replaced pair leaves its last good copy in service. `is_mismatch` says that
    both files are fine, and not a pair.
    """

    pair: Pair | None
    problem: str | None = None
    is_mismatch: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """Something of a record that is left out of the document, and why."""

    code: str
    pointer: str
    message: str


@value()
class Fragment:
    """A compiled record. `tls` is what its TLS routers carry; claims are in the record's order.

    `upstreams` are where its requests go, as `scheme://host[:port]`.
    """

    environment_id: str
    slug: str
    created_at: datetime | None
    claims: tuple[Claim, ...]
    tls_entrypoints: frozenset[str]
    tls: RouterTls
    upstreams: tuple[str, ...]
    pass_host_header: bool
    servers_transport: str | None
    middlewares: tuple[tuple[str, Middleware], ...]
    middleware_names: tuple[str, ...]
    fallback_host: bool
    pair: Pair | None = None
    notes: tuple[Note, ...] = ()

    @property
    def service(self) -> Service:
        """Its one service; made for who asks, since kept it takes more than all else here."""
        balancer: LoadBalancer = {
            "servers": [{"url": url} for url in self.upstreams],
            "passHostHeader": self.pass_host_header,
        }
        if self.servers_transport is not None:
            balancer["serversTransport"] = self.servers_transport
        return {"loadBalancer": balancer}


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that is valid by itself but may not be routed here. `code` is the registry's."""

    environment_id: str
    slug: str
    code: str
    pointer: str
    message: str


Compiled = Fragment | Rejection | None
"""What one record becomes; None where it claims nothing."""
