"""The snapshot after a reading in which few records changed, made from the one before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from registry.codec import Decoded
from registry.differing import Run, differing
from registry.entries import Entry, RawRecord
from registry.snapshot import Snapshot


def successor(
    before: Snapshot,
    runs: Sequence[Run],
    raws: Sequence[RawRecord],
    decoded: Sequence[Decoded],
    revision: str,
) -> Snapshot | None:
    """What `build_snapshot` would make when only the records in these runs are others.

    `raws` and `decoded` are what stands in the runs now. None wherever the outcome might hang
    together with other records, or with what was in force: faults, names, keys that are lacking.
    """
    if before.faults or before.lacking or not all(map(_is_plain, decoded)):
        return None
    stood = [entry for run in runs for entry in before.entries[run.start : run.old_stop]]
    kept = stood if len(stood) == len(raws) else (None,) * len(raws)  # in its place, as it was
    come = [
        old if old is not None and old.raw is raw else Entry(raw, item.environment)
        for old, raw, item in zip(kept, raws, decoded, strict=True)
    ]
    gone, new = differing(stood, come)
    if not _are_free([name for entry in new for name in _names(entry)], before, gone):
        return None
    after = Snapshot(_with(come, before.entries, runs), revision)
    before.lend_environments(after, runs)
    if len(gone) == len(new):
        before.lend(after, list(zip(gone, new, strict=True)))
    elif not stood and all(run.start == len(before.entries) for run in runs):
        before.lend(after, [(None, entry) for entry in come])
    return after


def _with(come: list[Entry], entries: Sequence[Entry], runs: Sequence[Run]) -> tuple[Entry, ...]:
    if len(runs) == 1:
        return (*entries[: runs[0].start], *come, *entries[runs[0].old_stop :])
    after = list(entries)
    for run, entry in zip(runs, come, strict=True):
        after[run.start] = entry
    return tuple(after)


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
