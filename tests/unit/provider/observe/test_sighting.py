"""One Traefik over time: what is new, and since when."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from provider.observe.facts import RouterFact, TraefikFacts
from provider.observe.sighting import Sighting
from tests.unit.fakes import NOON, Clock

AWAY = TraefikFacts("http://traefik.test:8080")
FAULT = RouterFact(
    "websecure-env-a.exact@http", "", 1, "disabled", ("web",), "env-a", errors=("no",)
)


def here(**changes: Any) -> TraefikFacts:
    """Facts of a look that was whole."""
    return replace(AWAY, problem=None, started_at="then", live_digest="one", **changes)


def test_it_says_whether_anything_is_new_beside_the_times() -> None:
    sighting = Sighting(AWAY, NOON)
    assert sighting.see(here(), NOON)
    assert not sighting.see(here(looked_at=NOON, surveyed_at=NOON), NOON)
    assert sighting.see(here(faults=(FAULT,)), NOON)


def test_it_remembers_when_it_first_ran_a_document() -> None:
    clock, sighting = Clock(), Sighting(AWAY, NOON)
    assert sighting.run is None
    sighting.see(here(), clock())
    first = sighting.run
    sighting.see(here(), clock.move(seconds=5))
    assert sighting.run is first
    assert first == ("one", NOON)
    later = clock.move(seconds=5)
    sighting.see(replace(here(), live_digest=None), later)
    assert sighting.run == (None, later)


def test_what_it_ran_is_not_what_a_failed_look_has() -> None:
    sighting = Sighting(AWAY, NOON)
    sighting.see(replace(here(), problem="nothing answers"), NOON)
    assert sighting.run is None


def test_since_moves_when_it_goes_comes_or_starts_anew_and_not_with_its_words() -> None:
    clock, sighting = Clock(), Sighting(AWAY, NOON)
    sighting.see(replace(AWAY, problem="nothing answers"), clock.move(seconds=1))
    sighting.see(replace(AWAY, problem="does not answer in time"), clock.move(seconds=1))
    assert sighting.since == NOON
    came = clock.move(seconds=1)
    sighting.see(here(), came)
    sighting.see(here(routers=5), clock.move(seconds=1))
    assert sighting.since == came
    anew = clock.move(seconds=1)
    sighting.see(replace(here(), started_at="now"), anew)
    assert sighting.since == anew


def test_a_fault_is_of_the_environment_that_its_service_names_and_keeps_its_time() -> None:
    clock, sighting = Clock(), Sighting(AWAY, NOON)
    sighting.see(here(faults=(FAULT,)), clock())
    sighting.see(here(faults=(replace(FAULT, errors=("other",)),)), clock.move(seconds=9))
    assert [fault.errors for fault in sighting.faults_of("env-a")] == [("other",)]
    assert sighting.fault_since(FAULT.name) == NOON
    assert list(sighting.faults_of("env-b")) == []
    sighting.see(here(), clock())
    sighting.see(here(faults=(FAULT,)), clock.move(seconds=1))
    assert sighting.fault_since(FAULT.name) == clock()
    assert sighting.fault_since("unknown@http") == NOON
