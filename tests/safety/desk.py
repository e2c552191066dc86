"""A store over a catalogue file that people edit too, with a clock that tests move."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from provider.render.compile import Rules
from provider.render.compiler import Compiler
from provider.render.document import assemble
from registry.engines.json_file import JsonFileEngine
from registry.history import BYTES_MAX, History
from registry.revisions import Author
from registry.store import EnvironmentStore
from registry.workspaces import Workspaces
from tests.safety.records import Edited

ANN = Author("ann@nightshift.test", "api")


@dataclass
class Desk:
    """Starts, stops and feeds one store; `engine` and `store` are those that run now."""

    folders: Edited
    bytes_max: int = BYTES_MAX
    now: datetime = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    engine: JsonFileEngine = field(init=False, repr=False)
    store: EnvironmentStore = field(init=False, repr=False)

    async def start(self) -> EnvironmentStore:
        """A store over what is on disk, loaded."""
        history = History(self.folders.data / "state", bytes_max=self.bytes_max)
        history.open(self.now)
        self.engine = JsonFileEngine(self.folders.catalogue)
        self.store = EnvironmentStore(
            self.engine,
            Workspaces(self.folders.projects),
            history=history,
            clock=lambda: self.now,
        )
        await self.store.load()
        await self.store.history.at_rest()
        return self.store

    async def stop(self, *, killed: bool = False) -> None:
        """End it; a killed one leaves its files as they are."""
        await self.engine.aclose()
        if not killed:
            await self.store.history.aclose()

    async def restart(self) -> EnvironmentStore:
        """Stop it, and start another."""
        await self.stop()
        return await self.start()

    async def holds(self, *records: Any) -> EnvironmentStore:
        """Start over a catalogue of these records."""
        self.folders.write(*records)
        return await self.start()

    async def found(self, *records: Any) -> None:
        """Save these records by hand, and let the store see them."""
        self.folders.write(*records)
        await self.store.load()
        await self.store.history.at_rest()

    def passes(self, **time: float) -> None:
        """Move the clock."""
        self.now += timedelta(**time)

    def names(self) -> dict[str, str]:
        """The names of what is in force, by slug."""
        assert self.store.snapshot is not None
        return {each.slug: each.name for each in self.store.snapshot.environments}

    def faults(self) -> list[tuple[str, str | None]]:
        """The faults by code and id."""
        assert self.store.snapshot is not None
        return [(fault.code, fault.environment_id) for fault in self.store.snapshot.faults]

    def routed(self) -> set[str]:
        """The ids that have a route in the document."""
        assert self.store.snapshot is not None
        compiled = Compiler(Rules()).compile_all(self.store.snapshot.environments)
        return set(assemble(compiled).routed)

    def stale(self) -> list[str]:
        """The ids of stale saves."""
        return [item.environment_id for item in self.store.stale]
