"""Judging a hand edit before it is in force: pure functions over what was known and is found."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from registry.codec import encode
from registry.differing import differing
from registry.entries import Entry, RawRecord
from registry.recent import RecentWrites
from registry.schema import Environment
from registry.snapshot import Snapshot

HELD_FROM_ROUTED = 10


@dataclass(frozen=True, slots=True)
class Held:
    """An edit that would drop most routes; `dropped` are the ids, `routed` how many there are."""

    dropped: tuple[str, ...]
    routed: int

    def __str__(self) -> str:
        shown = ", ".join(self.dropped[:5]) + (", …" if len(self.dropped) > 5 else "")
        return (
            f"the edit drops {len(self.dropped)} of {self.routed} routed environments ({shown}) "
            "and is held back; let it through with `routebook confirm`, or mend the file"
        )


@dataclass(frozen=True, slots=True)
class StaleItem:
    """A saved record that is older than a write of ours.

    `ours` is in force (None: we deleted it), `theirs` was in the file (None: it was not).
    """

    environment_id: str
    ours: Environment | None
    theirs: Environment | None

    def __str__(self) -> str:
        return (
            f"the saved file has {self.environment_id} as it was before a write through the API; "
            "the write stays; insist with `routebook confirm`"
        )


def brake(known: Snapshot, found: Snapshot) -> Held | None:
    """Held: all of two or more routes dropped, or more than half of ten or more."""
    gone, come = differing(known.environments, found.environments)
    if not _routed_ids(gone) - _routed_ids(come):
        return None
    routed = {each.environment_id for each in known.environments if each.routed}
    kept = {each.environment_id for each in found.environments if each.routed}
    dropped = sorted(routed - kept)
    most = len(routed) >= HELD_FROM_ROUTED and len(dropped) * 2 > len(routed)
    every = len(routed) >= 2 and len(dropped) == len(routed)
    return Held(tuple(dropped), len(routed)) if most or every else None


def suspects(known: Snapshot, found: Snapshot, recent: RecentWrites) -> list[str]:
    """The ids of records that we wrote a short while ago, and that the file has otherwise."""
    ids = _ours(known, found, recent)
    return [each for each in ids if _revision(known, each) != _revision(found, each)]


def stale_items(
    known: Snapshot,
    found: Snapshot,
    recent: RecentWrites,
    past: Mapping[str, Collection[str]],
) -> tuple[StaleItem, ...]:
    """Records that we wrote a short while ago, and that the file has in an older state.

    `past` has the entity tags of all states that a record was in. A record that differs from each
    of them was edited on purpose and is not stale.
    """
    items = (
        _stale(each, known, found, past.get(each, ()), is_made=each in recent.made)
        for each in _ours(known, found, recent)
    )
    return tuple(item for item in items if item is not None)


def with_ours(snapshot: Snapshot, stale: Iterable[StaleItem]) -> Snapshot:
    """The snapshot with our versions of these; not judged: they may have names that others have."""
    for item in stale:
        snapshot = _with_version(snapshot, item.environment_id, item.ours)
    return snapshot


def with_theirs(snapshot: Snapshot, stale: Iterable[StaleItem]) -> Snapshot:
    """As `with_ours`, with the versions of the saved file."""
    for item in stale:
        snapshot = _with_version(snapshot, item.environment_id, item.theirs)
    return snapshot


def _with_version(snapshot: Snapshot, environment_id: str, version: Environment | None) -> Snapshot:
    """With one record at this version; None takes it away."""
    old = snapshot.by_id.get(environment_id)
    if version is None:
        return snapshot.having(old, None) if old else snapshot
    raw = RawRecord(old.raw.key if old else "", encode(version))
    return snapshot.having(old, Entry(raw, version))


def _routed_ids(environments: Iterable[Environment]) -> set[str]:
    return {each.environment_id for each in environments if each.routed}


def _ours(known: Snapshot, found: Snapshot, recent: RecentWrites) -> list[str]:
    """The ids of the records that we wrote and that are apart."""
    apart = _apart(known, found) if recent.written else ()
    return [each for each in apart if each in recent.written]


def _revision(snapshot: Snapshot, environment_id: str) -> str | None:
    entry = snapshot.by_id.get(environment_id)
    return entry.environment.revision if entry and entry.environment else None


def _apart(known: Snapshot, found: Snapshot) -> Iterable[str]:
    """The ids of the records that are not the same objects on both sides."""
    gone, come = differing(known.environments, found.environments)
    return dict.fromkeys(each.environment_id for each in (*gone, *come))


def _stale(
    environment_id: str,
    known: Snapshot,
    found: Snapshot,
    past: Collection[str],
    *,
    is_made: bool,
) -> StaleItem | None:
    was, now = known.by_id.get(environment_id), found.by_id.get(environment_id)
    ours = was.environment if was else None
    theirs = now.environment if now else None
    if theirs is None:
        return StaleItem(environment_id, ours, None) if ours is not None and is_made else None
    if now is None or now.fault or (ours is not None and ours.revision == theirs.revision):
        return None
    return StaleItem(environment_id, ours, theirs) if theirs.revision in past else None
