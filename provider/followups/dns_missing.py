"""A host name that does not exist in DNS."""

from __future__ import annotations

from collections.abc import Iterator

from provider.followups.values import Finding, Undecided
from provider.followups.world import World, follow_up, names_of, quoted_conventions, urgency


def find(world: World) -> Iterator[Finding]:
    """For each name of each environment; one that could not be looked up is undecided."""
    for environment in world.wanted:
        for name in names_of(environment):
            fact = world.dns.get(name)
            if fact is None or fact.outcome == "failed":
                yield Undecided("dns_missing", environment.environment_id, name)
            elif fact.outcome == "absent":
                yield follow_up(
                    "dns_missing",
                    environment,
                    name,
                    urgency(environment),
                    f"Make a DNS record for {name}{quoted_conventions(environment)}.",
                    {"name": name, "aliases": list(fact.aliases), "detail": fact.detail},
                )
