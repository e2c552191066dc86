"""Claims that two records make: who keeps each, whatever the order of the records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from provider.render.fragment import Claim, Fragment

_NEWEST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Conflict:
    """A claim that `loser` makes and `holder` keeps; both are environment ids."""

    claim: Claim
    loser: str
    holder: str
    message: str


def resolve(
    fragments: Iterable[Fragment], incumbents: Mapping[Claim, str] | None = None
) -> tuple[Conflict, ...]:
    """Every lost claim, by loser and claim. The oldest keeps it; of one age the smallest id.

    `incumbents` are the ids of those who keep a claim whatever the ages.
    """
    known = incumbents or {}
    claimants: dict[Claim, list[Fragment]] = defaultdict(list)
    for fragment in fragments:
        for claim in fragment.claims:
            claimants[claim].append(fragment)
    conflicts = [
        _conflict(claim, loser, holder, settled=claim in known)
        for claim, several in claimants.items()
        if len(several) > 1
        for holder, *losers in [sorted(several, key=partial(_rank, known.get(claim)))]
        for loser in losers
    ]
    return tuple(sorted(conflicts, key=lambda conflict: (conflict.loser, conflict.claim)))


def lost_by(conflicts: Iterable[Conflict]) -> Mapping[str, frozenset[Claim]]:
    """The claims that each environment lost."""
    lost: dict[str, set[Claim]] = defaultdict(set)
    for conflict in conflicts:
        lost[conflict.loser].add(conflict.claim)
    return {environment_id: frozenset(claims) for environment_id, claims in lost.items()}


def seniority(fragment: Fragment) -> tuple[datetime, str]:
    """By what those who make a claim are ordered; the first keeps it."""
    return fragment.created_at or _NEWEST, fragment.environment_id


def _rank(incumbent: str | None, fragment: Fragment) -> tuple[bool, tuple[datetime, str]]:
    """First whoever keeps the claim anyhow."""
    return fragment.environment_id != incumbent, seniority(fragment)


def _conflict(claim: Claim, loser: Fragment, holder: Fragment, *, settled: bool) -> Conflict:
    older = (holder.created_at or _NEWEST) < (loser.created_at or _NEWEST)
    why = "which is older" if older else "of the same age, whose id comes first"
    why = "which has it already" if settled else why
    message = f"{claim} is held by {holder.environment_id} ({holder.slug}), {why}"
    if loser.fallback_host and holder.fallback_host:
        message += (
            "; neither gives router.hostnames, so both stand for their one host.hostname: "
            "give one of them hostnames of its own"
        )
    return Conflict(claim, loser.environment_id, holder.environment_id, message)
