"""Reading the catalogue: from the engine's texts to the snapshot in force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from registry import codec
from registry.engines.protocol import Engine, Loaded
from registry.errors import CatalogueUnreadable, RegistryError, UnknownProject
from registry.project_spec import Projects
from registry.schema import Owner
from registry.snapshot import Snapshot


class Reader:
    """Keeps the snapshot in force, and decodes only texts that it has not met.

    `founded` says that there has been a catalogue before, so that an absent one is a fault and
    not a beginning. `trouble` is why the last reading failed, while `snapshot` stays as it was.
    """

    def __init__(self, engine: Engine, projects: Projects, *, founded: bool) -> None:
        self._engine, self._projects, self._founded = engine, projects, founded
        self._decoded: dict[str, codec.Decoded] = {}
        self._made_from: tuple[Loaded, Mapping[str, str]] | None = None
        self.snapshot: Snapshot | None = None
        self.trouble: RegistryError | None = None

    async def read(self) -> Snapshot:
        """The catalogue as it is stored now; the same object while nothing changed.

        Raises CatalogueUnreadable and StoreUnavailable.
        """
        try:
            loaded = await self._engine.load()
            self._refuse_vanished(loaded)
        except RegistryError as error:
            self.trouble = error
            raise
        self.trouble = None
        return self._snapshot_of(loaded)

    def _refuse_vanished(self, loaded: Loaded) -> None:
        if loaded.absent and self._founded:
            raise CatalogueUnreadable(
                "the catalogue file is gone; put it back, or start with `routebook serve --init`"
            )
        self._founded = self._founded or not loaded.absent

    def _snapshot_of(self, loaded: Loaded) -> Snapshot:
        decoded = [self._decode(record.text) for record in loaded.records]
        made_from = (loaded, self._project_faults(decoded))
        if self.snapshot is None or self._made_from != made_from:
            built = codec.build_snapshot(
                loaded.records, decoded, made_from[1], self.snapshot, loaded.revision
            )
            self.snapshot = replace(built, absent=loaded.absent)
            texts = {record.text for record in loaded.records}
            self._decoded = {text: self._decoded[text] for text in texts & self._decoded.keys()}
        self._made_from = made_from
        return self.snapshot

    def _decode(self, text: str) -> codec.Decoded:
        known = self._decoded.get(text)
        if known is None:
            known = codec.decode(text, self._default_owner)
            if "owner" not in known.wanting:  # else it depends on the workspace too
                self._decoded[text] = known
        return known

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
