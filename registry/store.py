"""EnvironmentStore: the use cases, and the only writer of the catalogue."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from registry import changes, codec
from registry.batch import Batch
from registry.catalogue import Catalogue
from registry.edits import Held, StaleItem
from registry.engines.protocol import Engine
from registry.entries import Entry, RawRecord
from registry.errors import (
    FieldError,
    IdTaken,
    NotFound,
    Quarantined,
    RegistryError,
    RevisionConflict,
    SlugTaken,
)
from registry.history import History
from registry.items import Item
from registry.project_spec import Projects
from registry.reader import Reader, Verify
from registry.rehearsal import Rehearsal
from registry.revisions import Author, Revision
from registry.schema import Environment
from registry.snapshot import Snapshot
from registry.writer import Admission, Refusal, Step, Writer

LOCAL = Author("local", "api")

Matches = Callable[[str], bool]
"""Whether a revision is one that the caller's `If-Match` names."""


def utc_now() -> datetime:
    """The time, to the millisecond."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _admit_all(_before: Snapshot, _after: Snapshot) -> Iterable[Refusal]:
    return ()


def _verify_all(_environment: Environment) -> None:
    return None


class EnvironmentStore:
    """The catalogue in force, and every way to change it.

    Every write is durable when it returns, and raises the engine's DiskFull, StoreUnavailable,
    CatalogueUnreadable and EditHeld with nothing changed. `admission` may refuse what a write
    leads to, `verify` a record of a hand edit. `changed` is called after each write. `by` is who
    makes a write, for the history.
    """

    def __init__(
        self,
        engine: Engine,
        projects: Projects,
        *,
        admission: Admission = _admit_all,
        verify: Verify = _verify_all,
        history: History | None = None,
        founded: bool = False,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._engine, self._projects, self._clock = engine, projects, clock
        self.history = history or History()
        self.changed: Callable[[], None] = lambda: None
        reader = Reader(engine, projects, verify, founded=founded or self.history.founded)
        self._catalogue = Catalogue(engine, reader, self.history, clock)
        self._writer: Writer | Rehearsal = Writer(self._catalogue, admission, clock)

    @property
    def snapshot(self) -> Snapshot | None:
        """What is in force; None before the first reading of a first start."""
        return self._catalogue.snapshot

    @property
    def trouble(self) -> RegistryError | None:
        """Why the last reading failed; None after a good one."""
        return self._catalogue.trouble

    @property
    def held(self) -> Held | None:
        """A hand edit that waits for `confirm`."""
        return self._catalogue.held

    @property
    def stale(self) -> tuple[StaleItem, ...]:
        """Records of a hand edit that was older than a write through the API."""
        return self._catalogue.stale

    def foretell(self, coming: Callable[[Snapshot], None]) -> None:
        """Have `coming` called at each write with what it leads to, before that is durable.

        It may come otherwise: the disk may refuse, and others may edit the file. It must not raise.
        """
        self._catalogue.coming = coming

    async def load(self) -> Snapshot:
        """The catalogue in force, after whatever is stored now was judged.

        The same object while nothing changed. Raises CatalogueUnreadable, StoreUnavailable.
        """
        return await self._writer.settle()

    def ticks(self) -> AsyncIterator[None]:
        """One tick whenever the catalogue may have changed."""
        return self._engine.ticks()

    async def initialise(self) -> Snapshot:
        """Make an empty catalogue where there is none."""
        return await self._writer.found()

    def rehearsed(self) -> tuple[EnvironmentStore, Rehearsal]:
        """This store with a writer that makes nothing, for one write: what it would lead to."""
        assert isinstance(self._writer, Writer)
        other, rehearsal = copy.copy(self), Rehearsal(self._writer)
        other._writer, other.changed = rehearsal, lambda: None
        return other, rehearsal

    async def confirm(self) -> list[str]:
        """Let a held edit, or a stale one, through; the ids that it is about."""
        confirmed = await self._writer.confirm()
        self.changed()
        return confirmed

    async def create(self, body: Any, *, by: Author = LOCAL) -> Environment:
        """A new environment. Raises InvalidRecord, UnknownProject, SlugTaken, IdTaken."""
        environment = self._new(changes.as_object(body))
        await self._writer.write(partial(_added, environment), (), by)
        return environment

    async def replace(
        self, ref: str, body: Any, if_match: Matches | None = None, *, by: Author = LOCAL
    ) -> Environment:
        """The record as the body says, whole; mends a broken one. Raises as `create`, NotFound,
        RevisionConflict and EditedElsewhere."""

        def successor(entry: Entry) -> Environment:
            """The record that is asked for."""
            if entry.environment is None:
                names = entry.fault.environment_id if entry.fault else None
                return changes.mended(body, names, self._clock())
            return changes.replaced(entry.environment, body, self._clock())

        return await self._change(ref, if_match, successor, by)

    async def patch(
        self, ref: str, body: Any, if_match: Matches | None = None, *, by: Author = LOCAL
    ) -> Environment:
        """A JSON merge patch (RFC 7396). Raises as `replace`, and Quarantined."""

        def successor(entry: Entry) -> Environment:
            """The record that is asked for."""
            if entry.environment is None or entry.fault:
                raise _quarantined(entry)
            return changes.patched(entry.environment, body, self._clock())

        return await self._change(ref, if_match, successor, by)

    async def delete(
        self, ref: str, if_match: Matches | None = None, *, by: Author = LOCAL
    ) -> None:
        """Take a record away, a broken one too. Raises NotFound, RevisionConflict."""

        def operation(before: Snapshot) -> list[Step]:
            """The step on the record as it is then."""
            entry = before.entry(ref)
            _check_revision(entry, if_match)
            return [Step(entry, None)]

        await self._writer.write(operation, (ref,), by)
        self.changed()

    async def apply(
        self,
        records: Sequence[Any],
        *,
        prune: str | None = None,
        by: Author = LOCAL,
    ) -> list[Item]:
        """Make the catalogue have these records, all or none; what becomes of each.

        A declared record is created or changed, nothing else is touched; `prune` takes away what
        the workspace of that id no longer declares. Raises the class of the first error, with
        each fault's pointer into the list, and `results` in its facts.
        """
        batch = Batch(records, self._projects, self._clock, prune)
        await self._writer.write(batch, batch.refs, by, batch.refused)
        self.changed()
        return batch.items

    async def revisions(self, ref: str) -> list[Revision]:
        """The history of one environment, newest first, also of a deleted one by its id.

        Raises NotFound when there never was one.
        """
        environment_id = _id_of(self.snapshot, ref)
        found = await self.history.of(environment_id)
        if not found and environment_id == ref and not _is_known(self.snapshot, ref):
            raise NotFound(f"no environment has, or had, the id {ref!r}")
        return found

    async def revert(self, ref: str, revision: int, *, by: Author = LOCAL) -> Environment | None:
        """The state after an earlier revision, as a new one; None when that was deletion.

        Raises NotFound for a revision that is not kept, and what `replace` and `create` raise.
        """
        earlier = (each for each in await self.revisions(ref) if each.revision <= revision)
        known = next(earlier, None)
        if known is None or revision > self.history.last:
            raise NotFound(f"{ref!r} was not there at revision {revision}; see its history")
        return await self._restore(known, replace(by, source="revert"))

    async def _restore(self, revision: Revision, by: Author) -> Environment | None:
        environment_id, document = revision.environment_id, revision.after
        if document is None:
            if _is_known(self.snapshot, environment_id):
                await self.delete(environment_id, by=by)
            return None
        if _is_known(self.snapshot, environment_id):
            return await self.replace(environment_id, dict(document), by=by)
        environment = changes.restored(document, self._clock())
        self._projects.get(environment.project_id)
        await self._writer.write(partial(_added, environment), (), by)
        return environment

    async def _change(
        self,
        ref: str,
        if_match: Matches | None,
        successor: Callable[[Entry], Environment],
        by: Author,
    ) -> Environment:
        outcome: list[Environment] = []

        def operation(before: Snapshot) -> list[Step]:
            """The step on the record as it is then."""
            entry = before.entry(ref)
            _check_revision(entry, if_match)
            environment = successor(entry)
            outcome[:] = [environment]
            if entry.fault is None and environment is entry.environment:
                return []
            self._projects.get(environment.project_id)
            _check_names(before, environment, entry)
            raw = replace(entry.raw, text=codec.encode(environment))
            return [Step(entry, Entry(raw, environment))]

        await self._writer.write(operation, (ref,), by)
        return outcome[0]

    def _new(self, given: dict[str, Any]) -> Environment:
        project = self._projects.get(changes.project_id_of(given))
        return changes.created(given, project, self._clock())


def _added(environment: Environment, before: Snapshot) -> list[Step]:
    _check_names(before, environment, None)
    return [Step(None, Entry(RawRecord("", codec.encode(environment)), environment))]


def _is_known(snapshot: Snapshot | None, ref: str) -> bool:
    return snapshot is not None and _holder(snapshot, ref) is not None


def _id_of(snapshot: Snapshot | None, ref: str) -> str:
    entry = _holder(snapshot, ref) if snapshot else None
    return entry.environment.environment_id if entry and entry.environment else ref


def _quarantined(entry: Entry) -> Quarantined:
    errors = entry.fault.errors if entry.fault else ()
    return Quarantined(
        "the stored record is broken: PUT a whole one to mend it, or DELETE it",
        [FieldError(error.pointer, error.message) for error in errors],
    )


def _check_revision(entry: Entry, if_match: Matches | None) -> None:
    if if_match is None or entry.environment is None:
        return
    revision = entry.environment.revision
    if not if_match(revision):
        raise RevisionConflict(
            f"the environment is at revision {revision}; read it again, then write",
            revision=revision,
        )


def _check_names(before: Snapshot, environment: Environment, own: Entry | None) -> None:
    for error, pointer, name in (
        (IdTaken, "/environment_id", environment.environment_id),
        (SlugTaken, "/slug", environment.slug),
    ):
        if _holder(before, name) not in (None, own):
            raise error(f"{name!r} is taken", [FieldError(pointer, f"{name!r} is taken")])


def _holder(before: Snapshot, name: str) -> Entry | None:
    try:
        return before.entry(name)
    except NotFound:
        return None
