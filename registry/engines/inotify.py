"""Changes of folders from Linux' inotify on the event loop: no thread, no wake-up while idle.

Source: inotify(7). Only that something changed is told, never what.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import struct
from collections.abc import Iterator
from pathlib import Path

_MODIFIED, _CLOSED, _MOVED, _CREATED, _DELETED = 0x2, 0x8, 0xC0, 0x100, 0x200
_MOVED_TO = 0x80
_TOUCHED, _GONE = 0x4, 0xC00  # attributes; the folder itself is deleted or moved
_IS_FOLDER, _ONLY_FOLDERS = 0x40000000, 0x01000000
_LOST = 0x4000
_MASK = _MODIFIED | _CLOSED | _MOVED | _CREATED | _DELETED | _TOUCHED | _GONE | _ONLY_FOLDERS
_HEAD = struct.Struct("iIII")
_READ_BYTES = 64 * 1024


class FolderEvents:
    """The changes of one folder, with `recursive` of all below it. The caller closes it.

    `file` is a name that matters more than others: what is renamed to it is whole at once.
    Raises OSError where the kernel has no inotify, no room for more, or there is no folder.
    """

    def __init__(self, folder: Path, *, recursive: bool = False, file: str = "") -> None:
        self._folder, self._recursive, self._file = folder, recursive, os.fsencode(file)
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._own = -1
        self._descriptor = self._call("inotify_init1", os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            self._own = self._watch(folder)
            self._watch_below()
        except OSError:
            os.close(self._descriptor)
            raise
        self.is_gone = self._is_whole = False
        self._loop.add_reader(self._descriptor, self._read)

    async def next(self, quiet_s: float, longest_s: float) -> None:
        """Returns after a change, when nothing more came for `quiet_s`, or after `longest_s`.

        At once when the last change was a rename to the file.
        """
        await self._news.wait()
        end_s = self._loop.time() + longest_s
        while self._news.is_set() and not self._is_whole and self._loop.time() < end_s:
            self._news.clear()
            await asyncio.sleep(quiet_s)
        self._news.clear()

    def close(self) -> None:
        """Stop watching."""
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)

    def _read(self) -> None:
        """Take what the kernel has. Folders that came are watched before anybody is told."""
        masks, is_whole = 0, False
        with contextlib.suppress(BlockingIOError):
            while content := os.read(self._descriptor, _READ_BYTES):
                for watch, mask, name in _events(content):
                    masks |= mask
                    is_whole = name == self._file and bool(mask & _MOVED_TO)
                    self.is_gone = self.is_gone or (watch == self._own and bool(mask & _GONE))
        if masks & (_IS_FOLDER | _LOST):
            self._watch_below()
        self._is_whole = is_whole
        self._news.set()

    def _watch_below(self) -> None:
        if self._recursive:
            for parent, folders, _ in os.walk(self._folder):
                for name in folders:
                    with contextlib.suppress(OSError):  # gone again, or no room: polls see it
                        self._watch(Path(parent, name))

    def _watch(self, folder: Path) -> int:
        """A folder that is watched already keeps its watch."""
        return self._call("inotify_add_watch", self._descriptor, os.fsencode(folder), _MASK)

    def _call(self, name: str, *arguments: object) -> int:
        function = getattr(self._libc, name, None)
        if function is None:
            raise OSError(f"no {name} here")
        outcome: int = function(*arguments)
        if outcome < 0:
            raise OSError(ctypes.get_errno(), name)
        return outcome


def _events(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Watch, mask and name of each; the name is empty where it is about the folder itself."""
    offset = 0
    while offset < len(content):
        watch, mask, _, length = _HEAD.unpack_from(content, offset)
        start, offset = offset + _HEAD.size, offset + _HEAD.size + length
        yield watch, mask, content[start:offset].rstrip(b"\0")
