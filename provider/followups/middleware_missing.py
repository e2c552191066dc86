"""A middleware that a record names and that a Traefik does not have."""

from __future__ import annotations

from collections.abc import Iterator

from provider.followups.refusals import missing_middlewares, refusals, undecided
from provider.followups.values import Finding
from provider.followups.world import World, follow_up


def find(world: World) -> Iterator[Finding]:
    """Each name once, however many routers need it."""
    yield from undecided("middleware_missing", world)
    seen: set[tuple[str, str]] = set()
    for facts, fault, environment in refusals(world):
        for name in missing_middlewares(fault):
            if (environment.environment_id, name) in seen:
                continue
            seen.add((environment.environment_id, name))
            yield follow_up(
                "middleware_missing",
                environment,
                name,
                "high",
                f"Make the middleware {name} in Traefik, or take it out of {environment.slug}: "
                "its route is down.",
                {"middleware": name, "traefik": facts.url},
            )
