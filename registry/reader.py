"""Reading the catalogue: from the engine's texts to a snapshot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from registry import codec
from registry.engines.protocol import Engine, Loaded
from registry.errors import CatalogueUnreadable, RegistryError, UnknownProject
from registry.project_spec import Projects
from registry.schema import Environment, Owner
from registry.snapshot import Snapshot

Verify = Callable[[Environment], RegistryError | None]
_MANY = 20
_MadeFrom = tuple[Loaded, Mapping[str, str], Snapshot | None]


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
        self._made_from: _MadeFrom | None = None
        self._snapshot = Snapshot()

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
        if self._has_many_new(loaded):  # the loop has others to answer meanwhile
            return await asyncio.to_thread(self._read, loaded, known)
        return self._read(loaded, known)

    def foreseen(self, after: Snapshot) -> Snapshot:
        """A snapshot that was put together, as reading it would give it; remembers nothing.

        A record that gives a name up may let another one, so far a duplicate, come in force.
        """
        raws = [entry.raw for entry in after.entries if not entry.lingering]
        decoded = [self._decoded.get(raw.text) or self._read_anew(raw.text) for raw in raws]
        faults = self._project_faults(decoded)
        return codec.build_snapshot(raws, decoded, faults, after, after.revision)

    def _has_many_new(self, loaded: Loaded) -> bool:
        if self._made_from is not None and loaded is self._made_from[0]:
            return False
        return sum(record.text not in self._decoded for record in loaded.records) > _MANY

    def _read(self, loaded: Loaded, known: Snapshot | None) -> Snapshot:
        decoded = [self._decode(record.text) for record in loaded.records]
        made_from = (loaded, self._project_faults(decoded), known)
        if known is self._snapshot and self._made_from and self._made_from[:2] == made_from[:2]:
            return self._snapshot
        if self._made_from != made_from:
            self._build(made_from, decoded)
        return self._snapshot

    def _build(self, made_from: _MadeFrom, decoded: Sequence[codec.Decoded]) -> None:
        loaded, project_faults, known = made_from
        built = codec.build_snapshot(
            loaded.records, decoded, project_faults, known, loaded.revision
        )
        self._snapshot = replace(built, absent=loaded.absent)
        self._made_from = made_from
        texts = {record.text for record in loaded.records}
        self._decoded = {text: self._decoded[text] for text in texts & self._decoded.keys()}

    def _decode(self, text: str) -> codec.Decoded:
        known = self._decoded.get(text)
        if known is None:
            known = self._read_anew(text)
            if "owner" not in known.wanting:  # else it depends on the workspace too
                self._decoded[text] = known
        return known

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

    def _project_faults(self, decoded: Sequence[codec.Decoded]) -> dict[str, str]:
        used = {item.environment.project_id for item in decoded if item.environment}
        faults = {}
        for project_id in sorted(used):
            try:
                self._projects.get(project_id)
            except UnknownProject as error:
                faults[project_id] = error.detail
        return faults
