"""The engine over one JSON file, which people edit too."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import count
from pathlib import Path

from registry.changes import Change
from registry.engines.catalogue_text import EMPTY, CatalogueText, indented, join
from registry.engines.content import Content
from registry.engines.exchange import KEPT_S, Displaced, SavedMeanwhile, replace_expecting
from registry.engines.late_saves import KEPT_MAX, LateSaves
from registry.engines.protocol import Loaded, Stale
from registry.engines.read_file import ReadFile, read_anew, read_edited, with_texts
from registry.engines.reading import KeptOpen, Signature, read, signature
from registry.engines.watching import file_signature, poll_signature, stopped, watch_folder
from registry.entries import RawRecord
from registry.errors import StoreUnavailable


class JsonFileEngine:
    """Reads, rewrites and watches the catalogue file; keeps what it last read.

    The key of a record is a number that it gets when its text is first met. A commit compares the
    bytes that it displaces with those of the expected revision, so whatever changed meanwhile is
    noticed by content, not by time. A reading is spared where the file's times prove that it would
    find the same.
    `last_instant` is called just before the file is swapped: for tests, which save in it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: ReadFile | None = None
        self._keys = map(str, count())
        self._loaded = Loaded((), "", absent=True)
        self._serial = 0
        self._changed = asyncio.Event()
        self._turn = asyncio.Lock()
        self._closed = False
        self._tasks: list[asyncio.Task[None]] = []
        self._late, self._open = LateSaves(path), KeptOpen()
        self._giving_up: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._placed = Content()
        self._known: Signature | None = None
        self.last_instant: Callable[[], None] = lambda: None

    async def load(self) -> Loaded:
        """What the file holds now. Raises CatalogueUnreadable with line and column."""
        async with self._turn:
            if self._is_as_known():
                return self._loaded
            loaded = await asyncio.to_thread(self._load)
        self._give_up_in_time()
        return loaded

    async def commit(self, changes: Sequence[Change], expected: str) -> None:
        """Write the file anew, durable on return. Raises Stale, DiskFull, StoreUnavailable."""
        async with self._turn:
            await asyncio.to_thread(self._commit, changes, expected)
        self._changed.set()
        self._give_up_in_time()

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
        self._hurry.set()
        if self._giving_up is not None:
            await asyncio.wait([self._giving_up])  # whatever it ended with
        await asyncio.to_thread(self._late.take, self._placed)
        await asyncio.to_thread(_remove, self._late.given_up(self._placed, whole=True))
        self._open.let_go(whole=True)

    def _give_up_in_time(self) -> None:
        """Large files are closed and removed beside all this: nobody waits for it."""
        if self._leftover_count > KEPT_MAX:
            self._hurry.set()
        if self._leftover_count > 0 and (self._giving_up is None or self._giving_up.done()):
            self._giving_up = asyncio.create_task(self._give_up())

    @property
    def _leftover_count(self) -> int:
        """How many files wait for it, at most: of each kind the newest does not."""
        return max(len(self._late), len(self._open)) - 1

    async def _give_up(self) -> None:
        while self._leftover_count > 0 and not self._closed:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), KEPT_S)
            self._hurry.clear()
            async with self._turn:
                old = await asyncio.to_thread(self._late.given_up, self._placed)
            await asyncio.to_thread(_remove, old)
            await asyncio.to_thread(self._open.let_go)

    def _watch(self) -> None:
        # Of a symbolic link both folders matter: the link may be swapped, the target rewritten.
        files = {self._path.absolute(), self._path.resolve()}
        signature, wake = partial(file_signature, self._path), self._changed.set
        watches = [watch_folder(each.parent, wake, file=each.name) for each in files]
        self._tasks = [
            asyncio.create_task(each) for each in (*watches, poll_signature(signature, wake))
        ]

    def _is_as_known(self) -> bool:
        """Whether the times of all files prove it, so that no thread has to read anything."""
        try:
            is_same = self._known is not None and self._known == signature(self._path)
            return is_same and not self._late.are_possible()
        except OSError:
            return False

    def _load(self) -> Loaded:
        self._late.take(self._placed)
        try:
            seen = signature(self._path)
            if seen == self._known and self._loaded.revision:
                return self._loaded
            content = read(self._path, self._file.content if self._file else None)
        except FileNotFoundError:
            seen, content = None, None
        except OSError as error:
            raise StoreUnavailable(f"cannot read {self._path.name}: {error.strerror}") from error
        self._take(content)
        self._known = seen if seen and seen.is_settled(time.time_ns()) else None
        self._open.take(self._path)
        return self._loaded

    def _take(self, content: Content | None) -> None:
        """Keep what was read, unless it is what is kept."""
        known = self._file.content if self._file is not None else None
        if content is known and self._loaded.revision:
            return
        self._keep(self._taken_apart(content) if content is not None else None)

    def _taken_apart(self, content: Content) -> ReadFile:
        edited = read_edited(self._file, content, self._keys) if self._file else None
        return edited or read_anew(content, self._path.name, self._keys, self._file)

    def _keep(self, file: ReadFile | None) -> None:
        self._serial += 1
        self._file, revision = file, str(self._serial)
        if file is None:
            self._loaded = Loaded((), revision, absent=True)
        else:
            self._loaded = Loaded(file.records, revision, place=file.place)

    def _commit(self, changes: Sequence[Change], expected: str) -> None:
        self._late.take(self._placed)
        if expected != self._loaded.revision:
            raise Stale
        file = self._file or read_anew(Content.of(EMPTY.encode()), self._path.name, self._keys)
        is_ours = file.content is self._placed  # laid out by us: nothing else is to be moved
        written = _spliced(file, changes, self._keys) if is_ours else None
        self._place(written.content if written else _joined(file, changes))
        self._keep(written or self._taken_apart(self._placed))

    def _place(self, content: Content) -> None:
        expected = self._file.content if self._file is not None else None
        known, self._known = self._known, None
        try:
            placed = replace_expecting(
                self._path, content, expected, known=known, last_instant=self.last_instant
            )
        except SavedMeanwhile as error:
            raise Stale from error
        self._placed, self._known = content, placed.signature
        if placed.displaced is not None:
            self._late.expect_into(placed.displaced)
        self._open.take(self._path)


def _remove(displaced: Iterable[Displaced]) -> None:
    for each in displaced:
        each.forget()


def _joined(file: ReadFile, changes: Sequence[Change]) -> Content:
    """The whole file laid out anew, with these changes."""
    changed = {change.key: change for change in changes if change.key is not None}
    kept = (
        text
        for record in file.records
        if (text := _text(record, changed.get(record.key), file.around)) is not None
    )
    added = (_laid_out(change, file.around) for change in changes if _adds(change))
    return Content.of(join(file.around, (*kept, *added)).encode())


def _spliced(file: ReadFile, changes: Sequence[Change], keys: Iterator[str]) -> ReadFile | None:
    """The same as `_joined`, of a file that is laid out already; None where none would be left."""
    changed = {change.key: change for change in changes if change.key is not None}
    if not file.records:
        return None
    texts = {
        index: _text(record, changed[record.key], file.around)
        for index, record in enumerate(file.records)
        if record.key in changed
    }
    added = [_laid_out(change, file.around) for change in changes if _adds(change)]
    if any(text != text.strip() for text in (*texts.values(), *added) if text is not None):
        return None
    return with_texts(file, texts, added, keys)


def _adds(change: Change) -> bool:
    return change.key is None and bool(change.text)


def _text(record: RawRecord, change: Change | None, around: CatalogueText) -> str | None:
    if change is None:
        return record.text
    return None if change.text is None else _laid_out(change, around)


def _laid_out(change: Change, around: CatalogueText) -> str:
    assert change.text is not None
    return change.text if change.laid_out else indented(change.text, around)
