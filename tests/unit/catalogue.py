"""A catalogue that is read again and again, as the store reads it, but without a store."""

from __future__ import annotations

from typing import Any

from registry import codec
from registry.engines.catalogue_text import split
from registry.entries import Entry, Place, RawRecord
from registry.json_text import line_column
from registry.snapshot import Snapshot
from registry.standing import build_snapshot
from tests.unit.fakes import AnyProjects, text_of


class Reading:
    """Each `read` builds on the one before."""

    def __init__(self) -> None:
        self.projects = AnyProjects()
        self.snapshot: Snapshot | None = None

    def read(self, *records: Any) -> Snapshot:
        """The snapshot of these records, given as values or texts."""
        body = ",\n".join(text_of(each) for each in records)
        return self.read_text(f'{{"environments": [\n{body}\n]}}')

    def read_text(self, text: str) -> Snapshot:
        """The snapshot of a whole catalogue's text."""
        raws = [
            RawRecord(str(index), text[start:end], Place("c.json", *line_column(text, start)))
            for index, (start, end) in enumerate(split(text, "c.json").spans)
        ]
        decoded = [codec.decode(raw.text, self._owner) for raw in raws]
        gone = {name: f"no workspace {name!r}" for name in self.projects.missing}
        self.snapshot = build_snapshot(raws, decoded, gone, self.snapshot, "r")
        return self.snapshot

    def _owner(self, project_id: str) -> Any:
        if project_id in self.projects.missing:
            return None
        return self.projects.get(project_id).default_owner()


def in_force(snapshot: Snapshot) -> list[tuple[str, str]]:
    """The ids and names that are in force, in order."""
    return [(each.environment_id, each.name) for each in snapshot.environments]


def codes(snapshot: Snapshot) -> list[str]:
    """The code of each entry, "" where there is no fault."""
    return [entry.fault.code if entry.fault else "" for entry in snapshot.entries]


def only_fault(snapshot: Snapshot) -> Entry:
    """The one entry that has a fault."""
    (entry,) = [each for each in snapshot.entries if each.fault]
    return entry
