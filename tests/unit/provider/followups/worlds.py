"""Worlds to derive follow-ups from: environments, and what was seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from provider.followups.derive import derive
from provider.followups.values import FollowUp, Kind, Undecided
from provider.followups.world import World
from provider.observe.facts import RouterFact, TraefikFacts
from provider.observe.plumbing import DnsFact
from provider.render.compile import Rules
from provider.render.compiler import Compiler
from provider.render.document import assemble
from provider.render.fragment import OwnCertificate, Pair
from registry.entries import Entry, RawRecord
from registry.project_spec import ProjectDefinition
from registry.schema import Environment
from registry.snapshot import Snapshot

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def world(*environments: Environment, entries: tuple[Entry, ...] = (), **more: Any) -> World:
    """What was seen of these; the document is theirs."""
    good = tuple(Entry(RawRecord(each.slug, "{}"), each) for each in environments)
    document = assemble(Compiler(Rules()).compile_all(environments))
    return World(NOW, Snapshot((*good, *entries)), document, **more)


def found(seen: World, kind: Kind) -> list[FollowUp]:
    """The follow-ups of one kind."""
    every = (each for each in derive(seen) if isinstance(each, FollowUp))
    return [each for each in every if each.subject.kind == kind]


def undecided(seen: World, kind: Kind) -> list[Undecided]:
    """What nobody could tell, of one kind."""
    return [each for each in derive(seen) if isinstance(each, Undecided) and each.kind == kind]


def dns(**names: Any) -> dict[str, DnsFact]:
    """Facts by name (`_` for `.`): addresses, or an outcome."""
    facts = {}
    for name, seen in names.items():
        host = name.replace("_", ".")
        if isinstance(seen, str):
            facts[host] = DnsFact(host, seen, NOW)  # type: ignore[arg-type]
        else:
            facts[host] = DnsFact(host, "found", NOW, tuple(seen))
    return facts


def pair(*names: str, days: float = 90) -> OwnCertificate:
    """A pair that is served, for so many days more."""
    return OwnCertificate(Pair("f" * 64, names, NOW + timedelta(days=days), "c.pem", "k.pem"))


def traefik(*faults: RouterFact, problem: str | None = None, **more: Any) -> TraefikFacts:
    """A Traefik with these routers at fault."""
    return TraefikFacts("http://traefik.test:8080", NOW, problem, faults=faults, **more)


def fault(environment: str, *errors: str, status: str = "disabled") -> RouterFact:
    """A router at fault."""
    name = f"{environment}.exact.web@http"
    return RouterFact(name, "", 1, status, ("web",), environment, errors=errors)


def project(**more: Any) -> dict[str, ProjectDefinition]:
    """The workspace of the records."""
    given = {"id": "nightshift", "name": "Nightshift", **more}
    return {"nightshift": ProjectDefinition.model_validate(given)}
