"""Counts over the catalogue: pure functions of what is in force."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, get_args

from provider.certificate_rules import EXPIRING
from provider.health_overlay import CheckedAt, stored_check
from provider.render.document import Document
from provider.render.fragment import OwnCertificate
from registry.schema import Environment, HealthStatus, State
from registry.snapshot import Snapshot

# Nothing answers yet, or any more: a check of it cannot be late.
_UNCHECKED_STATES = ("planned", "retired")


def environment_metrics(
    snapshot: Snapshot,
    document: Document | None,
    certificates: Iterable[OwnCertificate],
    now: datetime,
    stale_health_s: float,
    planned_without_dns: int | None = None,
    checked_at: CheckedAt = stored_check,
) -> dict[str, Any]:
    """`metrics.environments` of `/api/health`.

    `planned_without_dns` is None while nobody looked at DNS: not looked at is not zero.
    """
    environments = snapshot.environments
    health = Counter(environment.health.status for environment in environments)
    oldest = now - timedelta(seconds=stale_health_s)
    stale = [e for e in environments if _is_stale(e, checked_at(e), oldest)]
    losers = {conflict.loser for conflict in document.conflicts} if document else set()
    pairs = {own.pair for own in certificates if own.pair}
    return {
        "total": len(environments),
        "by_state": count_states(environments),
        "by_health": {status: health[status] for status in get_args(HealthStatus)},
        "stale_health_checks": len(stale),
        "planned_without_dns": planned_without_dns,
        "routed": len(document.routed) if document else 0,
        "quarantined": len(snapshot.faults),
        "conflicted": len(losers),
        "certificates_expiring": sum(1 for pair in pairs if pair.not_after - now <= EXPIRING),
    }


def count_states(environments: Iterable[Environment]) -> dict[str, int]:
    """How many environments are in each lifecycle state; none is 0."""
    states = Counter(environment.lifecycle.state for environment in environments)
    return {state: states[state] for state in get_args(State)}


def _is_stale(environment: Environment, checked_at: datetime | None, oldest: datetime) -> bool:
    if environment.lifecycle.state in _UNCHECKED_STATES:
        return False
    return checked_at is None or checked_at < oldest
