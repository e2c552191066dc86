"""One record to its fragment: no other record, file or clock has a say."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from provider.render.fragment import Claim, Compiled, Fragment, Note, OwnCertificate, Rejection
from provider.render.middlewares import middlewares_of, qualified
from provider.render.services import transport_of
from provider.render.tls import router_tls
from registry.names import is_address
from registry.schema import Environment
from registry.upstream import Upstream, hostnames_of

_ENDPOINTS_MAX = 4096
DEFAULT_ENTRYPOINTS = ("websecure",)


@dataclass(frozen=True)
class Rules:
    """The settings that have a say in rendering.

    `forbidden_upstreams` maps (host, port) to what listens there, for the refusal's words.
    """

    tls_entrypoints: frozenset[str] = frozenset(DEFAULT_ENTRYPOINTS)
    cert_resolver: str | None = None
    middleware_provider: str = "file"
    servers_transport: str | None = None
    forbidden_upstreams: Mapping[tuple[str, int], str] = field(default_factory=dict)


def compile_record(
    environment: Environment, rules: Rules, certificate: OwnCertificate | None
) -> Compiled:
    """The fragment of a routed record; None for one that claims nothing (by state, or no router).

    `certificate` is what became of the certificate that the record names; None when it names none.
    """
    router, upstream = environment.routed_by, environment.upstream
    if router is None or upstream is None:
        return None
    rejection = _refused(environment, upstream, rules)
    if rejection is not None:
        return rejection
    hosts = hostnames_of(router, environment.host)
    path, entrypoints = router.path, dict.fromkeys(router.entrypoints or DEFAULT_ENTRYPOINTS)
    middlewares = middlewares_of(environment.environment_id, router, upstream)
    own = [qualified(name, rules.middleware_provider) for name in router.middlewares or ()]
    return Fragment(
        environment_id=environment.environment_id,
        slug=environment.slug,
        created_at=environment.created_at,
        claims=tuple([Claim(host, path, each) for host in hosts for each in entrypoints]),
        tls_entrypoints=rules.tls_entrypoints,
        tls=router_tls(router, hosts, rules.cert_resolver),
        upstreams=upstream.servers,
        pass_host_header=router.pass_host_header is not False,
        servers_transport=transport_of(upstream, rules.servers_transport),
        middlewares=middlewares,
        middleware_names=(*own, *[name for name, _ in middlewares]),
        fallback_host=not router.hostnames,
        pair=certificate.pair if certificate else None,
        notes=_notes(certificate),
    )


def is_rendered_alike(one: Environment, other: Environment) -> bool:
    """Whether two versions of a record have one fragment: what else differs has no say in it."""
    return one is other or _read_of(one) == _read_of(other)


def _read_of(environment: Environment) -> tuple[object, ...]:
    return (
        environment.slug,
        environment.created_at,
        environment.routed,
        environment.router,
        environment.host,
        environment.ports,
    )


def _notes(certificate: OwnCertificate | None) -> tuple[Note, ...]:
    if certificate is None or certificate.problem is None:
        return ()
    return (Note("certificate_left_out", "/metadata/router/tls", certificate.problem),)


def _refused(environment: Environment, upstream: Upstream, rules: Rules) -> Rejection | None:
    for server, pointer in zip(upstream.servers, upstream.pointers, strict=True):
        reason = _forbidden(server, rules)
        if reason is not None:
            return Rejection(
                environment.environment_id, environment.slug, "forbidden_upstream", pointer, reason
            )
    return None


def _forbidden(server: str, rules: Rules) -> str | None:
    host, port, is_barred, is_local = _endpoint(server)
    if is_barred:
        return f"{host} is a link-local or unspecified address"
    for name in (host, "localhost") if is_local else (host,):
        listener = rules.forbidden_upstreams.get((name, port))
        if listener is not None:
            return f"{server} is {listener}"
    return None


class _Endpoint(NamedTuple):
    """`is_barred` is an address that is never an upstream, `is_local` this machine."""

    host: str
    port: int
    is_barred: bool
    is_local: bool


@lru_cache(_ENDPOINTS_MAX)  # many upstreams are of few machines
def _endpoint(server: str) -> _Endpoint:
    """Of a server, which is canonical and has no path, as `Upstream` has them."""
    scheme, _, authority = server.partition("://")
    host, colon, digits = authority.rpartition(":")
    if not colon or authority.endswith("]"):
        host, digits = authority, ""
    host, port = host.strip("[]"), int(digits) if digits else 443 if scheme == "https" else 80
    if not is_address(host):
        return _Endpoint(host, port, is_barred=False, is_local=host == "localhost")
    address = ipaddress.ip_address(host)
    address = getattr(address, "ipv4_mapped", None) or address  # ::ffff:… is no way around
    # RFC 3927, RFC 4291: link-local is where clouds keep their metadata service.
    is_barred = address.is_link_local or address.is_unspecified
    return _Endpoint(host, port, is_barred, address.is_loopback)
