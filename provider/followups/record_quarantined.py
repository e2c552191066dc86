"""A stored record that is broken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from provider.followups.values import Finding, FollowUp, Subject
from provider.followups.world import World


def find(world: World) -> Iterator[Finding]:
    """Each broken record, by its id, else its slug, else its place among the broken ones."""
    for index, entry in enumerate(each for each in world.snapshot.entries if each.fault):
        fault, known = entry.fault, entry.environment
        assert fault is not None
        name = fault.environment_id or fault.slug or f"record {index + 1} of the broken ones"
        faults = [f"{error.pointer or 'the record'}: {error.message}" for error in fault.errors]
        place = next((str(error.place) for error in fault.errors if error.place), None)
        yield FollowUp(
            subject=Subject("record_quarantined", name),
            severity="high",
            action=f"Mend the record {name} in the catalogue{f', at {place}' if place else ''}.",
            evidence={"code": fault.code, "faults": faults},
            slug=known.slug if known else fault.slug,
            owner=asdict(known.owner) if known else None,
        )
