"""The engine for tests and for trying things: nothing outlives the process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence

from registry.changes import Change
from registry.engines.protocol import Loaded, Stale
from registry.entries import RawRecord


class MemoryEngine:
    """Records in a list; `absent` until the first commit unless texts are given."""

    def __init__(self, texts: Iterable[str] | None = None) -> None:
        self._serial = 0
        self._loaded = Loaded((), "0", absent=True)
        self._changed = asyncio.Event()
        self._closed = False
        if texts is not None:
            self._keep([RawRecord(self._next_key(), text) for text in texts])

    async def load(self) -> Loaded:
        """What is stored now."""
        return self._loaded

    async def commit(self, changes: Sequence[Change], expected: str) -> None:
        """All changes at once. Raises Stale."""
        if expected != self._loaded.revision:
            raise Stale
        texts = {change.key: change.text for change in changes if change.key is not None}
        records = [
            RawRecord(record.key, text)
            for record in self._loaded.records
            if (text := texts.get(record.key, record.text)) is not None
        ]
        added = [change.text for change in changes if change.key is None and change.text]
        self._keep([*records, *(RawRecord(self._next_key(), text) for text in added)])

    async def ticks(self) -> AsyncIterator[None]:
        """One tick after each commit."""
        while not self._closed:
            await self._changed.wait()
            self._changed.clear()
            yield

    async def aclose(self) -> None:
        """End `ticks`."""
        self._closed = True
        self._changed.set()

    def _keep(self, records: Sequence[RawRecord]) -> None:
        self._loaded = Loaded(tuple(records), str(int(self._loaded.revision) + 1))
        self._changed.set()

    def _next_key(self) -> str:
        self._serial += 1
        return str(self._serial)
