"""One known Traefik: what was seen of it, and the routers of others there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from provider.document_log import LoggedDocument
from provider.neighbours.index import NeighbourIndex
from provider.observe.facts import RouterFact, TraefikFacts
from provider.observe.sighting import Sighting
from provider.routing.live import LOOKED_AT_MAX, SURVEYED_AT_MAX, is_old
from provider.routing.served import ServedSince


class Refused(NamedTuple):
    """A document that a Traefik surely does not take, and since when that is sure."""

    digest: str
    since: datetime


@dataclass
class Known:
    """One Traefik: its sighting, and the routers of others there.

    `refused` is the newest document that it surely does not take; `told` are the facts when they
    last said anything else than before; `prepared` is an index of routers that are about to be met.
    """

    sighting: Sighting
    served: ServedSince
    neighbours: tuple[RouterFact, ...] = ()
    index: NeighbourIndex = field(default_factory=lambda: NeighbourIndex(()))
    refused: Refused | None = None
    told: TraefikFacts | None = None
    prepared: NeighbourIndex | None = None

    def prepare(self, facts: TraefikFacts) -> None:
        """Parse the routers of others in these facts; may be called in a thread."""
        others = _others(facts)
        if others != self.neighbours:
            self.prepared = NeighbourIndex(others, self.index)

    def meet(self, facts: TraefikFacts) -> None:
        """Take the routers of others."""
        ready, self.prepared, others = self.prepared, None, _others(facts)
        if self.neighbours != others:
            is_ready = ready is not None and ready.routers == others
            self.neighbours = others
            self.index = ready if ready and is_ready else NeighbourIndex(others, self.index)

    @property
    def refused_since(self) -> datetime | None:
        """When it was sure that it does not take the newest document."""
        return self.refused and self.refused.since


def said_by(
    known: Known, latest: LoggedDocument | None, now: datetime
) -> tuple[object, object, object, bool]:
    """As `RoutingBoard.made_of`. When it was looked at matters only while that is too long ago."""
    facts = known.sighting.facts
    looked_at, surveyed_at = facts.looked_at, facts.surveyed_at
    is_recent = (
        looked_at is not None
        and not is_old(looked_at, LOOKED_AT_MAX, now)
        and (latest is None or looked_at >= latest.published_at)
    )
    is_surveyed = surveyed_at is not None and not is_old(surveyed_at, SURVEYED_AT_MAX, now)
    return known.told, known.refused, None if is_recent else looked_at, is_surveyed


def _others(facts: TraefikFacts) -> tuple[RouterFact, ...]:
    """Routers that may meet ours: no record is routed on Traefik's own entrypoint, where its API
    and dashboard are."""
    return tuple(each for each in facts.neighbours if each.entrypoints != ("traefik",))
