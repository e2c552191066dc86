"""One Traefik over time: what its last look says, and since when. Pure: times are given."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from provider.observe.facts import TraefikFacts

DIGESTS_KEPT = 64


class Run(NamedTuple):
    """That it ran a document, and when that was first seen."""

    digest: str | None
    since: datetime


@dataclass
class Sighting:
    """The facts of one Traefik, and when what they say began."""

    facts: TraefikFacts
    since: datetime
    runs: deque[Run] = field(default_factory=lambda: deque(maxlen=DIGESTS_KEPT))
    _fault_since: dict[str, datetime] = field(default_factory=dict)

    def see(self, facts: TraefikFacts, now: datetime) -> bool:
        """Take new facts; whether they say anything else than those before."""
        before, self.facts = self.facts, facts
        if (before.problem, before.started_at) != (facts.problem, facts.started_at):
            self.since = now
        if facts.reached and (not self.runs or self.runs[-1].digest != facts.live_digest):
            self.runs.append(Run(facts.live_digest, now))
        known = self._fault_since
        self._fault_since = {fault.name: known.get(fault.name, now) for fault in facts.faults}
        return _lasting(before) != _lasting(facts)

    def fault_since(self, router: str) -> datetime:
        """When this router was first seen as it is."""
        return self._fault_since.get(router, self.since)


def _lasting(facts: TraefikFacts) -> TraefikFacts:
    return replace(facts, looked_at=None, surveyed_at=None)
