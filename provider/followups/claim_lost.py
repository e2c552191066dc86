"""A route that another environment holds."""

from __future__ import annotations

from collections.abc import Iterator

from provider.followups.values import Finding
from provider.followups.world import World, follow_up


def find(world: World) -> Iterator[Finding]:
    """Each claim that was lost."""
    for conflict in world.document.conflicts if world.document else ():
        entry = world.snapshot.by_id.get(conflict.loser)
        if entry is None or entry.environment is None:
            continue
        yield follow_up(
            "claim_lost",
            entry.environment,
            str(conflict.claim),
            "medium",
            f"Give {entry.environment.slug} another route than {conflict.claim}, or take it from "
            f"{conflict.holder}.",
            {"claim": str(conflict.claim), "holder": conflict.holder, "why": conflict.message},
        )
