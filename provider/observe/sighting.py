"""One Traefik over time: what its last look says, and since when. Pure: times are given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from provider.observe.facts import OUR_PROVIDER, RouterFact, TraefikFacts


class Run(NamedTuple):
    """That it ran a document, and when that was first seen."""

    digest: str | None
    since: datetime


@dataclass
class Sighting:
    """The facts of one Traefik, and when what they say began.

    `since` is since when it is reached without a break as this process, or is not reached;
    `run` is the document that it was last seen to run, None before it was seen at all.
    """

    facts: TraefikFacts
    since: datetime
    run: Run | None = None
    _fault_since: dict[str, datetime] = field(default_factory=dict)
    _faults: Mapping[str, list[RouterFact]] = field(default_factory=dict)

    def see(self, facts: TraefikFacts, now: datetime) -> bool:
        """Take new facts; whether they say anything else than those before."""
        before, self.facts = self.facts, facts
        if (before.reached, before.started_at) != (facts.reached, facts.started_at):
            self.since = now
        if facts.reached and (self.run is None or self.run.digest != facts.live_digest):
            self.run = Run(facts.live_digest, now)
        known = self._fault_since
        self._fault_since = {fault.name: known.get(fault.name, now) for fault in facts.faults}
        if facts.faults is not before.faults:
            self._faults = _by_environment(facts.faults)
        return _lasting(before) != _lasting(facts)

    def faults_of(self, environment_id: str) -> Sequence[RouterFact]:
        """Its routers that are at fault: their names may be changed by Traefik (`websecure-…`),
        their service has its id."""
        return self._faults.get(environment_id, ())

    def fault_since(self, router: str) -> datetime:
        """When this router was first seen as it is."""
        return self._fault_since.get(router, self.since)


def _by_environment(faults: Iterable[RouterFact]) -> Mapping[str, list[RouterFact]]:
    found: dict[str, list[RouterFact]] = defaultdict(list)
    for fault in faults:
        found[fault.service.removesuffix(f"@{OUR_PROVIDER}")].append(fault)
    return found


def _lasting(facts: TraefikFacts) -> TraefikFacts:
    return replace(facts, looked_at=None, surveyed_at=None)
