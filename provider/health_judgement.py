"""What several probes in a row make of a health status. Pure: values in, values out.

Only answers that contradict the status are counted: two good ones make it `healthy`, three bad
ones `offline`. An answer that agrees with it is a check, and ends the count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from provider.observe.plumbing import ProbeFact
from registry.schema import Environment, HealthStatus

GOOD_IN_A_ROW = 2
BAD_IN_A_ROW = 3
# What a good answer has nothing against: who wrote `degraded` knows more than a probe does.
_GOOD_ENOUGH = ("healthy", "degraded")


@dataclass(frozen=True, slots=True)
class Standing:
    """What the probes of one environment amount to.

    `streak` counts the last answers that contradict `status`, all of them good or all bad.
    `checked_at` is when an answer last agreed with the status. Both are of this `url` alone.
    """

    url: str
    status: HealthStatus | None = None
    is_good: bool | None = None
    streak: int = 0
    checked_at: datetime | None = None


def judged(
    known: Mapping[str, Standing],
    environments: Iterable[Environment],
    facts: Mapping[str, ProbeFact],
) -> dict[str, Standing]:
    """The standings after a round of probes; none of a record that went, or of an old URL."""
    standings = {}
    for environment in environments:
        fact = facts.get(environment.environment_id)
        before = standing_of(known, environment)
        after = _after(before, environment, fact) if fact else before
        if after is not None:
            standings[environment.environment_id] = after
    return standings


def standing_of(known: Mapping[str, Standing], environment: Environment) -> Standing | None:
    """What is known of the environment at the URL that it has now."""
    standing = known.get(environment.environment_id)
    return standing if standing and standing.url == environment.health.url else None


def flip(standing: Standing, status: HealthStatus) -> HealthStatus | None:
    """The status that the probes ask for instead of this one; None while it stands."""
    if standing.status != status:
        return None
    if standing.is_good:
        return "healthy" if standing.streak >= GOOD_IN_A_ROW else None
    return "offline" if standing.streak >= BAD_IN_A_ROW else None


def _after(before: Standing | None, environment: Environment, fact: ProbeFact) -> Standing | None:
    if fact.url != environment.health.url or fact.is_good is None:
        return before
    status = environment.health.status
    standing = before or Standing(fact.url)
    if _agrees(environment, is_good=fact.is_good):
        return Standing(fact.url, status, checked_at=fact.looked_at)
    # Somebody wrote another status: the answers before it were not about that one.
    goes_on = standing.status == status and standing.is_good is fact.is_good
    streak = min(standing.streak + 1, BAD_IN_A_ROW) if goes_on else 1
    return replace(standing, status=status, is_good=fact.is_good, streak=streak)


def _agrees(environment: Environment, *, is_good: bool) -> bool:
    """Whether an answer leaves the status as it is; in maintenance every answer does."""
    status = environment.health.status
    if "maintenance" in (status, environment.lifecycle.state):
        return True
    return status in _GOOD_ENOUGH if is_good else status == "offline"
