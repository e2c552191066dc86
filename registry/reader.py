"""Reading the catalogue: from the engine's texts to a snapshot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from registry import codec
from registry.collector import collector_resting
from registry.differing import Run, changed_runs
from registry.engines.protocol import Engine, Loaded
from registry.entries import Entry, RawRecord
from registry.errors import CatalogueUnreadable, RegistryError, UnknownProject
from registry.project_spec import Projects
from registry.schema import Environment, Owner
from registry.snapshot import Snapshot
from registry.standing import build_snapshot
from registry.successor import successor

Verify = Callable[[Environment], RegistryError | None]
_MANY = 20
_MANY_TROUBLED = 500


@dataclass(frozen=True)
class _Made:
    """A snapshot, and what it was made from.

    `projects` are the workspaces that its records name; `by_workspace` are records of which the
    content depends on the workspace, or what is wrong with it.
    """

    loaded: Loaded
    faults: Mapping[str, str]
    known: Snapshot | None
    snapshot: Snapshot
    projects: frozenset[str]
    by_workspace: Sequence[codec.Decoded] = ()


class Reader:
    """Decodes only texts that it has not met.

    `founded` says that there has been a catalogue before, so that an absent one is a fault and
    not a beginning. `verify` may refuse a record that is valid by itself.
    """

    def __init__(
        self, engine: Engine, projects: Projects, verify: Verify, *, founded: bool
    ) -> None:
        self._engine, self._projects, self._verify = engine, projects, verify
        self.founded = founded
        self._decoded: dict[str, codec.Decoded] = {}
        self._expected: dict[str, codec.Decoded] = {}
        self._made: _Made | None = None

    async def read(self, known: Snapshot | None) -> Snapshot:
        """What is stored now; the same object while nothing changed.

        `known` is what is in force: the last good versions of records that are broken now.
        Raises CatalogueUnreadable and StoreUnavailable.
        """
        loaded = await self._engine.load()
        if loaded.absent and self.founded:
            raise CatalogueUnreadable(
                "the catalogue file is gone; put it back, or begin anew with a file of "
                '{"version": 1, "environments": []}'
            )
        self.founded = self.founded or not loaded.absent
        runs = changed_runs(self._made.loaded.records, loaded.records) if self._made else []
        if self._takes_long(loaded, runs):  # the loop has others to answer meanwhile
            return await asyncio.to_thread(self._read, loaded, known, runs)
        return self._read(loaded, known, runs)

    def expect(self, written: Iterable[Entry]) -> None:
        """Take what was just written, of which the texts are met next, as what they hold.

        A text that comes back as it was written, but for where it is moved in to, is not decoded.
        """
        self._expected = {
            entry.raw.text: codec.Decoded(
                entry.environment, names=codec.names_of(entry.environment)
            )
            for entry in written
            if entry.environment is not None and entry.fault is None and not entry.wanting
        }

    async def read_ahead(self, met: codec.Met) -> None:
        """Decode what is stored, and tell `met` of each good record.

        Raises CatalogueUnreadable and StoreUnavailable.
        """
        loaded = await self._engine.load()
        with collector_resting(len(loaded.records)):
            await asyncio.to_thread(self._decode, loaded.records, met)

    def judged(self, made: Snapshot, known: Snapshot) -> Snapshot:
        """A snapshot that was put together, as reading it would give it; remembers nothing.

        `known` is what is in force, as in `read`. A record that gives a name up may let another
        one, so far a duplicate, come in force.
        """
        raws = [entry.raw for entry in made.entries if not entry.lingering]
        decoded = [self._decoded.get(raw.text) or self._read_anew(raw.text) for raw in raws]
        faults = self._project_faults(_projects(decoded))
        return build_snapshot(raws, decoded, faults, known, made.revision)

    def _takes_long(self, loaded: Loaded, runs: Sequence[Run]) -> bool:
        if self._made is None:
            return len(loaded.records) > _MANY
        if loaded is self._made.loaded:
            return False
        troubled = self._made.snapshot.faults or self._made.snapshot.lacking
        return sum(run.new_stop - run.start for run in runs) > _MANY or (
            bool(troubled) and len(loaded.records) > _MANY_TROUBLED
        )

    def _read(self, loaded: Loaded, known: Snapshot | None, runs: Sequence[Run]) -> Snapshot:
        if self._made is not None and not self._made.by_workspace:
            same = self._if_few_changed(self._made, loaded, known, runs)
            if same is not None:
                return same
        with collector_resting(sum(raw.text not in self._decoded for raw in loaded.records)):
            decoded = self._decode(loaded.records)
            projects = _projects(decoded)
            faults = self._project_faults(projects)
            if not self._is_made_from(loaded, faults, known, decoded):
                self._build(loaded, faults, known, decoded)
        assert self._made is not None
        return self._made.snapshot

    def _if_few_changed(
        self, made: _Made, loaded: Loaded, known: Snapshot | None, runs: Sequence[Run]
    ) -> Snapshot | None:
        """The snapshot without a look at what did not change; None where all must be looked at."""
        raws = [raw for run in runs for raw in loaded.records[run.start : run.new_stop]]
        decoded = self._decode(raws)
        projects = made.projects | _projects(decoded)
        if self._project_faults(projects) != made.faults or loaded.absent:
            return None
        if loaded is made.loaded and (known is made.known or known is made.snapshot):
            return made.snapshot
        if made.faults or any("owner" in item.wanting for item in decoded):
            return None
        snapshot = successor(made.snapshot, runs, raws, decoded, loaded.revision)
        if snapshot is not None:
            texts = {raw.text for raw in raws}
            for run in runs:
                for gone in made.loaded.records[run.start : run.old_stop]:
                    if gone.text not in texts:
                        self._decoded.pop(gone.text, None)
            self._made = _Made(loaded, made.faults, known, snapshot, projects)
        return snapshot

    def _is_made_from(
        self,
        loaded: Loaded,
        faults: Mapping[str, str],
        known: Snapshot | None,
        decoded: Sequence[codec.Decoded],
    ) -> bool:
        made = self._made
        if made is None or loaded is not made.loaded or faults != made.faults:
            return False
        if made.by_workspace != _by_workspace(decoded):
            return False
        return known is made.known or known is made.snapshot

    def _build(
        self,
        loaded: Loaded,
        faults: Mapping[str, str],
        known: Snapshot | None,
        decoded: Sequence[codec.Decoded],
    ) -> None:
        built = build_snapshot(
            loaded.records, decoded, faults, known, loaded.revision, loaded.place
        )
        snapshot = replace(built, absent=loaded.absent)
        by_workspace = _by_workspace(decoded)
        self._made = _Made(loaded, faults, known, snapshot, _projects(decoded), by_workspace)
        texts = {record.text for record in loaded.records}
        self._decoded = {text: self._decoded[text] for text in texts & self._decoded.keys()}

    def _decode(
        self, raws: Sequence[RawRecord], met: codec.Met = codec.told_nobody
    ) -> list[codec.Decoded]:
        """Each on its own. First all are decoded, and then all verified.

        By turns it would take a fifth longer: each pushes the other out of the processor's cache.
        """
        new = list(dict.fromkeys(raw.text for raw in raws if raw.text not in self._decoded))
        decoded = [
            self._as_expected(text) or codec.decode(text, self._default_owner, met) for text in new
        ]
        found = dict(zip(new, map(self._verified, decoded), strict=True))
        for text, item in found.items():
            if "owner" not in item.wanting:  # else it depends on the workspace too
                self._decoded[text] = item
        return [found.get(raw.text) or self._decoded[raw.text] for raw in raws]

    def _as_expected(self, text: str) -> codec.Decoded | None:
        """What we wrote as this text. JSON strings hold no line ends: only white space is cut."""
        if not self._expected:
            return None
        indent = text[text.rfind("\n") + 1 : -1]
        if indent.strip(" \t"):
            return None  # the text has one line, or is not as we write it
        return self._expected.pop(text.replace("\n" + indent, "\n"), None)

    def _read_anew(self, text: str) -> codec.Decoded:
        return self._verified(codec.decode(text, self._default_owner))

    def _verified(self, decoded: codec.Decoded) -> codec.Decoded:
        refusal = self._verify(decoded.environment) if decoded.environment else None
        if refusal is None:
            return decoded
        return replace(decoded, code=refusal.code, errors=refusal.errors)

    def _default_owner(self, project_id: str) -> Owner | None:
        try:
            return self._projects.get(project_id).default_owner()
        except UnknownProject:
            return None

    def _project_faults(self, projects: Iterable[str]) -> dict[str, str]:
        faults = {}
        for project_id in sorted(projects):
            try:
                self._projects.get(project_id)
            except UnknownProject as error:
                faults[project_id] = error.detail
        return faults


def _projects(decoded: Iterable[codec.Decoded]) -> frozenset[str]:
    return frozenset(item.environment.project_id for item in decoded if item.environment)


def _by_workspace(decoded: Iterable[codec.Decoded]) -> list[codec.Decoded]:
    return [item for item in decoded if "owner" in item.wanting]
