"""What follow-ups are derived from: everything that was seen at one moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

from provider.followups.values import FollowUp, Kind, Severity, Subject
from provider.health_overlay import CheckedAt, stored_check
from provider.observe.facts import TraefikFacts
from provider.observe.names import names_to_look_up
from provider.observe.plumbing import DnsFact
from provider.render.compile import DEFAULT_ENTRYPOINTS
from provider.render.document import Document
from provider.render.fragment import OwnCertificate, Pair
from registry.names import is_address
from registry.project_spec import ProjectDefinition
from registry.schema import Environment, Owner
from registry.snapshot import Snapshot
from registry.upstream import hostnames_of

_OWNERS_MAX = 1024


@dataclass(frozen=True)
class World:
    """`dns` is by name, `own` (what became of each named pair) by `environment_id`, `projects`
    by id without those that are missing or broken. `checked_at` is the newest check of an
    environment, and `checks` is another object whenever that is another; `traefik_addresses` are
    where names should lead."""

    now: datetime
    snapshot: Snapshot
    document: Document | None = None
    dns: Mapping[str, DnsFact] = field(default_factory=dict)
    own: Mapping[str, OwnCertificate] = field(default_factory=dict)
    traefiks: tuple[TraefikFacts, ...] = ()
    projects: Mapping[str, ProjectDefinition] = field(default_factory=dict)
    checked_at: CheckedAt = stored_check
    checks: object = None
    traefik_addresses: tuple[str, ...] = ()
    tls_entrypoints: frozenset[str] = frozenset(DEFAULT_ENTRYPOINTS)
    has_resolver: bool = False
    stale_health_s: float = 86400.0

    @cached_property
    def wanted(self) -> tuple[Environment, ...]:
        """The environments that need plumbing: all but the retired."""
        environments = self.snapshot.environments
        return tuple(each for each in environments if each.lifecycle.state != "retired")

    @cached_property
    def reached(self) -> tuple[TraefikFacts, ...]:
        """The Traefiks of which something holds."""
        return tuple(facts for facts in self.traefiks if facts.reached)

    @cached_property
    def served_names(self) -> frozenset[str]:
        """The names of all certificates that Traefik has of us, or was seen to have."""
        pairs = [own.pair for own in self.own.values() if own.pair]
        ours = (name for pair in pairs for name in pair.names)
        seen = (n for facts in self.reached for each in facts.certificates for n in each.names)
        return frozenset((*ours, *map(str.lower, seen)))

    def is_covered(self, host: str) -> bool:
        """Whether any certificate is for this host: Traefik picks by name, from all it has."""
        if host in self.served_names:
            return True
        _, dot, rest = host.partition(".")
        return bool(dot) and not host.startswith("*.") and f"*.{rest}" in self.served_names


def is_as_before(world: World, before: World) -> bool:
    """Whether nothing but the time is another than it was.

    Large parts are compared by identity: those that did not change are the same objects. When a
    Traefik or a name was looked at has no say in what is derived.
    """
    parts = ("snapshot", "document", "own", "checks")
    return (
        all(getattr(world, part) is getattr(before, part) for part in parts)
        and world.projects == before.projects
        and _lasting(world) == _lasting(before)
        and dns_is_alike(world.dns, before.dns)
    )


def _lasting(world: World) -> list[TraefikFacts]:
    return [replace(each, looked_at=None, surveyed_at=None) for each in world.traefiks]


def dns_is_alike(dns: Mapping[str, DnsFact], before: Mapping[str, DnsFact]) -> bool:
    """Whether the name servers say the same, whenever they were asked.

    That nothing came back says as little as that nobody asked.
    """
    if dns is before:
        return True
    now, then = _told(dns), _told(before)
    return now.keys() == then.keys() and all(f.says_as(then[name]) for name, f in now.items())


def _told(dns: Mapping[str, DnsFact]) -> dict[str, DnsFact]:
    return {name: fact for name, fact in dns.items() if fact.outcome != "failed"}


def follow_up(
    kind: Kind,
    environment: Environment,
    about: str,
    severity: Severity,
    action: str,
    evidence: Mapping[str, Any],
) -> FollowUp:
    """A follow-up of an environment in force, with its owner to ask."""
    return FollowUp(
        subject=Subject(kind, environment.environment_id, about),
        severity=severity,
        action=action,
        evidence=evidence,
        slug=environment.slug,
        owner=_as_json(environment.owner),
    )


@lru_cache(_OWNERS_MAX)  # few people have many environments
def _as_json(owner: Owner) -> Mapping[str, Any]:
    return asdict(owner)


def urgency(environment: Environment) -> Severity:
    """What is planned can wait."""
    return "medium" if environment.lifecycle.state == "planned" else "high"


def router_hosts(environment: Environment) -> tuple[str, ...]:
    """The host names that Traefik is to match; none without a router."""
    router = environment.router
    return hostnames_of(router, environment.host) if router else ()


def names_of(environment: Environment) -> tuple[str, ...]:
    """Every host name of an environment that is to be in DNS; addresses are no names."""
    return tuple(name for name in names_to_look_up([environment]) if not is_address(name))


def tls_hosts(world: World, environment: Environment) -> tuple[str, ...]:
    """Those of its router's hosts that are to be served over TLS."""
    router = environment.router
    if router is None:
        return ()
    entrypoints = router.entrypoints or DEFAULT_ENTRYPOINTS
    return router_hosts(environment) if world.tls_entrypoints.intersection(entrypoints) else ()


def served_pairs(world: World) -> Iterator[tuple[Environment, Pair, str]]:
    """Each environment whose own pair is served, with the pair and the certificate's file name."""
    for environment in world.wanted:
        own, router = world.own.get(environment.environment_id), environment.router
        if own is not None and own.pair is not None and router is not None and router.tls:
            yield environment, own.pair, router.tls.cert_file or ""


def expected_addresses(world: World, environment: Environment, host: str) -> tuple[str, ...]:
    """Where a name should lead: a router's to Traefik, the machine's to its address."""
    if world.traefik_addresses and host in router_hosts(environment):
        return world.traefik_addresses
    return (environment.host.ip,) if environment.host.ip else ()


def quoted_conventions(environment: Environment) -> str:
    """What the metadata says of the manual work, to be quoted: zones and the router's name."""
    metadata = environment.metadata.model_dump()
    zones = ", ".join(texts(metadata.get("dns_zones")))
    router = metadata.get("traefik_router")
    parts = [f"DNS zones: {zones}"] if zones else []
    parts += [f"Traefik router: {router}"] if isinstance(router, str) and router else []
    return f" ({'; '.join(parts)})" if parts else ""


def texts(value: Any) -> Iterator[str]:
    """The texts of a list that a free part may have; nothing of anything else."""
    for each in value if isinstance(value, list) else ():
        if isinstance(each, str) and each:
            yield each
