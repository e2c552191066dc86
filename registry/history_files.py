"""The history's files: what is appended, rotated and mended, with no word about what it means.

`history.jsonl` has a line a change; when it is full it becomes `history.1.jsonl`, over the one
before. `known.json` is the state at some revision, so that a start need not take all lines apart.
All can be read by their owner alone.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import structlog

from registry.engines.durable import as_registry_errors, sync_folder, write_all, write_durably

_READ_BYTES = 1024 * 1024
_BLOCK_BYTES = 512 * 1024
_MODE = 0o600

_log = structlog.get_logger()


class HistoryFiles:
    """Three files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._newer, self._older = folder / "history.jsonl", folder / "history.1.jsonl"
        self._state = folder / "known.json"

    def prepare(self) -> None:
        """Make the folder, and cut a torn last line. Raises StoreUnavailable and DiskFull."""
        with as_registry_errors("history"):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._mend_torn_line()

    def append(self, lines: bytes) -> int:
        """Durable on return; the size of the file in bytes. Raises StoreUnavailable and DiskFull,
        with the file as it was."""
        with as_registry_errors(self._newer.name):
            new = not self._newer.exists()
            start = 0 if new else self._newer.stat().st_size
            # Unbuffered: what a full disk refused would be written at the end all the same.
            with self._newer.open("ab", buffering=0) as file:
                os.fchmod(file.fileno(), _MODE)
                try:
                    write_all(file.fileno(), (lines,))
                    os.fsync(file.fileno())
                except OSError:
                    os.ftruncate(file.fileno(), start)
                    raise
            if new:
                sync_folder(self._folder)
        return start + len(lines)

    def rotate(self) -> None:
        """Begin a new file; the one before the last is dropped. Raises StoreUnavailable."""
        with as_registry_errors(self._newer.name):
            self._newer.replace(self._older)
            sync_folder(self._folder)

    def dropped_next(self) -> Iterator[bytes]:
        """The lines that the next rotation drops."""
        return _lines_of(self._older)

    def lines(self) -> Iterator[bytes]:
        """Every line that is kept, oldest first; what cannot be read is left out."""
        for path in (self._older, self._newer):
            yield from _lines_of(path)

    def contents(self) -> Iterator[bytes]:
        """The same lines, a file at a time."""
        for path in (self._older, self._newer):
            with contextlib.suppress(OSError):
                yield path.read_bytes()

    def state(self) -> bytes:
        """The kept state. Raises OSError."""
        return self._state.read_bytes()

    def keep_state(self, content: bytes) -> None:
        """Replace the kept state. Raises StoreUnavailable and DiskFull."""
        write_durably(self._state, content, mode=_MODE)

    def _mend_torn_line(self) -> None:
        """Cut what follows the last whole line: a crash while appending."""
        with contextlib.suppress(FileNotFoundError), self._newer.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            end = _end_of_lines(file, size)
            if end < size:
                _log.warning("history_torn", bytes=size - end, note="the catalogue has the change")
                file.truncate(end)
                os.fsync(file.fileno())


def _lines_of(path: Path) -> Iterator[bytes]:
    # In large blocks: they are read while other threads run, such as the one that answers polls.
    with contextlib.suppress(OSError), path.open("rb", buffering=_BLOCK_BYTES) as file:
        yield from file


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
