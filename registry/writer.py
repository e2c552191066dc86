"""Writing the catalogue: operations that wait share one commit, and no edit is overwritten.

An operation is a function from the snapshot to the next one. Those that wait while a commit is
under way share the next commit, each seeing what those before it did. When the catalogue was
edited between our read and our write, they are made again on the new snapshot, unless the edit
touched the same record: then that one is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from registry import changes, codec
from registry.engines.protocol import Engine, Stale
from registry.errors import EditedElsewhere, RegistryError
from registry.reader import Reader
from registry.snapshot import Entry, RawRecord, Snapshot

Admission = Callable[[Snapshot, Snapshot], None]
Operation = Callable[[Snapshot], Snapshot]


@dataclass
class _Write:
    operation: Operation
    ref: str | None
    seen: str | None = None
    done: asyncio.Future[Snapshot] = field(default_factory=asyncio.Future)


class Writer:
    """Takes turns on the engine. `admission` may refuse a step by raising a RegistryError."""

    def __init__(self, engine: Engine, reader: Reader, admission: Admission) -> None:
        self._engine, self._reader, self._admission = engine, reader, admission
        self._turn = asyncio.Lock()
        self._waiting: list[_Write] = []

    async def read(self, now: datetime) -> Snapshot:
        """The catalogue, after what hand-made records lack was filled in. Raises as Reader.read."""
        async with self._turn:
            snapshot = await self._reader.read()
            if not any(entry.wanting for entry in snapshot.entries):
                return snapshot
            return await self._complete(snapshot, now)

    async def found(self) -> Snapshot:
        """Make an empty catalogue where there is none. Raises DiskFull, StoreUnavailable."""
        async with self._turn:
            loaded = await self._engine.load()
            if loaded.absent:
                await self._engine.commit((), loaded.revision)
            return await self._reader.read()

    async def write(self, operation: Operation, ref: str | None) -> Snapshot:
        """Apply an operation, durable on return; `ref` is the record that it changes, if any.

        Returns the snapshot that the operation led to. Raises what the operation, admission and
        engine raise, and EditedElsewhere.
        """
        write = _Write(operation, ref)
        self._waiting.append(write)
        # Shielded: a client that goes away does not stop a commit that others share.
        await asyncio.shield(self._take_turn(write))
        return await write.done

    async def _take_turn(self, write: _Write) -> None:
        async with self._turn:
            if write.done.done():
                return
            writes, self._waiting = self._waiting, []
            try:
                await self._commit(writes)
            except Exception as error:
                for failed in writes:
                    if not failed.done.done():
                        failed.done.set_exception(error)

    async def _commit(self, writes: Sequence[_Write]) -> None:
        while True:
            before = after = await self._reader.read()
            for write in writes:
                after = self._applied(write, before, after)
            commit = changes.between(before, after)
            try:
                if commit:
                    await self._engine.commit(commit, before.revision)
            except Stale:
                continue
            # Durable now: whatever happens to the file next does not make these writes undone.
            with contextlib.suppress(RegistryError):
                await self._reader.read()
            for write in writes:
                if not write.done.done():
                    write.done.set_result(after)
            return

    def _applied(self, write: _Write, before: Snapshot, after: Snapshot) -> Snapshot:
        if write.done.done():
            return after
        try:
            _refuse_edited(write, before)
            successor = write.operation(after)
            if successor is not after:
                self._admission(after, successor)
        except Exception as error:
            write.done.set_exception(error)
            return after
        return successor

    async def _complete(self, before: Snapshot, now: datetime) -> Snapshot:
        after = before
        for entry in before.entries:
            if entry.environment is not None and entry.fault is None and entry.wanting:
                after = after.having(entry, _completed(entry, now))
        try:
            await self._engine.commit(changes.between(before, after), before.revision)
        except (Stale, RegistryError):
            return before  # in force all the same; tried again at the next reading
        return await self._reader.read()


def _completed(entry: Entry, now: datetime) -> Entry:
    assert entry.environment is not None
    times = {key: now for key in entry.wanting if key.endswith("_at")}
    environment = changes.validated({**entry.environment.document, **times})
    text = codec.encode_completed(entry.raw.text, environment, entry.wanting)
    return Entry(RawRecord(entry.raw.key, text, entry.raw.place), environment)


def _refuse_edited(write: _Write, before: Snapshot) -> None:
    """On later rounds the record that this write changes must be as it was on the first."""
    if write.ref is None:
        return
    text = before.entry(write.ref).raw.text
    if write.seen is not None and write.seen != text:
        raise EditedElsewhere(
            f"{write.ref!r} was edited in the file while this write was under way; "
            "nothing was written: read it again, then write"
        )
    write.seen = text
