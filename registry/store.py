"""EnvironmentStore: the use cases, and the only writer of the catalogue."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from registry import changes, codec
from registry.engines.protocol import Engine
from registry.errors import (
    FieldError,
    IdTaken,
    InvalidRecord,
    NotFound,
    Quarantined,
    RegistryError,
    RevisionConflict,
    SlugTaken,
)
from registry.project_spec import Projects
from registry.reader import Reader
from registry.schema import Environment
from registry.snapshot import Entry, RawRecord, Snapshot
from registry.writer import Admission, Writer

Matches = Callable[[str], bool]
"""Whether a revision is one that the caller's `If-Match` names."""


def utc_now() -> datetime:
    """The time, to the millisecond."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _admit_all(_before: Snapshot, _after: Snapshot) -> None:
    return None


class EnvironmentStore:
    """The catalogue in force, and every way to change it.

    Every write is durable when it returns, and raises the engine's DiskFull, StoreUnavailable and
    CatalogueUnreadable with nothing changed. `admission` may refuse what a write leads to.
    """

    def __init__(
        self,
        engine: Engine,
        projects: Projects,
        *,
        admission: Admission = _admit_all,
        founded: bool = False,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._engine, self._projects, self._clock = engine, projects, clock
        self._reader = Reader(engine, projects, founded=founded)
        self._writer = Writer(engine, self._reader, admission)

    @property
    def snapshot(self) -> Snapshot | None:
        """What was last read; None before the first reading."""
        return self._reader.snapshot

    @property
    def trouble(self) -> RegistryError | None:
        """Why the last reading failed; None after a good one."""
        return self._reader.trouble

    async def load(self) -> Snapshot:
        """The catalogue as it is stored now; the same object while nothing changed.

        Fills in what hand-made records lack. Raises CatalogueUnreadable, StoreUnavailable.
        """
        return await self._writer.read(self._clock())

    def ticks(self) -> AsyncIterator[None]:
        """One tick whenever the catalogue may have changed."""
        return self._engine.ticks()

    async def initialise(self) -> Snapshot:
        """Make an empty catalogue where there is none."""
        return await self._writer.found()

    async def create(self, body: Any) -> Environment:
        """A new environment. Raises InvalidRecord, UnknownProject, SlugTaken, IdTaken."""
        environment = self._new(changes.as_object(body))

        def operation(before: Snapshot) -> Snapshot:
            _check_names(before, environment, None)
            raw = RawRecord("", codec.encode(environment))
            return before.having(None, Entry(raw, environment))

        await self._writer.write(operation, None)
        return environment

    async def replace(self, ref: str, body: Any, if_match: Matches | None = None) -> Environment:
        """The record as the body says, whole; mends a broken one. Raises as `create`, NotFound,
        RevisionConflict and EditedElsewhere."""

        def successor(entry: Entry) -> Environment:
            if entry.environment is None:
                return self._mended(entry, body)
            return changes.replaced(entry.environment, body, self._clock())

        return await self._change(ref, if_match, successor)

    async def patch(self, ref: str, body: Any, if_match: Matches | None = None) -> Environment:
        """A JSON merge patch (RFC 7396). Raises as `replace`, and Quarantined."""

        def successor(entry: Entry) -> Environment:
            if entry.environment is None or entry.fault:
                raise _quarantined(entry)
            return changes.patched(entry.environment, body, self._clock())

        return await self._change(ref, if_match, successor)

    async def delete(self, ref: str, if_match: Matches | None = None) -> None:
        """Take a record away, a broken one too. Raises NotFound, RevisionConflict."""

        def operation(before: Snapshot) -> Snapshot:
            entry = before.entry(ref)
            _check_revision(entry, if_match)
            return before.having(entry, None)

        await self._writer.write(operation, ref)

    async def _change(
        self, ref: str, if_match: Matches | None, successor: Callable[[Entry], Environment]
    ) -> Environment:
        outcome: list[Environment] = []

        def operation(before: Snapshot) -> Snapshot:
            entry = before.entry(ref)
            _check_revision(entry, if_match)
            environment = successor(entry)
            outcome[:] = [environment]
            if entry.fault is None and environment is entry.environment:
                return before
            self._projects.get(environment.project_id)
            _check_names(before, environment, entry)
            raw = replace(entry.raw, text=codec.encode(environment))
            return before.having(entry, Entry(raw, environment))

        await self._writer.write(operation, ref)
        return outcome[0]

    def _new(self, given: dict[str, Any]) -> Environment:
        project_id = given.get("project_id")
        if not isinstance(project_id, str):
            fault = FieldError("/project_id", "required: the id of a workspace")
            raise InvalidRecord("the record names no workspace", [fault])
        return changes.created(given, self._projects.get(project_id), self._clock())

    def _mended(self, entry: Entry, body: Any) -> Environment:
        """A record that never was good, made new under the id that its text claims."""
        given = changes.as_object(body)
        if entry.fault and entry.fault.environment_id:
            given.setdefault("environment_id", entry.fault.environment_id)
        return self._new(given)


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
