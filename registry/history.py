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

from registry.engines.durable import as_registry_errors, sync_folder, write_durably
from registry.errors import RegistryError
from registry.revisions import Author, Document, Revision, differences, from_line, to_line
from registry.schema import Environment, revision_of

RECENT = timedelta(minutes=15)
BYTES_MAX = 64 * 1024 * 1024
_READ_BYTES = 1024 * 1024

_log = structlog.get_logger()
Difference = tuple[str, Document | None, Document | None]


class History:
    """Revisions in a folder; without a folder, in memory alone.

    `known` is the state that all revisions lead to, by `environment_id`; `recent` are those of the
    last 15 minutes, oldest first; `past` has the entity tags of every state that a record ever
    was in. Appending never raises: what the disk refuses is kept in memory
    and written with the next change, and `trouble` says so. `appended` is called with each change's
    revisions; it must not raise.
    """

    def __init__(self, folder: Path | None = None, *, bytes_max: int = BYTES_MAX) -> None:
        self._folder, self._bytes_max = folder, bytes_max
        self._memory: list[Revision] = []
        self._unwritten: list[Revision] = []
        self._turn = asyncio.Lock()
        self.known: dict[str, Environment] = {}
        self.recent: deque[Revision] = deque()
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
        self._read_known()
        for revision in self._lines():
            self.founded = True
            self._remember(revision)
            if revision.revision > self.last:
                self._apply(revision)
            if now - revision.at < RECENT:
                self.recent.append(revision)
        with contextlib.suppress(RegistryError):
            self._write_known()

    async def follow(self, changed: Iterable[tuple[Difference, Author]], now: datetime) -> None:
        """Append one revision for each difference; durable on return unless `trouble` says so."""
        async with self._turn:
            added = []
            for (environment_id, before, after), author in changed:
                if before is None and after is None:
                    continue  # a broken record that never was good
                revision = Revision(self.last + 1, now, author, environment_id, before, after)
                self._apply(revision)
                self._remember(revision)
                added.append(revision)
            self.recent.extend(added)
            while self.recent and now - self.recent[0].at > RECENT:
                self.recent.popleft()
            await self._append(added)
        if added:
            self.appended(added)

    def share(self, environments: Iterable[Environment]) -> None:
        """Take these, equal to what is known, as the known objects: then comparing is cheap."""
        self.known = {each.environment_id: each for each in environments}

    def missed(self, environments: Iterable[Environment]) -> list[Difference]:
        """What differs between the state that history knows and these environments."""
        return list(differences(self.known, environments))

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

    def close(self) -> None:
        """Keep the state, so that the next start reads few lines."""
        if self._folder is not None:
            with contextlib.suppress(RegistryError):
                self._write_known()

    def _remember(self, revision: Revision) -> None:
        states = (revision.before, revision.after)
        tags = {revision_of(state) for state in states if state is not None}
        self.past.setdefault(revision.environment_id, set()).update(tags)

    def _apply(self, revision: Revision) -> None:
        self.last = revision.revision
        if revision.after is None:
            self.known.pop(revision.environment_id, None)
            return
        with contextlib.suppress(ValidationError):  # written by an older version of the rules
            self.known[revision.environment_id] = Environment.model_validate(revision.after)

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
