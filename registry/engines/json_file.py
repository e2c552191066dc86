"""The engine over one JSON file, which people edit too."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path

import structlog

from registry.changes import Change
from registry.engines.catalogue_text import EMPTY, CatalogueText, indented, join, split, unreadable
from registry.engines.exchange import Displaced, SavedMeanwhile, put_back, replace_expecting
from registry.engines.protocol import Loaded, Stale
from registry.engines.watching import file_signature, poll_signature, stopped, watch_folder
from registry.errors import RegistryError, StoreUnavailable
from registry.json_text import line_column
from registry.snapshot import Place, RawRecord

# An editor that has the file open for longer than this many commits is not waited for.
_DISPLACED_MAX = 8
_log = structlog.get_logger()


class JsonFileEngine:
    """Reads, rewrites and watches the catalogue file; keeps what it last read.

    The key of a record is its position in the file. A commit compares the file's bytes with those
    of the expected revision, so whatever changed meanwhile is noticed by content, not by time.
    `last_instant` is called just before the file is swapped: for tests, which save in it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._bytes: bytes | None = None
        self._text = CatalogueText("", (), "")
        self._loaded = Loaded((), "", absent=True)
        self._serial = 0
        self._changed = asyncio.Event()
        self._turn = asyncio.Lock()
        self._closed = False
        self._tasks: list[asyncio.Task[None]] = []
        self._displaced: list[Displaced] = []
        self._placed = b""
        self.last_instant: Callable[[], None] = lambda: None

    async def load(self) -> Loaded:
        """What the file holds now. Raises CatalogueUnreadable with line and column."""
        async with self._turn:
            return await asyncio.to_thread(self._load)

    async def commit(self, changes: Sequence[Change], expected: str) -> None:
        """Write the file anew, durable on return. Raises Stale, DiskFull, StoreUnavailable."""
        async with self._turn:
            await asyncio.to_thread(self._commit, changes, expected)
        self._changed.set()

    async def ticks(self) -> AsyncIterator[None]:
        """One tick after each commit and each change of the file by others."""
        self._watch()
        while not self._closed:
            await self._changed.wait()
            self._changed.clear()
            yield

    async def aclose(self) -> None:
        """Stop watching; `ticks` ends."""
        self._closed = True
        self._changed.set()
        await stopped(self._tasks)
        await asyncio.to_thread(self._look_at_displaced)
        for displaced in self._displaced:
            displaced.forget()

    def _watch(self) -> None:
        # Of a symbolic link both folders matter: the link may be swapped, the target rewritten.
        folders = {self._path.absolute().parent, self._path.resolve().parent}
        signature, wake = partial(file_signature, self._path), self._changed.set
        watches = [watch_folder(folder, wake) for folder in folders]
        self._tasks = [
            asyncio.create_task(each) for each in (*watches, poll_signature(signature, wake))
        ]

    def _read(self) -> bytes | None:
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreUnavailable(f"cannot read {self._path.name}: {error.strerror}") from error

    def _load(self) -> Loaded:
        self._look_at_displaced()
        content = self._read()
        if content == self._bytes and self._loaded.revision:
            return self._loaded
        if content is None:
            self._keep(None, "", CatalogueText("", (), ""))
            return self._loaded
        text = self._decoded(content)
        self._keep(content, text, split(text, self._path.name))
        return self._loaded

    def _decoded(self, content: bytes) -> str:
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            before = content[: error.start].decode("utf-8")
            line, column = line_column(before, len(before))
            raise unreadable(self._path.name, "a byte is not UTF-8", line, column) from error

    def _keep(self, content: bytes | None, text: str, catalogue: CatalogueText) -> None:
        self._serial += 1
        self._bytes, self._text = content, catalogue
        records = tuple(self._records(text, catalogue))
        self._loaded = Loaded(records, str(self._serial), absent=content is None)

    def _records(self, text: str, catalogue: CatalogueText) -> Sequence[RawRecord]:
        records, line, seen = [], 1, 0
        for index, (start, end) in enumerate(catalogue.spans):
            line += text.count("\n", seen, start)
            seen = start
            place = Place(self._path.name, line, start - text.rfind("\n", 0, start))
            records.append(RawRecord(str(index), text[start:end], place))
        return records

    def _commit(self, changes: Sequence[Change], expected: str) -> None:
        self._look_at_displaced()
        if expected != self._loaded.revision:
            raise Stale
        catalogue = self._text if self._bytes is not None else split(EMPTY, self._path.name)
        changed = {change.key: change for change in changes if change.key is not None}
        kept = (
            text
            for record in self._loaded.records
            if (text := _text(record, changed.get(record.key), catalogue)) is not None
        )
        added = (
            indented(change.text, catalogue)
            for change in changes
            if change.key is None and change.text
        )
        self._place(join(catalogue, (*kept, *added)).encode())

    def _place(self, content: bytes) -> None:
        try:
            displaced = replace_expecting(
                self._path, content, self._bytes, last_instant=self.last_instant
            )
        except SavedMeanwhile as error:
            raise Stale from error
        self._placed = content
        if displaced is not None:
            self._displaced.append(displaced)
        while len(self._displaced) > _DISPLACED_MAX:
            self._displaced.pop(0).forget()

    def _look_at_displaced(self) -> None:
        """An editor that had the old file open may have saved into it after we replaced it."""
        for displaced in list(self._displaced):
            if displaced.saved_into():
                self._displaced.remove(displaced)
                self._put_back(displaced)
            elif displaced.expired():
                self._displaced.remove(displaced)
                displaced.forget()

    def _put_back(self, displaced: Displaced) -> None:
        try:
            if put_back(displaced, self._path, self._placed):
                displaced.forget()
                return
            kept = displaced.path.rename(self._path.with_suffix(f".{time.time_ns()}.late"))
            _log.error("late_save_kept_aside", file=kept.name, reason="edited since")
        except (OSError, RegistryError) as error:
            _log.error("late_save_waits", file=displaced.path.name, reason=str(error))
            self._displaced.append(displaced)


def _text(record: RawRecord, change: Change | None, catalogue: CatalogueText) -> str | None:
    if change is None or change.text is None or change.laid_out:
        return record.text if change is None else change.text
    return indented(change.text, catalogue)
