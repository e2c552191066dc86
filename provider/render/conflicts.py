"""Claims that two records make: who keeps each, whatever the order of the records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
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


@dataclass(frozen=True, slots=True)
class Claims:
    """Who makes each claim, and every lost one, by loser and claim."""

    makers: Mapping[Claim, tuple[Fragment, ...]]
    conflicts: tuple[Conflict, ...]


def claims_of(
    fragments: Iterable[Fragment], incumbents: Mapping[Claim, str] | None = None
) -> Claims:
    """All claims judged. The oldest keeps one; of one age the smallest id.

    `incumbents` are the ids of those who keep a claim whatever the ages.
    """
    makers: dict[Claim, tuple[Fragment, ...]] = {}
    for fragment in fragments:
        for claim in fragment.claims:
            makers[claim] = (*makers.get(claim, ()), fragment)
    return Claims(makers, _sorted(_judged(makers, makers, incumbents or {})))


def claims_after(before: Claims, gone: Iterable[Fragment], new: Iterable[Fragment]) -> Claims:
    """As `claims_of` all fragments without incumbents, when only these are gone and new.

    Judges what they claim, and nothing else.
    """
    makers, touched = dict(before.makers), set[Claim]()
    for fragment in gone:
        for claim in fragment.claims:
            makers[claim] = tuple(each for each in makers[claim] if each is not fragment)
        touched.update(fragment.claims)
    for fragment in new:
        for claim in fragment.claims:
            makers[claim] = (*makers.get(claim, ()), fragment)
        touched.update(fragment.claims)
    for claim in touched:
        if not makers[claim]:
            del makers[claim]
    kept = (each for each in before.conflicts if each.claim not in touched)
    return Claims(makers, _sorted([*kept, *_judged(makers, touched, {})]))


def resolve(
    fragments: Iterable[Fragment], incumbents: Mapping[Claim, str] | None = None
) -> tuple[Conflict, ...]:
    """The conflicts of `claims_of`."""
    return claims_of(fragments, incumbents).conflicts


def lost_by(conflicts: Iterable[Conflict]) -> Mapping[str, frozenset[Claim]]:
    """The claims that each environment lost."""
    lost: dict[str, set[Claim]] = defaultdict(set)
    for conflict in conflicts:
        lost[conflict.loser].add(conflict.claim)
    return {environment_id: frozenset(claims) for environment_id, claims in lost.items()}


def seniority(fragment: Fragment) -> tuple[datetime, str]:
    """By what those who make a claim are ordered; the first keeps it."""
    return fragment.created_at or _NEWEST, fragment.environment_id


def _judged(
    makers: Mapping[Claim, tuple[Fragment, ...]],
    claims: Iterable[Claim],
    incumbents: Mapping[Claim, str],
) -> Iterator[Conflict]:
    for claim in claims:
        several = makers.get(claim, ())
        if len(several) > 1:
            holder, *losers = sorted(several, key=partial(_rank, incumbents.get(claim)))
            for loser in losers:
                yield _conflict(claim, loser, holder, settled=claim in incumbents)


def _sorted(conflicts: Iterable[Conflict]) -> tuple[Conflict, ...]:
    return tuple(sorted(conflicts, key=lambda conflict: (conflict.loser, conflict.claim)))


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
