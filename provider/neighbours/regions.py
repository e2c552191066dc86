"""How much of a claim a rule catches: everything, something for sure, or what nobody can tell.

A claim is looked at in cells: its path itself, and all that lies below it. Each alternative of a
rule either holds for a whole cell, or is tried on requests that its own arguments suggest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal

from provider.neighbours.conditions import Catch, Request, all_of, decide, plain_host
from provider.render.fragment import Claim
from provider.render.rules import is_wildcard
from registry.names import covers
from registry.traefik_rule import Alternative, Matcher

How = Literal["all", "part", "may"]

TRIALS_MAX = 5000
_UNHEARD = "\U0010ffff"  # in no rule, so no argument but the one it follows is met


@dataclass(frozen=True, slots=True)
class Cell:
    """A part of a claim: one path, or with `below` all that begins with it."""

    host: str
    path: str
    below: bool


def how_much(alternatives: tuple[Alternative, ...] | None, claim: Claim) -> How | None:
    """How much of the claim is caught; None for nothing. `alternatives` None: a rule unknown."""
    if alternatives is None:
        return "may"
    cells = _cells(claim)
    found = [[_of_cell(one, cell) for one in alternatives] for cell in cells]
    if all("all" in outcomes for outcomes in found):
        return "all"
    seen = {outcome for outcomes in found for outcome in outcomes}
    return "part" if seen & {"all", "part"} else "may" if "may" in seen else None


def _cells(claim: Claim) -> tuple[Cell, ...]:
    if claim.path == "/":
        return (Cell(claim.host, "/", True),)
    return Cell(claim.host, claim.path, False), Cell(claim.host, claim.path + "/", True)


def _of_cell(alternative: Alternative, cell: Cell) -> How | None:
    each = [_throughout(matcher, negated, cell) for matcher, negated in alternative]
    if Catch.NO in each:
        return None
    if all(one is Catch.YES for one in each):
        return "all"
    return _tried(alternative, cell)


def _throughout(matcher: Matcher, negated: bool, cell: Cell) -> Catch:
    """YES or NO where it is so for every request of the cell, else MAYBE."""
    if matcher.name == "Host" and is_wildcard(cell.host) and len(matcher.args) == 1:
        outcome = _wildcard_host(plain_host(matcher.args[0]), cell.host)
    elif matcher.name in ("Path", "PathPrefix") and cell.below and len(matcher.args) == 1:
        outcome = _below(matcher.name, matcher.args[0], cell.path)
    else:
        outcome = decide(matcher, Request(cell.host, cell.path))
    return outcome.contrary if negated else outcome


def _wildcard_host(pattern: str, ours: str) -> Catch:
    met = pattern in ("*", ours) or covers(ours, pattern)
    return Catch.MAYBE if met else Catch.NO


def _below(name: str, argument: str, prefix: str) -> Catch:
    if name == "PathPrefix" and prefix.startswith(argument):
        return Catch.YES
    return Catch.MAYBE if argument.startswith(prefix) else Catch.NO


def _tried(alternative: Alternative, cell: Cell) -> How | None:
    hosts, paths, methods = (
        _hosts(alternative, cell),
        _paths(alternative, cell),
        _methods(alternative),
    )
    if len(hosts) * len(paths) * len(methods) > TRIALS_MAX:
        return "may"
    outcome: How | None = None
    for host, path, method in product(hosts, paths, methods):
        caught = _holds(alternative, Request(host, path, method))
        if caught is Catch.YES:
            return "part"
        if caught is Catch.MAYBE:
            outcome = "may"
    return outcome


def _holds(alternative: Alternative, request: Request) -> Catch:
    return all_of(
        decide(matcher, request).contrary if negated else decide(matcher, request)
        for matcher, negated in alternative
    )


def _hosts(alternative: Alternative, cell: Cell) -> set[str]:
    if not is_wildcard(cell.host):
        return {cell.host}
    named = (plain_host(text) for text in _arguments(alternative, "Host"))
    real = (host for host in named if "*" not in host and covers(cell.host, host))
    return {_UNHEARD + cell.host[1:], *real}


def _paths(alternative: Alternative, cell: Cell) -> set[str]:
    if not cell.below:
        return {cell.path}
    named = [text for text in _arguments(alternative, "Path", "PathPrefix")
             if text.startswith(cell.path)]  # fmt: skip
    return {each + more for each in [cell.path, *named] for more in ("", _UNHEARD)}


def _methods(alternative: Alternative) -> set[str]:
    named = {text.upper() for text in _arguments(alternative, "Method")}
    return {"GET", _UNHEARD, *named} if named else {"GET"}


def _arguments(alternative: Alternative, *names: str) -> Iterator[str]:
    for matcher, _ in alternative:
        if matcher.name in names and len(matcher.args) == 1:
            yield matcher.args[0]
