"""What is known of the catalogue at one moment: immutable values, and look-ups over them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from registry.errors import NotFound
from registry.schema import Environment


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record's text begins: a source (a file's name) and line and column from 1."""

    source: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record as its engine holds it: JSON text, and the engine's key for it in this revision.

    `laid_out` says that the text has the white space of its place already.
    """

    key: str
    text: str
    place: Place | None = None
    laid_out: bool = False


@dataclass(frozen=True, slots=True)
class PlacedError:
    """One fault of a record: pointer, reason, and the place in the source where it has one."""

    pointer: str
    message: str
    place: Place | None = None

    def __str__(self) -> str:
        return ": ".join(str(part) for part in (self.place, self.pointer, self.message) if part)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a stored record is not in force as written. `code` is one of the registry's codes."""

    code: str
    errors: tuple[PlacedError, ...]
    environment_id: str | None = None
    slug: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of the catalogue.

    `environment` is what is in force: the record, or while `fault` is set its last good version
    (None when there never was one). `wanting` names the keys that a hand-made record lacks.
    `lingering` is a record that is stored no more, kept while another cannot be told from it.
    """

    raw: RawRecord
    environment: Environment | None
    fault: Fault | None = None
    wanting: tuple[str, ...] = ()
    lingering: bool = False


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
    def environments(self) -> tuple[Environment, ...]:
        """What is in force, last good versions included, in order."""
        return tuple(e.environment for e in self.entries if e.environment)

    @cached_property
    def faults(self) -> tuple[Fault, ...]:
        """What is wrong with stored records, in order."""
        return tuple(e.fault for e in self.entries if e.fault)

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
            raise NotFound(f"no environment has the id or slug {ref!r}")
        return found

    def having(self, old: Entry | None, new: Entry | None) -> Snapshot:
        """This snapshot with one entry replaced, added (no old) or taken away (no new)."""
        return self.having_all([(old, new)])

    def having_all(self, swaps: Iterable[tuple[Entry | None, Entry | None]]) -> Snapshot:
        """This snapshot after several swaps as of `having`, each of another entry."""
        pairs = list(swaps)
        by_old = {id(old): new for old, new in pairs if old is not None}
        kept = (by_old.get(id(entry), entry) for entry in self.entries)
        added = (new for old, new in pairs if old is None)
        entries = tuple(entry for entry in (*kept, *added) if entry is not None)
        return replace(self, entries=entries, absent=False)
