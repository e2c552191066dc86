"""Writing the catalogue: operations that wait share one commit, and no edit is overwritten.

An operation says what it makes of the snapshot before it. Those that wait while a commit is under
way share the next commit, each seeing what those before it did. When the catalogue was edited
between our read and our write, they are made again on the new snapshot, unless the edit touched
the same record: then that one is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from registry.catalogue import Catalogue
from registry.engines.protocol import Stale
from registry.entries import Entry
from registry.errors import EditedElsewhere, NotFound, RegistryError
from registry.revisions import Author, Difference
from registry.snapshot import Snapshot


class Step(NamedTuple):
    """One record's change: no `old` adds it, no `new` takes it away."""

    old: Entry | None
    new: Entry | None


class Refusal(NamedTuple):
    """Why a record may not be written as it would be, though it is valid by itself."""

    environment_id: str
    error: RegistryError


class Preview(NamedTuple):
    """What a write would make of the catalogue, and why it would be refused, if it would.

    `after` is as it would be read again; of a refused write as if it had been made.
    """

    before: Snapshot
    after: Snapshot
    refusals: tuple[Refusal, ...] = ()


_LONG = 4

Admission = Callable[[Snapshot, Snapshot], Iterable[Refusal]]
Operation = Callable[[Snapshot], Sequence[Step]]
Refused = Callable[[Sequence[Refusal]], RegistryError]


def first_error(refusals: Sequence[Refusal]) -> RegistryError:
    """The error of a write that is about one record."""
    return refusals[0].error


@dataclass(eq=False)
class _Write:
    operation: Operation
    refs: Collection[str]
    author: Author
    refused: Refused
    seen: Mapping[str, str | None] | None = None
    steps: Sequence[Step] = ()
    error: Exception | None = None
    done: asyncio.Future[None] = field(default_factory=asyncio.Future)


class Writer:
    """Takes turns on the catalogue. `admission` may refuse what a write leads to."""

    def __init__(
        self, catalogue: Catalogue, admission: Admission, clock: Callable[[], datetime]
    ) -> None:
        self._catalogue, self._admission, self._clock = catalogue, admission, clock
        self._turn = asyncio.Lock()
        self._waiting: list[_Write] = []

    async def settle(self) -> Snapshot:
        """The catalogue in force, after whatever is stored now. Raises as Catalogue.settle."""
        async with self._turn:
            return await self._catalogue.settle()

    async def found(self) -> Snapshot:
        """Make an empty catalogue where there is none. Raises DiskFull, StoreUnavailable."""
        async with self._turn:
            return await self._catalogue.found()

    async def confirm(self) -> list[str]:
        """Insist on the edit that waits. Raises as Catalogue.confirm."""
        async with self._turn:
            return await self._catalogue.confirm()

    async def write(
        self,
        operation: Operation,
        refs: Collection[str],
        author: Author,
        refused: Refused = first_error,
    ) -> None:
        """Apply an operation, durable on return; `refs` are the records that it may change.

        Raises what the operation and the engine raise, what `refused` makes of the refusals of
        admission, EditHeld and EditedElsewhere.
        """
        write = _Write(operation, refs, author, refused)
        self._waiting.append(write)
        # Shielded: a client that goes away does not stop a commit that others share.
        await asyncio.shield(self._take_turn(write))
        await write.done

    async def preview(self, operation: Operation) -> Preview:
        """An operation that is not made. Raises as `write`, but for refusals of admission."""
        async with self._turn:
            before = await self._catalogue.settle()
            return await asyncio.to_thread(self._previewed, operation, before)

    async def preview_of_confirm(self) -> tuple[list[str], Preview]:
        """What `confirm` would be about, and lead to. Raises as Catalogue.settle."""
        async with self._turn:
            before = await self._catalogue.settle()
            ids, after = await asyncio.to_thread(self._catalogue.confirmable)
            return ids, Preview(before, after)

    def _previewed(self, operation: Operation, before: Snapshot) -> Preview:
        after, refusals = self._judged(operation(before), before)
        if after is before:
            return Preview(before, before)
        if not refusals:  # as in a write: what is refused never comes to the held edit
            self._catalogue.check_open()
        return Preview(before, self._catalogue.foreseen(after), refusals)

    async def _take_turn(self, write: _Write) -> None:
        async with self._turn:
            if write not in self._waiting:
                return  # in a commit that another one has made
            writes, self._waiting = self._waiting, []
            try:
                written = await self._commit(writes)
            except Exception as error:
                _fail(writes, error)
                return
        try:
            await written  # the next turn need not wait for the lines of this one
        except Exception as error:
            _fail(writes, error)
        else:
            _succeed(writes)

    async def _commit(self, writes: Sequence[_Write]) -> Awaitable[None]:
        """Commit what is not refused; what is returned is done when its history is durable."""
        while True:
            before = await self._catalogue.settle()
            if sum(len(write.refs) for write in writes) > _LONG:
                # Many records would keep the loop from those who poll.
                after = await asyncio.to_thread(self._all_applied, writes, before)
            else:
                after = self._all_applied(writes, before)
            _refuse(writes)
            try:
                if after is not before:
                    await self._catalogue.commit(after)
            except Stale:
                continue
            return await self._noted([write for write in writes if not write.done.done()])

    async def _noted(self, writes: Sequence[_Write]) -> Awaitable[None]:
        """Durable now: whatever happens to the file next does not undo these writes.

        They are acknowledged when their history is on disk too.
        """
        changed = [(_difference(step), write.author) for write in writes for step in write.steps]
        written = await self._catalogue.history.begin(changed, self._clock())
        with contextlib.suppress(RegistryError):
            await self._catalogue.settle()
        return written

    def _all_applied(self, writes: Sequence[_Write], before: Snapshot) -> Snapshot:
        after = before
        for write in writes:
            after = self._applied(write, before, after)
        return after

    def _applied(self, write: _Write, before: Snapshot, after: Snapshot) -> Snapshot:
        if write.error is not None:
            return after
        try:
            _refuse_edited(write, before)
            write.steps = write.operation(after)
            successor = self._admitted(write.steps, after, write.refused)
        except Exception as error:
            write.error = error
            return after
        return successor

    def _admitted(self, steps: Sequence[Step], before: Snapshot, refused: Refused) -> Snapshot:
        after, refusals = self._judged(steps, before)
        if refusals:
            raise refused(refusals)
        return after

    def _judged(
        self, steps: Sequence[Step], before: Snapshot
    ) -> tuple[Snapshot, tuple[Refusal, ...]]:
        if not steps:
            return before, ()
        after = before.having_all(steps)
        return after, tuple(self._admission(before, after))


def _succeed(writes: Sequence[_Write]) -> None:
    for write in writes:
        if not write.done.done():
            write.done.set_result(None)


def _fail(writes: Sequence[_Write], error: Exception) -> None:
    for write in writes:
        if not write.done.done():
            write.done.set_exception(error)


def _refuse(writes: Sequence[_Write]) -> None:
    for write in writes:
        if write.error is not None and not write.done.done():
            write.done.set_exception(write.error)


def _difference(step: Step) -> Difference:
    old = step.old.environment if step.old else None
    new = step.new.environment if step.new else None
    named = new or old
    return named.environment_id if named else "", old, new


def _refuse_edited(write: _Write, before: Snapshot) -> None:
    """On later rounds the records that this write changes must be as they were on the first."""
    states = {ref: _state(before, ref) for ref in write.refs}
    for ref, state in states.items():
        if write.seen is not None and write.seen[ref] != state:
            raise EditedElsewhere(
                f"{ref!r} was edited in the file while this write was under way; "
                "nothing was written: read it again, then write"
            )
    write.seen = states


def _state(snapshot: Snapshot, ref: str) -> str | None:
    try:
        entry = snapshot.entry(ref)
    except NotFound:
        return None
    good = entry.environment if entry.fault is None else None
    return good.revision if good else entry.raw.text  # white space is no edit
