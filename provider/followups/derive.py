"""All follow-ups of a world: one function for each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from provider.followups import (
    certificate_expiring,
    certificate_missing,
    certificate_not_covering,
    claim_lost,
    credential_missing,
    dns_elsewhere,
    dns_missing,
    health_stale,
    key_mismatch,
    middleware_missing,
    owner_unknown,
    record_quarantined,
    router_refused,
)
from provider.followups.values import Finding, FollowUp
from provider.followups.world import World

KINDS: tuple[Callable[[World], Iterator[Finding]], ...] = (
    dns_missing.find,
    dns_elsewhere.find,
    certificate_missing.find,
    certificate_expiring.find,
    certificate_not_covering.find,
    key_mismatch.find,
    credential_missing.find,
    health_stale.find,
    owner_unknown.find,
    claim_lost.find,
    record_quarantined.find,
    router_refused.find,
    middleware_missing.find,
)


def derive(world: World) -> list[Finding]:
    """What is to be done, and of what nobody can tell."""
    return [finding for find in KINDS for finding in find(world)]


def planned_without_dns(world: World, findings: Iterable[Finding]) -> int | None:
    """How many planned environments have a name that DNS does not know; None: nobody looked.

    `findings` are those of the world.
    """
    looked_at = [each for each in world.dns.values() if each.outcome != "failed"]
    planned = {each.environment_id for each in world.wanted if each.lifecycle.state == "planned"}
    if planned and not looked_at:
        return None
    missing = {
        each.subject.environment
        for each in findings
        if isinstance(each, FollowUp) and each.subject.kind == "dns_missing"
    }
    return len(planned & missing)
