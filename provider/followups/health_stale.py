"""An environment whose health was not looked at for too long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from provider.followups.values import Finding
from provider.followups.world import World, follow_up
from registry.fields import instant_text


def find(world: World) -> Iterator[Finding]:
    """Of those that are to answer: active, and in maintenance."""
    oldest = world.now - timedelta(seconds=world.stale_health_s)
    for environment in world.wanted:
        if environment.lifecycle.state == "planned":
            continue
        checked_at = world.checked_at(environment)
        if checked_at is not None and checked_at >= oldest:
            continue
        url = environment.health.url
        how = f"see why {url} is not probed" if url else "give it a health.url"
        yield follow_up(
            "health_stale",
            environment,
            "",
            "low",
            f"Check the health of {environment.slug} and record it, or {how}.",
            {"checked_at": instant_text(checked_at) if checked_at else None, "url": url},
        )
