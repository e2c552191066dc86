"""Reading a file that is known: only what differs becomes new bytes, and often a look will do."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from registry.engines.content import PIECE_BYTES, Content, cut

# Longer than the steps in which file systems count the times of files (FAT: 2 s).
SETTLED_NS = 3_000_000_000


class Signature(NamedTuple):
    """What a write into a file, or another file in its place, changes."""

    inode: int
    size_bytes: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Signature:
        """What a look at a file says of it."""
        return cls(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)

    def is_settled(self, now_ns: int) -> bool:
        """Whether whoever writes from now on leaves another time than this."""
        return now_ns - self.mtime_ns > SETTLED_NS


def signature(path: str | os.PathLike[str]) -> Signature:
    """Of the file as it is. Raises OSError."""
    return Signature.of(os.stat(path))  # noqa: PTH116 (what is asked for ever, in half the time)


def read(path: Path, like: Content | None = None) -> Content:
    """What a file holds; `like` itself where that is the same, else of its pieces what it can.

    Raises OSError.
    """
    with path.open("rb", buffering=0) as file:
        edited = _edited(file.fileno(), like) if like is not None else None
        return edited if edited is not None else Content(tuple(_pieces(file)))


def holds(path: Path, content: Content) -> bool:
    """Whether this is what a file holds. Raises OSError."""
    return read(path, content) is content


class KeptOpen:
    """The files that stood at a path, open until they are let go; the last one stands there now.

    So its inode number is given to no other, and whoever replaces it does not wait until its room
    is free again, which takes milliseconds for a large one.
    """

    def __init__(self) -> None:
        self._handles: list[int] = []

    def __len__(self) -> int:
        return len(self._handles)

    def take(self, path: Path) -> None:
        """Keep open what stands there now."""
        with contextlib.suppress(OSError):
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            if self._handles and os.path.sameopenfile(handle, self._handles[-1]):
                os.close(handle)
            else:
                self._handles.append(handle)

    def let_go(self, *, whole: bool = False) -> None:
        """Close all but the last one, or the `whole`."""
        while len(self._handles) > (0 if whole else 1):
            with contextlib.suppress(OSError):  # of a network disk: it is closed all the same
                os.close(self._handles.pop(0))


def _pieces(file: FileIO) -> Iterator[bytes]:
    """A file piece by piece: whole, it would be as much memory again."""
    while piece := file.read(PIECE_BYTES):
        yield piece


def _edited(handle: int, known: Content) -> Content | None:
    """None where the file changes while it is read."""
    size = os.fstat(handle).st_size
    first, start = _same(handle, known.pieces, 0, size)
    last, stop = _same_at_end(handle, known.pieces[first:], start, size)
    middle = os.pread(handle, stop - start, start)
    if len(middle) != stop - start or os.fstat(handle).st_size != size:
        return None
    if size == len(known) and not middle:
        return known
    return Content((*known.pieces[:first], *cut(middle), *known.pieces[len(known.pieces) - last :]))


def _same(handle: int, pieces: Iterable[bytes], at: int, stop: int) -> tuple[int, int]:
    """How many pieces stand at the start, and where they end."""
    count = 0
    for piece in pieces:
        if at + len(piece) > stop or os.pread(handle, len(piece), at) != piece:
            break
        count, at = count + 1, at + len(piece)
    return count, at


def _same_at_end(handle: int, pieces: tuple[bytes, ...], start: int, at: int) -> tuple[int, int]:
    """How many pieces stand at the end, behind `start`, and where they begin."""
    count = 0
    for piece in reversed(pieces):
        if at - len(piece) < start or os.pread(handle, len(piece), at - len(piece)) != piece:
            break
        count, at = count + 1, at - len(piece)
    return count, at
