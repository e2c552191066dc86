"""Which records have a host pattern that fits, routed or not, and what keeps the others out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provider.explain.values import Candidate, Contender, Knowledge
from provider.render.conflicts import Conflict
from provider.render.fragment import Claim, Fragment
from provider.render.routers import router_of
from provider.render.traefik import Router
from registry.entries import Entry
from registry.names import canonical_host, canonical_pattern
from registry.schema import Environment
from registry.upstream import hostnames_of


@dataclass(frozen=True, slots=True)
class Fitting:
    """A routed record, and its claims that fit the host, the lost ones with their conflict.

    `broken` says what is wrong with the stored record, when this is its last good version.
    """

    fragment: Fragment
    claims: tuple[Claim, ...]
    lost: Mapping[Claim, Conflict]
    broken: str | None


def patterns_of(host: str) -> frozenset[str]:
    """The canonical patterns that cover a canonical host."""
    return frozenset((host, f"*.{host.partition('.')[2]}"))


def routed_fitting(host: str, knowledge: Knowledge) -> list[Fitting]:
    """Every record of the document that claims the host."""
    patterns, document = patterns_of(host), knowledge.document
    lost: dict[str, dict[Claim, Conflict]] = {}
    for conflict in document.conflicts:
        if conflict.claim.host in patterns:
            lost.setdefault(conflict.loser, {})[conflict.claim] = conflict
    found = []
    for fragment in document.fragments:
        claims = tuple(claim for claim in fragment.claims if claim.host in patterns)
        if claims:
            own = lost.get(fragment.environment_id, {})
            entry = knowledge.snapshot.by_id.get(fragment.environment_id)
            found.append(Fitting(fragment, claims, own, _broken(entry)))
    return found


def claiming_nothing(host: str, knowledge: Knowledge) -> Iterator[Candidate]:
    """Every record that fits the host and is not in the document, with what keeps it out."""
    patterns, document = patterns_of(host), knowledge.document
    routed = {fragment.environment_id for fragment in document.fragments}
    rejected = {each.environment_id: each for each in document.rejections}
    for entry in knowledge.snapshot.entries:
        environment = entry.environment
        if environment is None or (entry.fault and not _fits(environment, patterns)):
            if entry.fault and not patterns.isdisjoint(_named_in(entry.raw.text)):
                yield _unusable(entry)
        elif environment.environment_id not in routed and _fits(environment, patterns):
            rejection = rejected.get(environment.environment_id)
            if rejection is not None:
                words = f"{rejection.code}: {rejection.message}"
                yield _left_out(environment, "rejected", words, entry)
            else:
                yield _unrouted(environment, entry)


def serving(winner: Contender, knowledge: Knowledge) -> tuple[str, Router]:
    """The router of the document, with its name, that a contender stands for."""
    own = winner.fragment.environment_id
    lost = frozenset(each.claim for each in knowledge.document.conflicts if each.loser == own)
    return router_of(winner.fragment, lost, winner.claim)


def _unrouted(environment: Environment, entry: Entry) -> Candidate:
    state = environment.lifecycle.state
    if environment.router is None:
        return _left_out(environment, "no_router", "it has no metadata.router", entry)
    if environment.routed:  # the next document will have it
        return _left_out(environment, "state", "it is not in the document yet", entry)
    words = f"it is {state}: only active and maintenance environments are routed"
    return _left_out(environment, "state", words, entry)


def _left_out(environment: Environment, reason: Any, words: str, entry: Entry) -> Candidate:
    broken = _broken(entry)
    return Candidate(
        reason=reason,
        message=f"{words}; {broken}" if broken else words,
        environment_id=environment.environment_id,
        slug=environment.slug,
        quarantined=broken is not None,
    )


def _unusable(entry: Entry) -> Candidate:
    assert entry.fault is not None
    good = entry.environment
    last = "its last good version, which does not name this host," if good else "nothing of it"
    reasons = "; ".join(str(error) for error in entry.fault.errors)
    return Candidate(
        reason="quarantined",
        message=f"the stored record is broken ({reasons}): {last} is what is in force",
        environment_id=good.environment_id if good else entry.fault.environment_id,
        slug=good.slug if good else entry.fault.slug,
        quarantined=True,
    )


def _broken(entry: Entry | None) -> str | None:
    if entry is None or entry.fault is None:
        return None
    reasons = "; ".join(str(error) for error in entry.fault.errors)
    return f"the stored record is broken ({reasons}): this is its last good version"


def _fits(environment: Environment, patterns: frozenset[str]) -> bool:
    if environment.router is None:
        return canonical_host(environment.host.hostname) in patterns
    return not patterns.isdisjoint(hostnames_of(environment.router, environment.host))


def _named_in(text: str) -> set[str]:
    """The host patterns that a broken record seems to ask for."""
    try:
        record = json.loads(text)
    except ValueError:
        return set()
    given = _inside(_inside(_inside(record, "metadata"), "router"), "hostnames")
    names = given if isinstance(given, list) and given else [
        _inside(_inside(record, "host"), "hostname")
    ]  # fmt: skip
    return {pattern for name in names if (pattern := _pattern(name))}


def _inside(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _pattern(name: Any) -> str | None:
    try:
        return canonical_pattern(name) if isinstance(name, str) else None
    except ValueError:
        return None
