"""Routers of a fragment: split where Traefik needs it, without the claims that were lost."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache

from provider.render.fragment import Claim, Fragment
from provider.render.rules import is_wildcard, priority, rule
from provider.render.traefik import Router

_JOINED_MAX = 200
_COMBINATIONS_MAX = 256


def routers_of(fragment: Fragment, lost: frozenset[Claim]) -> Iterator[tuple[str, Router]]:
    """Named routers, in the order of the record.

    A router is of one host kind, since exact and wildcard rank apart, and of one entrypoint kind,
    since Traefik takes a router with `tls` for TLS on every entrypoint it names.
    """
    for (wildcard, names), hosts in _groups(fragment, lost).items():
        yield _name(fragment, wildcard, names), _router(fragment, hosts, names)


def router_of(fragment: Fragment, lost: frozenset[Claim], claim: Claim) -> tuple[str, Router]:
    """The router, with its name, that serves a claim which was not lost."""
    for (wildcard, names), hosts in _groups(fragment, lost).items():
        if claim.host in hosts and claim.entrypoint in names:
            return _name(fragment, wildcard, names), _router(fragment, hosts, names)
    raise LookupError(f"{fragment.environment_id} does not serve {claim}")


def _groups(
    fragment: Fragment, lost: frozenset[Claim]
) -> dict[tuple[bool, tuple[str, ...]], list[str]]:
    groups: dict[tuple[bool, tuple[str, ...]], list[str]] = defaultdict(list)
    for host, entrypoints in _kept(fragment, lost).items():
        for same in _of_one_kind(tuple(entrypoints), fragment.tls_entrypoints):
            groups[is_wildcard(host), same].append(host)
    return groups


@lru_cache(_COMBINATIONS_MAX)
def _of_one_kind(entrypoints: tuple[str, ...], tls: frozenset[str]) -> tuple[tuple[str, ...], ...]:
    """The plain ones and those with TLS, where there are any."""
    plain = tuple(each for each in entrypoints if each not in tls)
    secure = tuple(each for each in entrypoints if each in tls)
    return tuple(filter(None, (plain, secure)))


def _name(fragment: Fragment, wildcard: bool, entrypoints: tuple[str, ...]) -> str:
    # '.' is in no environment id and in no entrypoint name: no two names can be one.
    kind = "wildcard" if wildcard else "exact"
    return f"{fragment.environment_id}.{kind}.{_joined(entrypoints)}"


def _joined(entrypoints: tuple[str, ...]) -> str:
    """The entrypoints in a name; Traefik refuses a document with a key of over 1,024 characters."""
    joined = ".".join(entrypoints)
    if len(joined) <= _JOINED_MAX:
        return joined
    return f"{len(entrypoints)}-{hashlib.sha256(joined.encode()).hexdigest()[:16]}"


def _kept(fragment: Fragment, lost: frozenset[Claim]) -> dict[str, list[str]]:
    kept: dict[str, list[str]] = defaultdict(list)
    for claim in fragment.claims:
        if claim not in lost:
            kept[claim.host].append(claim.entrypoint)
    return kept


def _router(fragment: Fragment, hosts: list[str], entrypoints: tuple[str, ...]) -> Router:
    path = fragment.claims[0].path
    router: Router = {
        "rule": rule(hosts, path),
        "priority": priority(hosts[0], path),
        "entryPoints": list(entrypoints),
        "service": fragment.environment_id,
    }
    if fragment.middleware_names:
        router["middlewares"] = list(fragment.middleware_names)
    if entrypoints[0] in fragment.tls_entrypoints:
        router["tls"] = fragment.tls
    return router
