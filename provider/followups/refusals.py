"""What Traefiks say of routers of ours, for the two kinds that tell it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provider.followups.values import Kind, Undecided
from provider.followups.world import World
from provider.observe.facts import RouterFact, TraefikFacts
from registry.schema import Environment

_MISSING = re.compile(r'middleware "([^"]+)" does not exist')  # traefik pkg/server/router


def refusals(world: World) -> Iterator[tuple[TraefikFacts, RouterFact, Environment]]:
    """Each router at fault, with the environment that it is of."""
    for facts in world.reached:
        for fault in facts.faults:
            entry = world.snapshot.by_id.get(fault.service.removesuffix("@http"))
            if entry is not None and entry.environment is not None:
                yield facts, fault, entry.environment


def undecided(kind: Kind, world: World) -> Iterator[Undecided]:
    """While a known Traefik is away, nothing that it said is taken back."""
    if len(world.reached) < len(world.traefiks):
        yield Undecided(kind)


def is_about_middlewares(words: str) -> bool:
    """Whether an error of Traefik's is about a missing middleware."""
    return _MISSING.search(words) is not None


def missing_middlewares(fault: RouterFact) -> list[str]:
    """The middlewares that a router needs and that are not there."""
    return [name for words in fault.errors for name in _MISSING.findall(words)]
