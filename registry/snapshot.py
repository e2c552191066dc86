"""What is known of the catalogue at one moment: immutable values, and look-ups over them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter

from registry.differing import Run, Sequel, differing
from registry.entries import Entry, Fault
from registry.errors import NotFound
from registry.filing import Groups, filed, refiled, swapped
from registry.schema import Environment

Swap = tuple[Entry | None, Entry | None]
_ENVIRONMENT = attrgetter("environment")
_LENT = 256


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The catalogue at one revision, in its own order."""

    entries: tuple[Entry, ...] = ()
    revision: str = ""
    absent: bool = field(default=False)

    @cached_property
    def by_id(self) -> Mapping[str, Entry]:
        """The entries in force, by `environment_id`, in order."""
        return {e.environment.environment_id: e for e in self.entries if e.environment}

    @cached_property
    def by_slug(self) -> Mapping[str, Entry]:
        """The entries in force, by slug."""
        return {e.environment.slug: e for e in self.entries if e.environment}

    @cached_property
    def in_force(self) -> tuple[Entry, ...]:
        """The entries that have something in force, in order; `entries` itself where all have."""
        if all(each.environment for each in self.entries):
            return self.entries
        return tuple(each for each in self.entries if each.environment)

    @cached_property
    def by_project(self) -> Groups[Entry]:
        """The entries in force, by `project_id`, each group in order."""
        return filed(self.in_force, _project)

    @cached_property
    def by_state(self) -> Groups[Entry]:
        """The entries in force, by lifecycle state, each group in order."""
        return filed(self.in_force, _state)

    @cached_property
    def environments(self) -> Sequel[Environment]:
        """What is in force, last good versions included, in order."""
        return Sequel(map(_ENVIRONMENT, self.in_force))

    @cached_property
    def faults(self) -> tuple[Fault, ...]:
        """What is wrong with stored records, in order."""
        return tuple(e.fault for e in self.entries if e.fault)

    @cached_property
    def lacking(self) -> tuple[Entry, ...]:
        """Hand-made records in force that lack keys which we fill in."""
        return tuple(e for e in self.entries if e.wanting and e.environment and not e.fault)

    @cached_property
    def faulty_without_good(self) -> Mapping[str, Entry]:
        """Broken records that never were good, by the id or slug that they claim to have."""
        named: dict[str, Entry] = {}
        for entry in self.entries:
            if entry.fault and entry.environment is None:
                for name in (entry.fault.environment_id, entry.fault.slug):
                    if name:
                        named.setdefault(name, entry)
        return named

    def entry(self, ref: str) -> Entry:
        """The entry with this id or slug. Raises NotFound."""
        found = self.by_id.get(ref) or self.by_slug.get(ref) or self.faulty_without_good.get(ref)
        if found is None:
            raise _not_found(ref)
        return found

    def having(self, old: Entry | None, new: Entry | None) -> Snapshot:
        """This snapshot with one entry replaced, added (no old) or taken away (no new)."""
        return self.having_all([(old, new)])

    def having_all(self, swaps: Iterable[Swap]) -> Snapshot:
        """This snapshot after several swaps as of `having`, each of another entry."""
        pairs = list(swaps)
        if all(_is_good(each) for pair in pairs for each in pair if each):
            return Draft(self, pairs)
        return self.made_with(pairs)

    def differing(self, after: Snapshot) -> tuple[list[Entry], list[Entry]]:
        """The entries that only this one has, and those that only `after` has."""
        return _apart(self, after) or differing(self.entries, after.entries)

    def made_with(self, pairs: Sequence[Swap]) -> Snapshot:
        """As `having_all`, with all its entries made at once."""
        entries = swapped(self.entries, pairs)
        assert entries is not None  # whoever asks has the old ones from here
        after = Snapshot(entries, self.revision)
        self._lend_look_ups(after, pairs)
        return after

    def lend_environments(self, after: Snapshot, runs: Sequence[Run]) -> None:
        """Give a successor what is in force: the same, but for these runs, where nothing is wrong.

        Several runs are of one entry each.
        """
        known = self.__dict__
        if known.get("in_force") is not self.entries or "environments" not in known:
            return
        environments: Sequel[Environment] = known["environments"]
        come = [map(_ENVIRONMENT, after.entries[run.start : run.new_stop]) for run in runs]
        if len(runs) == 1:
            made = environments.with_run(runs[0].start, runs[0].old_stop, tuple(come[0]))
        else:
            made = environments.with_items(
                {run.start: next(each) for run, each in zip(runs, come, strict=True)}
            )
        after.__dict__["environments"] = made

    def lend(self, after: Snapshot, swaps: Sequence[Swap]) -> None:
        """Give a successor the look-ups that are known here, changed as the swaps say.

        `after` is this snapshot with these swaps, what is added at its end. Only what certainly
        comes out as if it were made anew is given; the rest is made when it is asked for.
        """
        if self._lend_look_ups(after, swaps):
            known, given = self.__dict__, after.__dict__
            for grouped, key in (("by_project", _project), ("by_state", _state)):
                groups = refiled(known[grouped], swaps, key) if grouped in known else None
                if groups is not None:
                    given[grouped] = groups

    def _lend_look_ups(self, after: Snapshot, swaps: Sequence[Swap]) -> bool:
        """All but the groups, for which few ask; whether anything can be lent."""
        if len(swaps) > _LENT or any(not _is_good(each) for pair in swaps for each in pair if each):
            return False
        known, given = self.__dict__, after.__dict__
        for name in ("faults", "lacking", "faulty_without_good"):
            if name in known:
                given[name] = known[name]
        if known.get("in_force") is self.entries:
            given["in_force"] = after.entries
            if "environments" in known and "environments" not in given:
                theirs = [(_environment(old), _environment(new)) for old, new in swaps]
                made = swapped(known["environments"], theirs)
                assert made is not None  # each stands where its entry does
                given["environments"] = Sequel(made)
        for look_up, name in (("by_id", "environment_id"), ("by_slug", "slug")):
            entries = known.get(look_up)
            if entries is not None and all(_keeps(entries, *swap, name) for swap in swaps):
                given[look_up] = _swapped(entries, swaps, name)
        return True


class Draft(Snapshot):
    """A snapshot after swaps among good records, of which only what they change is made at first.

    Each of the operations that share a commit asks for a few names and makes the next draft, so it
    costs what it changes; the whole is made once, of the last one.
    """

    def __init__(self, before: Snapshot, swaps: Sequence[Swap]) -> None:
        earlier = before.changes if isinstance(before, Draft) else Changes(before)
        fields = {"revision": before.revision, "absent": False}
        self.__dict__.update(fields, before=before, latest=swaps, changes=earlier.then(swaps))

    before: Snapshot
    latest: Sequence[Swap]
    changes: Changes

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """All entries, in order."""
        whole = self.changes.root.made_with(list(self.changes.swaps.values()))
        for name, known in whole.__dict__.items():  # its look-ups are ours
            self.__dict__.setdefault(name, known)
        return whole.entries

    def entry(self, ref: str) -> Entry:
        """The entry with this id or slug. Raises NotFound."""
        changes = self.changes
        held = changes.holder("id", ref) or changes.holder("slug", ref)
        if held is not None:
            return held
        broken = self.changes.root.faulty_without_good.get(ref)
        if broken is None:
            raise _not_found(ref)
        return broken


@dataclass(frozen=True)
class Changes:
    """What drafts made of the snapshot `root`.

    `swaps` are all, by the entry of `root` that they are about, or the one that was added; `names`
    has who holds each id and slug that some swap touched, None for nobody.
    """

    root: Snapshot
    swaps: Mapping[Entry, Swap] = field(default_factory=dict)
    names: Mapping[tuple[str, str], Entry | None] = field(default_factory=dict)

    def holder(self, kind: str, name: str) -> Entry | None:
        """The entry in force with this id or slug, as `kind` says."""
        if (kind, name) in self.names:
            return self.names[kind, name]
        return (self.root.by_id if kind == "id" else self.root.by_slug).get(name)

    def then(self, swaps: Sequence[Swap]) -> Changes:
        """These, and then some more."""
        made, names = dict(self.swaps), dict(self.names)
        first = {id(new): key for key, (_, new) in made.items() if new}
        for old, new in swaps:
            key = first.get(id(old), old) or new
            original = made[key][0] if key in made else old
            if key is not None:
                made[key] = (original, new)
        for old, _ in swaps:
            names.update((name, None) for name in _names(old) if self.holder(*name) is old)
        for _, new in swaps:
            names.update((name, new) for name in _names(new))
        gone = [key for key, (old, new) in made.items() if old is None and new is None]
        for key in gone:
            del made[key]
        return Changes(self.root, made, names)


def _apart(before: Snapshot, after: Snapshot) -> tuple[list[Entry], list[Entry]] | None:
    """The differences, where `after` was drafted from `before`, at once or by and by."""
    if not isinstance(after, Draft):
        return None
    if after.before is before:
        made = after.latest
    elif after.changes.root is before:
        made = list(after.changes.swaps.values())
    else:
        return None
    swaps = [(old, new) for old, new in made if old is not new]
    return [old for old, _ in swaps if old], [new for _, new in swaps if new]


def _names(entry: Entry | None) -> tuple[tuple[str, str], ...]:
    if entry is None or entry.environment is None:
        return ()
    return ("id", entry.environment.environment_id), ("slug", entry.environment.slug)


def _not_found(ref: str) -> NotFound:
    return NotFound(f"no environment has the id or slug {ref!r}")


def _is_good(entry: Entry) -> bool:
    return entry.environment is not None and entry.fault is None and not entry.wanting


def _environment(entry: Entry | None) -> Environment | None:
    return entry.environment if entry else None


def _project(entry: Entry) -> str:
    return entry.environment.project_id if entry.environment else ""


def _state(entry: Entry) -> str:
    return entry.environment.lifecycle.state if entry.environment else ""


def _keeps(known: Mapping[str, Entry], old: Entry | None, new: Entry | None, name: str) -> bool:
    """Whether a swap leaves the order of a look-up by this name, and who else has it, alone."""
    if old is None or new is None:
        return new is not None
    key = getattr(old.environment, name)
    return known.get(key) is old and getattr(new.environment, name) == key


def _swapped(known: Mapping[str, Entry], swaps: Sequence[Swap], name: str) -> Mapping[str, Entry]:
    changed = dict(known)
    changed.update((getattr(new.environment, name), new) for _, new in swaps if new is not None)
    return changed
