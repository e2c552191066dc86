"""What is new between two passes, or in a revision, as the data of events. Pure.

Pointers say what changed, never values. Words about faults and conflicts are those that
`/api/health` has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from provider.render.conflicts import Conflict
from provider.render.document import Document
from provider.render.fragment import Claim
from provider.render.routes import count_published
from registry.entries import Fault
from registry.event_stream import EventKind
from registry.fields import instant_text
from registry.revisions import Revision, changes_between


class News(NamedTuple):
    """An event to be: its kind and its data."""

    kind: EventKind
    data: Mapping[str, Any]


def news_of_revision(revision: Revision) -> News:
    """A record changed: by whom, by which way, and at which pointers."""
    record = revision.after or revision.before or {}
    changed = []
    if revision.before is not None and revision.after is not None:
        changed = [each["pointer"] for each in changes_between(revision.before, revision.after)]
    return News(
        "environment",
        {
            "environment": revision.environment_id,
            "slug": record.get("slug"),
            "action": revision.action,
            "revision": revision.revision,
            "actor": revision.author.actor,
            "source": revision.author.source,
            "at": instant_text(revision.at),
            "changed": changed,
        },
    )


def news_of_document(before: Document | None, after: Document) -> News:
    """Another document is served. `environments` is None where the one before is not known."""
    environments = None if before is None else changed_environments(before, after)
    return News(
        "published",
        {
            "digest": after.digest,
            "routes": count_published(after),
            "environments": environments,
        },
    )


def changed_environments(before: Document, after: Document) -> list[str]:
    """The ids of those whose part of the document differs, sorted."""
    return sorted(after.changed_since(before))


def news_of_conflicts(before: Iterable[Conflict], after: Iterable[Conflict]) -> Iterator[News]:
    """Claims that were lost, or lost to another; and those that are not lost any more."""
    old, new = _by_claim(before), _by_claim(after)
    for key, conflict in new.items():
        if key not in old or old[key].holder != conflict.holder:
            yield News("conflict", _of_conflict(conflict))
    for key, conflict in old.items():
        if key not in new:
            yield News("conflict_resolved", _of_conflict(conflict))


def news_of_faults(before: Iterable[Fault], after: Iterable[Fault]) -> Iterator[News]:
    """Records that are not in force as written, since now or in another way; and mended ones."""
    old, new = _by_name(before), _by_name(after)
    for name, fault in new.items():
        if name not in old or _why(old[name]) != _why(fault):
            yield News("quarantined", _of_fault(fault))
    for name, fault in old.items():
        if name not in new:
            yield News("mended", {**_of_fault(fault), "message": "not broken any more, or gone"})


def _by_claim(conflicts: Iterable[Conflict]) -> dict[tuple[str, Claim], Conflict]:
    return {(each.loser, each.claim): each for each in conflicts}


def _of_conflict(conflict: Conflict) -> dict[str, Any]:
    return {
        "environment": conflict.loser,
        "holder": conflict.holder,
        "host": conflict.claim.host,
        "path_prefix": conflict.claim.path,
        "entrypoint": conflict.claim.entrypoint,
        "message": conflict.message,
    }


def _by_name(faults: Iterable[Fault]) -> dict[str, Fault]:
    return {
        each.environment_id or each.slug or f"record {index + 1} of the broken ones": each
        for index, each in enumerate(faults)
    }


def _why(fault: Fault) -> tuple[object, ...]:
    """Without places: an edit above a record moves it, and changes nothing."""
    return (fault.code, *((error.pointer, error.message) for error in fault.errors))


def _of_fault(fault: Fault) -> dict[str, Any]:
    return {
        "environment": fault.environment_id,
        "slug": fault.slug,
        "code": fault.code,
        "message": "; ".join(str(error) for error in fault.errors),
    }
