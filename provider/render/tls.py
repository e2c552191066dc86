"""TLS: what a router says of it, and which certificates the document lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from provider.render.fragment import Pair
from provider.render.traefik import Certificate, Domain, RouterTls
from registry.names import canonical_pattern
from registry.router_spec import RouterSpec


def router_tls(router: RouterSpec, hosts: Sequence[str], cert_resolver: str | None) -> RouterTls:
    """`domains` where the record speaks of TLS or a resolver needs them; the resolver only for a
    record without an own certificate."""
    own = router.tls is not None and router.tls.cert_file is not None
    resolver = None if own else cert_resolver
    if router.tls is None and resolver is None:
        return {}
    given = router.tls.domains if router.tls is not None else None
    names = list(dict.fromkeys(canonical_pattern(name) for name in given or hosts))
    domain: Domain = {"main": names[0]}
    if names[1:]:
        domain["sans"] = names[1:]
    tls: RouterTls = {"certResolver": resolver} if resolver is not None else {}
    tls["domains"] = [domain]
    return tls


def listed(pairs: Iterable[Pair]) -> list[Certificate]:
    """Each pair once, ordered by fingerprint; of two with one set of names the later ending.

    Traefik keys certificates by their names and silently drops the second of two with one key
    (pkg/tls/certificate_store.go).
    """
    best: dict[tuple[str, ...], Pair] = {}
    for pair in sorted(pairs, key=lambda pair: (pair.not_after, pair.fingerprint)):
        best[pair.names] = pair
    return [
        Certificate(certFile=pair.cert_path, keyFile=pair.key_path)
        for pair in sorted(best.values(), key=lambda pair: pair.fingerprint)
    ]
