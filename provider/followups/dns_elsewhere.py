"""A host name that leads to another address than it should."""

from __future__ import annotations

from collections.abc import Iterator

from provider.followups.values import Finding, Undecided
from provider.followups.world import (
    World,
    expected_addresses,
    follow_up,
    names_of,
    quoted_conventions,
)


def find(world: World) -> Iterator[Finding]:
    """For each name of which it is known where it should lead."""
    for environment in world.wanted:
        for name in names_of(environment):
            fact, expected = world.dns.get(name), expected_addresses(world, environment, name)
            if not expected:
                continue
            if fact is None or fact.outcome == "failed":
                yield Undecided("dns_elsewhere", environment.environment_id, name)
            elif fact.outcome == "found" and not set(fact.addresses) & set(expected):
                yield follow_up(
                    "dns_elsewhere",
                    environment,
                    name,
                    "medium",
                    f"Point {name} to {' or '.join(expected)}{quoted_conventions(environment)}.",
                    {
                        "name": name,
                        "addresses": list(fact.addresses),
                        "aliases": list(fact.aliases),
                        "expected": list(expected),
                    },
                )
