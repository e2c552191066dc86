"""A certificate that ends soon, or has ended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from provider.followups.values import Finding, Severity
from provider.followups.world import World, follow_up, served_pairs

_STEPS: tuple[tuple[timedelta, str, Severity], ...] = (
    (timedelta(0), "has ended", "high"),
    (timedelta(days=1), "ends within a day", "high"),
    (timedelta(days=7), "ends within 7 days", "medium"),
    (timedelta(days=30), "ends within 30 days", "low"),
)


def find(world: World) -> Iterator[Finding]:
    """30, 7 and 1 days before the end: each step is new evidence."""
    for environment, pair, file in served_pairs(world):
        left, day = pair.not_after - world.now, pair.not_after.date()
        step = next((each for each in _STEPS if left <= each[0]), None)
        if step is not None:
            yield follow_up(
                "certificate_expiring",
                environment,
                file,
                step[2],
                f"Renew {file}, which ends on {day}: replace it and its key, in any order.",
                {"file": file, "not_after": str(day), "step": step[1]},
            )
