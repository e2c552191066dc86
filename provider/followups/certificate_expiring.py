"""A certificate that ends soon, or has ended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from provider.followups.values import Finding, Severity
from provider.followups.world import World, follow_up

_STEPS: tuple[tuple[timedelta, str, Severity], ...] = (
    (timedelta(0), "has ended", "high"),
    (timedelta(days=1), "ends within a day", "high"),
    (timedelta(days=7), "ends within 7 days", "medium"),
    (timedelta(days=30), "ends within 30 days", "low"),
)


def find(world: World) -> Iterator[Finding]:
    """30, 7 and 1 days before the end: each step is new evidence."""
    for environment in world.wanted:
        own, router = world.own.get(environment.environment_id), environment.router
        if own is None or own.pair is None or router is None or router.tls is None:
            continue
        left, day = own.pair.not_after - world.now, own.pair.not_after.date()
        step = next((each for each in _STEPS if left <= each[0]), None)
        if step is not None:
            file = router.tls.cert_file or ""
            yield follow_up(
                "certificate_expiring",
                environment,
                file,
                step[2],
                f"Renew {file}, which ends on {day}: replace it and its key, in any order.",
                {"file": file, "not_after": str(day), "step": step[1]},
            )
