"""What is wrong with one Traefik, as problems. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from provider.observe.facts import TraefikFacts
from provider.routing.hints import words_of
from registry.fields import instant_text


@dataclass(frozen=True, slots=True)
class TraefikProblem:
    """One problem; `environment_id` is None where it is that of no single environment."""

    code: str
    environment_id: str | None
    detail: str


def problems_of(
    facts: TraefikFacts, refused_since: datetime | None, tls_entrypoints: frozenset[str]
) -> Iterator[TraefikProblem]:
    """A refused document, routers at fault, and entrypoints of another kind than we think.

    A Traefik that cannot be reached is none: that is a fact.
    """
    if not facts.reached:
        return
    if refused_since is not None:
        detail = (
            f"{facts.url} was given the newest document and does not run it, sure since "
            f"{instant_text(refused_since)}: its log says why"
        )
        yield TraefikProblem("document_refused", None, detail)
    for fault in facts.faults:
        environment_id = fault.service.removesuffix("@http")
        detail = f"{facts.url}: {words_of(fault, facts)}"
        yield TraefikProblem(f"router_{fault.status}", environment_id, detail)
    for entrypoint in facts.entrypoints:
        if entrypoint.tls and entrypoint.name not in tls_entrypoints:
            detail = (
                f"{facts.url}: entrypoint {entrypoint.name} speaks TLS by Traefik's own "
                "configuration; ROUTEBOOK_TLS_ENTRYPOINTS does not name it"
            )
            yield TraefikProblem("entrypoint_kind", None, detail)
