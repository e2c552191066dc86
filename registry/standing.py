"""From records read one by one to a snapshot: who keeps a name that two claim, last good versions.

What is in force depends on the records and on what was in force before. Judged again, or after a
restart, the same records mean the same (`tests/unit/registry/test_judging.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter

from registry.codec import Decoded, located, names_of
from registry.entries import Entry, Fault, Place, PlacedError, RawRecord
from registry.errors import FieldError
from registry.schema import Environment
from registry.snapshot import Snapshot

_TAKEN = {"id_taken": "/environment_id", "slug_taken": "/slug"}


def build_snapshot(
    raws: Sequence[RawRecord],
    decoded: Sequence[Decoded],
    project_faults: Mapping[str, str],
    previous: Snapshot | None,
    revision: str,
    place: Callable[[int], Place | None] | None = None,
) -> Snapshot:
    """All records together: who keeps a name that two claim, whose workspace is gone, last good.

    `project_faults` maps the ids of unknown workspaces to the reason. A record in such a workspace
    stays in force as it was; a new or changed one is held back. `place` tells where a record
    stands that does not say so itself.
    """
    checked = decoded
    if previous is not None and any(item.wanting for item in decoded):
        checked = [_with_known_times(item, previous) for item in checked]
    if project_faults:
        checked = [_with_project(item, project_faults) for item in checked]
    known = _as_found(checked) if previous is None else previous
    settled = _settled(checked, known)
    good = _in_force(settled, known)
    entries = []
    for index, (raw, item, environment) in enumerate(zip(raws, settled, good, strict=True)):
        if item.code and place is not None and raw.place is None:
            raw = replace(raw, place=place(index))
        entries.append(_entry(raw, item, environment))
    return Snapshot((*entries, *map(_lingering_entry, _lingering(good, known))), revision)


def coherent(known: Collection[Environment]) -> Collection[Environment]:
    """What was in force, but for records without a route that have a name which another one has.

    A state that was kept by an older version may have a name twice. Who is routed keeps it, else
    the first id; of two that are routed both stay until the file is mended: no route goes.
    """
    if len(_holders(known)) == sum(len(set(names_of(each))) for each in known):
        return known
    holders: dict[str, Environment] = {}
    kept = set()
    for each in sorted(known, key=lambda each: (not each.routed, each.environment_id)):
        if each.routed or not any(name in holders for name in names_of(each)):
            holders |= _holders([each])
            kept.add(each.environment_id)
    return [each for each in known if each.environment_id in kept]


def _as_found(items: Sequence[Decoded]) -> Snapshot:
    """At a first look: records in unknown workspaces, as if they had been in force before."""
    lost = [item.environment for item in items if item.code == "unknown_project"]
    if not lost:
        return Snapshot()
    standing = (item.environment for item in _settled(items, Snapshot()) if not item.code)
    holders = _holders(filter(None, standing))
    known = []
    for environment in filter(None, lost):
        if not any(name in holders for name in names_of(environment)):
            holders |= _holders([environment])
            known.append(Entry(RawRecord("", ""), environment))
    return Snapshot(tuple(known))


def _settled(items: Sequence[Decoded], known: Snapshot) -> Sequence[Decoded]:
    """The records with a code on each that has to give way to another one that has its name.

    Who gives way stays in force as it was, and thereby claims its old names again: so it is asked
    until nobody else gives way. Thus a file that is judged again, or after a restart, means the
    same: what is in force then gives way to nobody.
    """
    if _all_good_and_apart(items):
        return items
    while True:
        held = _given_way(items, known)
        if not held:
            return _with_reasons(items, known)
        items = [held.get(index, item) for index, item in enumerate(items)]


def _given_way(items: Sequence[Decoded], known: Snapshot) -> dict[int, Decoded]:
    """Those that stand, and claim a name that another one keeps, by index.

    Last good versions keep their names, then who is as it was, then who has its id and slug, then
    the first in order.
    """
    good = _in_force(items, known)
    kept = [each for each, item in zip(good, items, strict=True) if each and item.code]
    holders = _holders([*kept, *_lingering(good, known)])
    standing = [(_rank(item, known), index) for index, item in enumerate(items) if not item.code]
    held = {}
    for _, index in sorted(standing):
        item = items[index]
        if any(name in holders for name in item.names):
            held[index] = _held_back(item, holders)
        elif item.environment is not None:
            holders |= _holders([item.environment])
    return held


def _with_reasons(items: Sequence[Decoded], known: Snapshot) -> list[Decoded]:
    """Who gave way says to whom of those that are in force now."""
    good = _in_force(items, known)
    holders = _holders([*filter(None, good), *_lingering(good, known)])
    return [
        _held_back(item, holders, own) if item.code in _TAKEN else item
        for item, own in zip(items, good, strict=True)
    ]


def _holders(environments: Iterable[Environment]) -> dict[str, Environment]:
    return {name: each for each in environments for name in names_of(each)}


def _rank(item: Decoded, known: Snapshot) -> int:
    good = _incumbent(item, known)
    if good is None or item.environment is None:
        return 2
    return 0 if good is item.environment or good.revision == item.environment.revision else 1


def _incumbent(item: Decoded, known: Snapshot) -> Environment | None:
    """What is known with both of its names."""
    entry = known.by_id.get(item.names[0] or "")
    good = entry.environment if entry else None
    return good if good is not None and item.names == names_of(good) else None


def _held_back(
    item: Decoded, holders: Mapping[str, Environment], own: Environment | None = None
) -> Decoded:
    """With the first of its names that another one has; as it is where nobody has one."""
    for name, (code, pointer) in zip(item.names, _TAKEN.items(), strict=True):
        holder = holders.get(name or "")
        if holder is not None and holder is not own:
            environment_id, slug = names_of(holder)
            reason = (
                f"another record has {name!r} too, and keeps it: "
                f"id {environment_id!r}, slug {slug!r}"
            )
            return replace(item, code=code, errors=(FieldError(pointer, reason),))
    return item


def _in_force(items: Sequence[Decoded], known: Snapshot) -> list[Environment | None]:
    """What each record brings in force: itself, or where it has a code its last good version.

    That is found by id, else by slug; one serves one record. Who is in force with an id gives it
    back to a broken record only where that one alone has the slug, too.
    """
    good = [None if item.code else item.environment for item in items]
    lost = [index for index, each in enumerate(good) if each is None]
    if not lost:
        return good
    standing = [item for item in items if not item.code]
    kept = {item.names[0] for item in standing if _incumbent(item, known) is not None}
    for index in lost:
        last = _incumbent(items[index], known)
        if last is not None and last.environment_id not in kept:
            good[index] = last
            kept.add(last.environment_id)
    taken = {*kept, *(item.names[0] for item in standing)}
    for which, look_up in enumerate((known.by_id, known.by_slug)):
        for index in lost:
            item = items[index]
            if good[index] is not None or (which and item.code == "slug_taken"):
                continue  # its id is right: it is no record of another id
            entry = look_up.get(item.names[which] or "")
            last = entry.environment if entry else None
            if last is not None and last.environment_id not in taken:
                good[index] = last
                taken.add(last.environment_id)
    return good


def _lingering(good: Sequence[Environment | None], known: Snapshot) -> list[Environment]:
    """Records that vanished while a broken one matches none: it may be one of them."""
    if all(each is not None for each in good):
        return []
    ids = {each.environment_id for each in good if each}
    gone = (each for each in known.environments if each.environment_id not in ids)
    return sorted(gone, key=attrgetter("environment_id"))  # the order known was in is forgotten


def _lingering_entry(environment: Environment) -> Entry:
    reason = "not in the file any more; kept while a broken record may be this one"
    fault = Fault("quarantined", (PlacedError("", reason),), *names_of(environment))
    return Entry(RawRecord("", ""), environment, fault, lingering=True)


def _with_project(item: Decoded, project_faults: Mapping[str, str]) -> Decoded:
    reason = item.environment and project_faults.get(item.environment.project_id)
    if not reason or item.code:
        return item
    return replace(item, code="unknown_project", errors=(FieldError("/project_id", reason),))


def _all_good_and_apart(items: Sequence[Decoded]) -> bool:
    """Whether nothing is wrong, and there is no name that two have, as in most catalogues."""
    names = {name for item in items if not item.code for name in item.names}
    return len(names) == 2 * len(items)


def _entry(raw: RawRecord, item: Decoded, good: Environment | None) -> Entry:
    if not item.code:
        return Entry(raw, good, None, item.wanting)
    errors = tuple(located(raw, error) for error in item.errors)
    return Entry(raw, good, Fault(item.code, errors, *item.names))


def _with_known_times(item: Decoded, known: Snapshot) -> Decoded:
    """A hand-made record that was met before keeps its times, though its editor lacks them."""
    times = {key for key in item.wanting if key.endswith("_at")}
    good = _known_good(item, known) if times else None
    if item.environment is None or good is None or good.created_at is None:
        return item
    kept = dict.fromkeys(times, good.document["created_at"])  # as when they were filled in
    environment = Environment.model_validate({**item.environment.document, **kept})
    return replace(item, environment=environment)


def _known_good(item: Decoded, known: Snapshot) -> Environment | None:
    environment_id, slug = item.names
    entry = known.by_id.get(environment_id or "") or known.by_slug.get(slug or "")
    return entry.environment if entry else None
