"""The snapshot after a reading in which few records changed, made from the one before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from registry.codec import Decoded
from registry.differing import Run
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
    gone = before.entries[run.start : run.old_stop]
    if before.faults or before.lacking or not all(map(_is_plain, decoded)):
        return None
    if not _are_free([name for item in decoded for name in item.names], before, gone):
        return None
    come = tuple(Entry(raw, item.environment) for raw, item in zip(raws, decoded, strict=True))
    entries = (*before.entries[: run.start], *come, *before.entries[run.old_stop :])
    after = Snapshot(entries, revision)
    if len(gone) == len(come):
        before.lend(after, list(zip(gone, come, strict=True)))
    elif not gone and run.start == len(before.entries):
        before.lend(after, [(None, entry) for entry in come])
    return after


def _is_plain(item: Decoded) -> bool:
    return item.environment is not None and not item.code and not item.wanting


def _are_free(names: Sequence[str | None], before: Snapshot, gone: Iterable[Entry]) -> bool:
    """Whether each name stands once, and nobody has it who stays."""
    going = set(map(id, gone))
    holders = (
        holder.get(name or "") for name in names for holder in (before.by_id, before.by_slug)
    )
    held = any(holder is not None and id(holder) not in going for holder in holders)
    return not held and len(set(names)) == len(names)
