"""A router that a Traefik does not plainly run."""

from __future__ import annotations

from collections.abc import Iterator

from provider.followups.refusals import is_about_middlewares, refusals, undecided
from provider.followups.values import Finding
from provider.followups.world import World, follow_up


def find(world: World) -> Iterator[Finding]:
    """For other reasons than a missing middleware, which has its own kind."""
    yield from undecided("router_refused", world)
    for facts, fault, environment in refusals(world):
        words = [each for each in fault.errors if not is_about_middlewares(each)]
        if words or not fault.errors:
            yield follow_up(
                "router_refused",
                environment,
                fault.name,
                "high" if fault.status == "disabled" else "medium",
                f"Mend the route of {environment.slug}: Traefik has its router "
                f"{fault.status}, and says why.",
                {"traefik": facts.url, "router": fault.name, "words": words},
            )
