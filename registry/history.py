"""The history: an append-only file of revisions, and the state that it leads to.

The catalogue file is the truth and history follows it: a change is appended after it is durable
in the catalogue. What a crash left out between the two is found at the next start, as the
difference between the state that history leads to and the catalogue.

`history.jsonl` has a line a change; when it is full it becomes `history.1.jsonl`, over the one
before. `known.json` is the state at some revision, so that a start need not read all lines.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import structlog
from pydantic import ValidationError

from registry.collector import collector_resting
from registry.differing import differing
from registry.engines.durable import as_registry_errors, sync_folder, write_durably
from registry.errors import RegistryError
from registry.revisions import BY_US, Author, Revision, from_line, to_line
from registry.schema import Environment, revision_of

RECENT = timedelta(minutes=15)
BYTES_MAX = 64 * 1024 * 1024
_READ_BYTES = 1024 * 1024
_MANY = 500

_log = structlog.get_logger()
Difference = tuple[str, Environment | None, Environment | None]


class History:
    """Revisions in a folder; without a folder, in memory alone.

    `known` is the state that all revisions lead to, by `environment_id`; `recent` are our own of
    the last 15 minutes, oldest first; `past` has the entity tags of every state that a record
    ever was in. Appending never raises: what the disk refuses is kept in memory and written with
    the next change, and `trouble` says so. `appended` is called with each change's revisions,
    once they are appended; it must not raise.
    """

    def __init__(self, folder: Path | None = None, *, bytes_max: int = BYTES_MAX) -> None:
        self._folder, self._bytes_max = folder, bytes_max
        self._memory: list[Revision] = []
        self._unwritten: list[Revision] = []
        self._turn = asyncio.Lock()
        self._writing: asyncio.Future[None] | None = None
        self.known: dict[str, Environment] = {}
        self.recent: deque[Revision] = deque()
        self._shared: Sequence[Environment] = ()
        self._touched: set[str] = set()
        self.past: dict[str, set[str]] = {}
        self.last = 0
        self.founded = False
        self.trouble: RegistryError | None = None
        self.appended: Callable[[Sequence[Revision]], None] = lambda _revisions: None

    def open(self, now: datetime) -> None:
        """Read the state, mending a torn last line; `trouble` says what the disk refuses."""
        if self._folder is None:
            return
        try:
            with as_registry_errors("history"):
                self._folder.mkdir(parents=True, exist_ok=True)
                self._mend_torn_line()
        except RegistryError as error:  # read-only, or full: what is there is read all the same
            self.trouble = error
        with collector_resting(_MANY):
            self._read_all(now)
        with contextlib.suppress(RegistryError):
            self._write_known()

    def _read_all(self, now: datetime) -> None:
        self._read_known()
        for revision in self._lines():
            self.founded = True
            self._replay(revision)
            if now - revision.at < RECENT and revision.author.source in BY_US:
                self.recent.append(revision)

    async def follow(self, changed: Iterable[tuple[Difference, Author]], now: datetime) -> None:
        """Append one revision for each difference; durable on return unless `trouble` says so."""
        await (await self.begin(changed, now))

    async def begin(
        self, changed: Iterable[tuple[Difference, Author]], now: datetime
    ) -> asyncio.Future[None]:
        """As `follow`, but what is returned is done when the lines are durable.

        What is known has the changes when this returns. Nothing else is appended, read or rotated
        until the lines are written: the turn ends with them.
        """
        await self._turn.acquire()
        try:
            added = self._taken(changed, now)
        except BaseException:
            self._turn.release()
            raise
        if not (added or self._unwritten):
            self._turn.release()
            return _done()
        self._writing = asyncio.ensure_future(self._written(added))
        return asyncio.shield(self._writing)

    def _taken(self, changed: Iterable[tuple[Difference, Author]], now: datetime) -> list[Revision]:
        added = []
        for (environment_id, before, after), author in changed:
            if before is None and after is None:
                continue  # a broken record that never was good
            old, new = (each.document if each else None for each in (before, after))
            revision = Revision(self.last + 1, now, author, environment_id, old, new)
            self.last = revision.revision
            self._take(environment_id, after)
            self._add_tags(environment_id, [e.revision for e in (before, after) if e])
            added.append(revision)
        self.recent.extend(each for each in added if each.author.source in BY_US)
        while self.recent and now - self.recent[0].at > RECENT:
            self.recent.popleft()
        return added

    async def _written(self, added: Sequence[Revision]) -> None:
        try:
            await self._append(added)
        finally:
            self._turn.release()
        if added:
            self.appended(added)

    def share(self, environments: Sequence[Environment]) -> None:
        """Take these, equal to what is known, as the known objects: then comparing is cheap."""
        gone, come = differing(self._shared, environments)
        if [each.environment_id for each in gone] == [each.environment_id for each in come]:
            self.known.update({each.environment_id: each for each in come})
        else:  # the order of the catalogue is kept, too
            self.known = {each.environment_id: each for each in environments}
        self._shared, self._touched = environments, set()

    def is_new_to(self, environments: Sequence[Environment]) -> bool:
        """Whether many of these are other objects than those that were shared."""
        return len(differing(self._shared, environments)[1]) > _MANY

    def missed(self, environments: Sequence[Environment]) -> list[Difference]:
        """What differs between the state that history knows and these environments."""
        gone, come = differing(self._shared, environments)
        after = {each.environment_id: each for each in come}
        left = {each.environment_id for each in gone} - after.keys()
        if not self._touched <= after.keys() | left:
            after, left = {each.environment_id: each for each in environments}, set(self.known)
        lost = left - after.keys()
        deleted = (key for key in self.known if key in lost) if lost else ()
        return [*_changed(self.known, after), *((key, self.known[key], None) for key in deleted)]

    async def of(self, environment_id: str) -> list[Revision]:
        """The revisions of one environment, newest first."""
        return [r for r in await self.since(0) if r.environment_id == environment_id][::-1]

    async def since(self, revision: int) -> list[Revision]:
        """All that are kept after this revision, oldest first."""
        if self._folder is None:
            return [each for each in self._memory if each.revision > revision]
        async with self._turn:
            kept = await asyncio.to_thread(lambda: list(self._lines()))
        return [each for each in (*kept, *self._unwritten) if each.revision > revision]

    async def at_rest(self) -> None:
        """Returns when no lines are on their way to the disk."""
        async with self._turn:
            return

    async def aclose(self) -> None:
        """Wait for the lines that are on their way, and `close`."""
        await self.at_rest()
        self.close()

    def close(self) -> None:
        """Keep the state, so that the next start reads few lines; not ahead of the lines."""
        if self._folder is not None and not (self._turn.locked() or self._unwritten):
            with contextlib.suppress(RegistryError):
                self._write_known()

    def _add_tags(self, environment_id: str, tags: Iterable[str]) -> None:
        self.past.setdefault(environment_id, set()).update(tags)

    def _take(self, environment_id: str, environment: Environment | None) -> None:
        self._touched.add(environment_id)
        if environment is None:
            self.known.pop(environment_id, None)
        else:
            self.known[environment_id] = environment

    def _replay(self, revision: Revision) -> None:
        """Go on from a line of the file."""
        states = (revision.before, revision.after)
        tags = [revision_of(state) for state in states if state is not None]
        self._add_tags(revision.environment_id, tags)
        if revision.revision <= self.last:
            return
        self.last = revision.revision
        with contextlib.suppress(ValidationError):  # written by an older version of the rules
            after = revision.after and Environment.model_validate(revision.after)
            self._take(revision.environment_id, after or None)

    async def _append(self, added: Sequence[Revision]) -> None:
        if self._folder is None:
            self._memory.extend(added)
            return
        self._unwritten.extend(added)
        if not self._unwritten:
            return
        try:
            await asyncio.to_thread(self._write, list(self._unwritten))
            self._unwritten.clear()
            self.trouble = None
        except RegistryError as error:
            self.trouble = error
            _log.error("history_not_written", reason=error.detail, waiting=len(self._unwritten))

    def _write(self, revisions: Sequence[Revision]) -> None:
        path, lines = self._file(), b"".join(map(to_line, revisions))
        with as_registry_errors(path.name):
            new = not path.exists()
            start = 0 if new else path.stat().st_size
            with path.open("ab") as file:
                os.fchmod(file.fileno(), 0o600)
                try:
                    file.write(lines)
                    file.flush()
                    os.fsync(file.fileno())
                except OSError:
                    os.ftruncate(file.fileno(), start)
                    raise
            if new:
                sync_folder(path.parent)
        if start + len(lines) > self._bytes_max:
            try:
                self._rotate(path)
            except RegistryError as error:  # the lines are on disk; tried again with the next
                _log.warning("history_not_rotated", reason=error.detail)

    def _rotate(self, path: Path) -> None:
        self._write_known()
        with as_registry_errors(path.name):
            path.replace(path.with_name("history.1.jsonl"))
            sync_folder(path.parent)

    def _file(self, name: str = "history.jsonl") -> Path:
        assert self._folder is not None
        return self._folder / name

    def _lines(self) -> Iterator[Revision]:
        for name in ("history.1.jsonl", "history.jsonl"):
            with contextlib.suppress(OSError), self._file(name).open("rb") as file:
                yield from (revision for line in file if (revision := from_line(line)))

    def _mend_torn_line(self) -> None:
        """Cut what follows the last whole line: a crash while appending."""
        with contextlib.suppress(FileNotFoundError), self._file().open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            end = _end_of_lines(file, size)
            if end < size:
                _log.warning("history_torn", bytes=size - end, note="the catalogue has the change")
                file.truncate(end)
                os.fsync(file.fileno())

    def _read_known(self) -> None:
        try:
            kept = json.loads(self._file("known.json").read_bytes())
            known = [Environment.model_validate(document) for document in kept["environments"]]
            self.last = int(kept["revision"])
            self.founded = self.last > 0  # a first start that made nothing has founded nothing
            self.known = {environment.environment_id: environment for environment in known}
        except (OSError, ValueError, KeyError, TypeError):
            return

    def _write_known(self) -> None:
        state: Mapping[str, object] = {
            "revision": self.last,
            "environments": [environment.document for environment in self.known.values()],
        }
        content = json.dumps(state, ensure_ascii=False, separators=(",", ":")).encode()
        write_durably(self._file("known.json"), content, mode=0o600)


def _done() -> asyncio.Future[None]:
    done = asyncio.get_running_loop().create_future()
    done.set_result(None)
    return done


def _changed(
    known: Mapping[str, Environment], found: Mapping[str, Environment]
) -> Iterator[Difference]:
    for environment_id, environment in found.items():
        before = known.get(environment_id)
        if before is environment:
            continue
        if before is None or before.revision != environment.revision:
            yield environment_id, before, environment


def _end_of_lines(file: BinaryIO, size: int) -> int:
    """The offset behind the last newline; 0 when there is none."""
    start = size
    while start > 0:
        start = max(0, start - _READ_BYTES)
        file.seek(start)
        found = file.read(_READ_BYTES).rfind(b"\n")
        if found >= 0:
            return start + found + 1
    return 0
