"""The snapshot after a reading in which few records changed, made from the one before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from registry.codec import Decoded
from registry.differing import Run, differing
from registry.snapshot import Entry, RawRecord, Snapshot


def successor(
    before: Snapshot,
    run: Run,
    raws: Sequence[RawRecord],
    decoded: Sequence[Decoded],
    revision: str,
) -> Snapshot | None:
    """What `build_snapshot` would make when only the records in this run are others.

    `raws` and `decoded` are what stands in the run now. None wherever the outcome might hang
    together with other records, or with what was in force: faults, names, keys that are lacking.
    """
    if before.faults or before.lacking or not all(map(_is_plain, decoded)):
        return None
    stood = before.entries[run.start : run.old_stop]
    kept = stood if len(stood) == len(raws) else (None,) * len(raws)  # in its place, as it was
    come = tuple(
        old if old is not None and old.raw is raw else Entry(raw, item.environment)
        for old, raw, item in zip(kept, raws, decoded, strict=True)
    )
    gone, new = differing(stood, come)
    if not _are_free([name for entry in new for name in _names(entry)], before, gone):
        return None
    entries = (*before.entries[: run.start], *come, *before.entries[run.old_stop :])
    after = Snapshot(entries, revision)
    before.lend_run(after, run)
    if len(gone) == len(new):
        before.lend(after, list(zip(gone, new, strict=True)))
    elif not stood and run.start == len(before.entries):
        before.lend(after, [(None, entry) for entry in come])
    return after


def _names(entry: Entry) -> tuple[str, str]:
    assert entry.environment is not None  # as _is_plain saw
    return entry.environment.environment_id, entry.environment.slug


def _is_plain(item: Decoded) -> bool:
    return item.environment is not None and not item.code and not item.wanting


def _are_free(names: Sequence[str], before: Snapshot, gone: Iterable[Entry]) -> bool:
    """Whether each name stands once, and nobody has it who stays."""
    going = set(map(id, gone))
    holders = (holder.get(name) for name in names for holder in (before.by_id, before.by_slug))
    held = any(holder is not None and id(holder) not in going for holder in holders)
    return not held and len(set(names)) == len(names)
