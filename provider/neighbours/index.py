"""Which routers of others meet a claim of ours: parsed once, found by host."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from provider.neighbours.conditions import (
    is_on,
    is_redirection,
    matchers_of,
    plain_host,
    rule_of,
)
from provider.neighbours.regions import How, how_much
from provider.observe.facts import RouterFact
from provider.render.fragment import Claim
from provider.render.rules import is_wildcard, rule
from registry.traefik_rule import Alternative, Rule, RuleFault, alternatives

Winner = Literal["ours", "theirs", "unknown"]
_HOW = {
    "all": "catches every request of",
    "part": "catches some requests of",
    "may": "may catch requests of",
}
_WINNER = {
    "ours": "ours goes first",
    "theirs": "theirs goes first",
    "unknown": "with equal priorities it is not known which goes first",
}


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A router of another provider that meets a claim: how much of it, and who goes first.

    `redirect` marks Traefik's own redirection of a whole entrypoint, which people want.
    """

    router: RouterFact
    how: How
    winner: Winner
    message: str
    redirect: bool


def overlaps(
    claim: Claim, our_priority: int, is_tls: bool, neighbours: Iterable[RouterFact]
) -> tuple[Neighbour, ...]:
    """The neighbours of one claim. For many claims make one NeighbourIndex and ask that."""
    return NeighbourIndex(neighbours).overlaps(claim, our_priority, is_tls)


@dataclass(frozen=True, slots=True)
class _Parsed:
    router: RouterFact
    alternatives: tuple[Alternative, ...] | None
    looks_at_host: bool
    redirect: bool


class NeighbourIndex:
    """Routers of other providers, by the hosts that they name.

    What `before` has parsed is not parsed again: routers come and go one by one.
    """

    def __init__(self, routers: Iterable[RouterFact], before: NeighbourIndex | None = None) -> None:
        self.routers = tuple(routers)
        parsed = {each.router: each for each in before._known} if before else {}
        self._known: list[_Parsed] = [
            parsed.get(router) or _parsed(router) for router in self.routers
        ]
        self._by_host: dict[str, set[int]] = defaultdict(set)
        self._below: dict[str, set[int]] = defaultdict(set)
        self._wildcards: dict[str, set[int]] = defaultdict(set)
        self._anywhere: set[int] = set()
        self._answered: dict[tuple[int, str], How | None] = {}
        for number, known in enumerate(self._known):
            self._file(number, known.alternatives)

    def overlaps(self, claim: Claim, our_priority: int, is_tls: bool) -> tuple[Neighbour, ...]:
        """The neighbours of one claim, in the order of the routers."""
        found = []
        for number in sorted(self._near(claim.host)):
            known = self._known[number]
            if is_on(known.router, claim.entrypoint, is_tls):
                how = self._how(number, claim)
                if how is not None:
                    found.append(_neighbour(known, how, claim, our_priority))
        return tuple(found)

    def _file(self, number: int, parsed: tuple[Alternative, ...] | None) -> None:
        for alternative in parsed if parsed is not None else ((),):
            hosts = [
                plain_host(matcher.args[0])
                for matcher, negated in alternative
                if matcher.name == "Host" and len(matcher.args) == 1 and not negated
            ]
            if not hosts or "*" in hosts:
                self._anywhere.add(number)
            elif is_wildcard(hosts[0]):
                self._wildcards[hosts[0][2:]].add(number)
            else:
                self._by_host[hosts[0]].add(number)
                self._below[_parent(hosts[0])].add(number)

    def _near(self, host: str) -> set[int]:
        none: set[int] = set()
        if is_wildcard(host):
            named, parent = self._below.get(host[2:], none), host[2:]
        else:
            named, parent = self._by_host.get(host, none), _parent(host)
        return self._anywhere | named | self._wildcards.get(parent, none)

    def _how(self, number: int, claim: Claim) -> How | None:
        known = self._known[number]
        if known.looks_at_host:
            return how_much(known.alternatives, claim)
        # A rule without hosts is met by every claim: the same answer for each path.
        key = number, claim.path
        if key not in self._answered:
            self._answered[key] = how_much(known.alternatives, claim)
        return self._answered[key]


def _parsed(router: RouterFact) -> _Parsed:
    parsed = rule_of(router)
    looks = parsed is not None and any(each.name == "Host" for each in matchers_of(parsed))
    return _Parsed(router, _alternatives(parsed), looks, is_redirection(router))


def _alternatives(parsed: Rule | None) -> tuple[Alternative, ...] | None:
    try:
        return alternatives(parsed) if parsed is not None else None
    except RuleFault:
        return None


def _parent(host: str) -> str:
    return host.partition(".")[2]


def _neighbour(known: _Parsed, how: How, claim: Claim, our_priority: int) -> Neighbour:
    router = known.router
    winner: Winner = "unknown"
    if router.priority != our_priority:
        winner = "theirs" if router.priority > our_priority else "ours"
    message = (
        f"{router.name} ({router.rule}, priority {router.priority}) {_HOW[how]} {claim} "
        f"({rule([claim.host], claim.path)}, priority {our_priority}): {_WINNER[winner]}"
    )
    return Neighbour(router, how, winner, message, known.redirect)
