"""What the store asks of an engine: four methods, and two errors beside the registry's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from registry.changes import Change
from registry.entries import Place, RawRecord


def _nowhere(_index: int) -> Place | None:
    return None


@dataclass(frozen=True, eq=False)
class Loaded:
    """All records in order, at one revision. `absent` says that there is no catalogue at all.

    A record that is as it was in the last revision is the same object. `place` tells where the
    record with this index stands, if it stands anywhere; only faults ask for it.
    """

    records: tuple[RawRecord, ...]
    revision: str
    absent: bool = False
    place: Callable[[int], Place | None] = _nowhere


class Stale(Exception):
    """The catalogue is no longer at the expected revision; nothing was written."""


class Engine(Protocol):
    """Keeps record texts; understands nothing of them."""

    async def load(self) -> Loaded:
        """What is stored now; the same object while nothing changed.

        Raises CatalogueUnreadable when it cannot be read as a whole, StoreUnavailable when it
        cannot be reached.
        """
        ...

    async def commit(self, changes: Sequence[Change], expected: str) -> None:
        """All changes or none, durable on return.

        Keys in `changes` are those of the revision `expected`. Raises Stale when the catalogue
        moved on, DiskFull and StoreUnavailable with the catalogue as it was.
        """
        ...

    def ticks(self) -> AsyncIterator[None]:
        """One tick whenever something may have changed, own commits included; carries no data."""
        ...

    async def aclose(self) -> None:
        """Release locks and watches; `ticks` ends."""
        ...
