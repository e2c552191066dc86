"""Replace a file that others may save at any moment, without losing what they save.

A rename destroys what it replaces, so a save between the last look and the rename would be lost.
`renameat2(RENAME_EXCHANGE)` swaps two names in one step: what came back is looked at, and if it is
not what was expected, somebody saved in the last instant, and it goes back to its place.

An editor that writes in place may still hold the displaced file open. So it is kept for a while as
`Displaced`, and looked at again: what is saved into it late is put in place as any other save.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from registry.engines.durable import UNFINISHED, as_registry_errors, sync_folder, write_beside

KEPT_S = 5.0
_SUFFIX = ".new"
_AT_FDCWD = -100
_EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2)
_UNSUPPORTED = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP}
_ROUNDS_MAX = 100
# Longer than the steps in which kernels count the times of files.
_QUIET_NS = 20_000_000
_Signature = tuple[int, int, int]


class SavedMeanwhile(Exception):
    """Somebody saved the file in the last instant; their text is in place, ours nowhere."""


@dataclass
class Displaced:
    """The file that ours took the place of, for as long as an editor may write into it."""

    path: Path
    content: bytes
    since_s: float
    _unchanged: _Signature | None = None

    def saved_into(self, *, thoroughly: bool = False) -> bool:
        """Whether somebody wrote into it since.

        A file that was looked at a while after its last change is not read again until its times
        change, unless `thoroughly`: some ways of writing leave the times alone.
        """
        with contextlib.suppress(OSError):
            signature = _signature(self.path)
            if signature == self._unchanged and not thoroughly:
                return False
            if self.path.read_bytes() != self.content:
                return True
            quiet = time.time_ns() - signature[2] > _QUIET_NS
            self._unchanged = signature if quiet else None
        return False

    def expired(self) -> bool:
        """Whether no editor is expected to write into it any more."""
        return time.monotonic() - self.since_s > KEPT_S

    def forget(self) -> None:
        """Remove it; where the disk refuses, the next start does."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


def replace_expecting(
    path: Path,
    content: bytes,
    expected: bytes | None,
    *,
    last_instant: Callable[[], None] = lambda: None,
) -> Displaced | None:
    """Durably put `content` in the place of `expected` (None: of no file).

    A symbolic link is written at its target. `last_instant` is called when nothing is left but the
    swap. Raises SavedMeanwhile when the file is not as expected; DiskFull and StoreUnavailable
    with the file as it was.
    """
    with as_registry_errors(path.name):
        target = path.resolve()
        identity = _identity(target)  # before the look at the content: it is that content's
        if _content(target) != expected:
            raise SavedMeanwhile
        ours = _named(Path(write_beside(target, content, 0o644)), identity)
        try:
            last_instant()
            if expected is None:
                _create(ours, target)
                return None
            return _exchange(ours, target, content, expected)
        except BaseException:
            ours.unlink(missing_ok=True)
            raise


def put_back(displaced: Displaced, path: Path, ours: bytes) -> bool:
    """Put a late save in place; False when the file in place is no longer what we wrote."""
    with as_registry_errors(path.name):
        target = path.resolve()
        if not _swap(displaced.path, target):
            if target.read_bytes() != ours:
                return False
            displaced.path.replace(target)
        elif displaced.path.read_bytes() != ours:
            _swap(displaced.path, target)
            return False
        sync_folder(target.parent)
    return True


def clear_leftovers(path: Path) -> list[Path]:
    """Remove what a crash left beside the file; where saves that it swallowed are kept aside.

    The name of our file has its inode number, and the identity of the file that it was to replace.
    What bears its own number was never swapped: it is ours, and was not acknowledged. What has the
    identity that its name tells was displaced. Anything else was saved in the last instant.
    """
    target, late = path.resolve(), []
    for leftover in sorted(target.parent.glob(f".{target.name}.*{_SUFFIX}")):
        number, _, displaced = leftover.name.removesuffix(_SUFFIX).split(".")[-1].partition("-")
        if number == str(leftover.stat().st_ino) or displaced == _identity(leftover):
            leftover.unlink()
        else:
            late.append(leftover.rename(target.with_suffix(f".{time.time_ns()}.late")))
    for unfinished in target.parent.glob(f".{target.name}.*{UNFINISHED}"):
        unfinished.unlink()
    return late


def _identity(path: Path) -> str:
    """Inode and time of the last save: another save has another; "none" for no file."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return "none"
    return f"{status.st_ino}-{status.st_mtime_ns}"


def _signature(path: Path) -> _Signature:
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _named(file: Path, displaced: str) -> Path:
    random = file.name.removesuffix(UNFINISHED)
    return file.rename(file.with_name(f"{random}.{file.stat().st_ino}-{displaced}{_SUFFIX}"))


def _create(ours: Path, target: Path) -> None:
    try:
        target.hardlink_to(ours)
    except FileExistsError as error:
        raise SavedMeanwhile from error
    try:
        sync_folder(target.parent)
    except OSError:
        if target.samefile(ours):
            target.unlink()
        raise
    ours.unlink()


def _exchange(ours: Path, target: Path, content: bytes, expected: bytes) -> Displaced:
    try:
        swapped = _swap(ours, target)
    except FileNotFoundError as error:  # removed in the last instant: that is an edit too
        raise SavedMeanwhile from error
    if not swapped:
        return _rename(ours, target, expected)
    if ours.read_bytes() != expected:
        _restore_newest(ours, target, content)
        raise SavedMeanwhile
    try:
        sync_folder(target.parent)
    except OSError:
        with contextlib.suppress(OSError):  # its folder cannot be synced either
            _restore_newest(ours, target, content)
        raise
    return Displaced(ours, expected, time.monotonic())


def _restore_newest(beside: Path, target: Path, placed: bytes) -> None:
    """Swap until what comes back is what we placed: then the last save is the one in place."""
    for _ in range(_ROUNDS_MAX):
        newest = beside.read_bytes()
        _swap(beside, target)
        if beside.read_bytes() == placed:
            break
        placed = newest
    sync_folder(target.parent)


def _rename(ours: Path, target: Path, expected: bytes) -> Displaced:
    """Where the file system cannot exchange: look, then rename; an instant stays between."""
    if target.read_bytes() != expected:
        raise SavedMeanwhile
    displaced = ours.with_suffix(".displaced")
    displaced.unlink(missing_ok=True)
    displaced.hardlink_to(target)
    ours.replace(target)
    sync_folder(target.parent)
    return Displaced(displaced, expected, time.monotonic())


def _swap(one: Path, other: Path) -> bool:
    """Exchange two names in one step; False where the kernel or file system cannot."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(one), os.fsencode(other)
    if libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNSUPPORTED:
        return False
    raise OSError(number, os.strerror(number), str(other))
