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

from registry.engines.content import Content
from registry.engines.durable import UNFINISHED, as_registry_errors, sync_folder, write_beside
from registry.engines.reading import SETTLED_NS, Signature, holds, read, signature

KEPT_S = 5.0
_SUFFIX = ".new"
_AT_FDCWD = -100
_EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2)
_UNSUPPORTED = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP}
_ROUNDS_MAX = 100
# So far back that any save of others, however coarse times are, leaves another one.
_BACKDATED_NS = SETTLED_NS + 1_000_000_000


class SavedMeanwhile(Exception):
    """Somebody saved the file in the last instant; their text is in place, ours nowhere."""


@dataclass
class Displaced:
    """The file that ours took the place of, for as long as an editor may write into it."""

    path: Path
    content: Content
    since_s: float
    _unchanged: Signature | None = None

    def may_differ(self) -> bool:
        """False where it was looked at once its times were settled, and has them still."""
        with contextlib.suppress(OSError):
            return signature(self.path) != self._unchanged
        return False

    def saved_into(self, *, thoroughly: bool = False) -> bool:
        """Whether somebody wrote into it since.

        It is not read where that cannot be, unless `thoroughly`: some ways of writing leave the
        times alone.
        """
        if not (thoroughly or self.may_differ()):
            return False
        with contextlib.suppress(OSError):
            seen = signature(self.path)
            if not holds(self.path, self.content):
                return True
            self._unchanged = seen if seen.is_settled(time.time_ns()) else None
        return False

    def expired(self) -> bool:
        """Whether no editor is expected to write into it any more."""
        return time.monotonic() - self.since_s > KEPT_S

    def forget(self) -> None:
        """Remove it; where the disk refuses, the next start does."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Placed:
    """Our file in place, what it displaced, and its signature; None where others wrote already."""

    displaced: Displaced | None
    signature: Signature | None


def replace_expecting(
    path: Path,
    content: Content,
    expected: Content | None,
    *,
    known: Signature | None = None,
    last_instant: Callable[[], None] = lambda: None,
) -> Placed:
    """Durably put `content` in the place of `expected` (None: of no file).

    A file of the signature `known` is as expected. A symbolic link is written at its target.
    `last_instant` is called when nothing is left but the swap. Raises SavedMeanwhile when the file
    is not as expected; DiskFull and StoreUnavailable with the file as it was.
    """
    with as_registry_errors(path.name):
        target = path.resolve()
        found = _found(target)  # before the look at the content: it is that content's
        if not (found and found == known) and not _is_as_expected(target, expected):
            raise SavedMeanwhile
        ours = _named(Path(write_beside(target, content.pieces, 0o644)), _identity(found))
        try:
            _backdate(ours)
            made = signature(ours)
            last_instant()
            displaced = _swapped_in(ours, target, content, expected)
        except BaseException:
            ours.unlink(missing_ok=True)
            raise
        return Placed(displaced, _if_same(made, target))


def put_back(displaced: Displaced, path: Path, ours: Content) -> bool:
    """Put a late save in place; False when the file in place is no longer what we wrote."""
    with as_registry_errors(path.name):
        target = path.resolve()
        if not _swap(displaced.path, target):
            if not holds(target, ours):
                return False
            displaced.path.replace(target)
        elif not holds(displaced.path, ours):
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
    beside = _beside(target)
    for leftover in (each for each in beside if each.suffix == _SUFFIX):
        number, _, displaced = leftover.name.removesuffix(_SUFFIX).split(".")[-1].partition("-")
        if number == str(leftover.stat().st_ino) or displaced == _identity(signature(leftover)):
            leftover.unlink()
        else:
            late.append(leftover.rename(target.with_suffix(f".{time.time_ns()}.late")))
    for unfinished in (each for each in beside if each.suffix == UNFINISHED):
        unfinished.unlink()
    return late


def _beside(target: Path) -> list[Path]:
    """What has a name that we make, in order. No pattern: the target's name may look like one."""
    try:
        return sorted(
            each for each in target.parent.iterdir() if each.name.startswith(f".{target.name}.")
        )
    except FileNotFoundError:
        return []


def _found(path: Path) -> Signature | None:
    try:
        return signature(path)
    except FileNotFoundError:
        return None


def _identity(found: Signature | None) -> str:
    """Inode and time of the last save: another save has another; "none" for no file."""
    return f"{found.inode}-{found.mtime_ns}" if found else "none"


def _is_as_expected(path: Path, expected: Content | None) -> bool:
    try:
        return not path.exists() if expected is None else holds(path, expected)
    except FileNotFoundError:
        return False


def _backdate(ours: Path) -> None:
    """Then whoever saves into it leaves another time, and a look at the times will do."""
    status = ours.stat()
    mtime_ns = status.st_mtime_ns - _BACKDATED_NS
    os.utime(ours, ns=(status.st_atime_ns, mtime_ns))


def _if_same(made: Signature, target: Path) -> Signature | None:
    """The signature of our file in place, unless it was written since it was made."""
    placed = _found(target)
    is_ours = placed is not None and placed[:3] == made[:3]  # a swap changes the ctime
    return placed if is_ours else None


def _named(file: Path, displaced: str) -> Path:
    random = file.name.removesuffix(UNFINISHED)
    return file.rename(file.with_name(f"{random}.{file.stat().st_ino}-{displaced}{_SUFFIX}"))


def _create(ours: Path, target: Path) -> None:
    """The first file there is: nothing is displaced."""
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


def _swapped_in(
    ours: Path, target: Path, content: Content, expected: Content | None
) -> Displaced | None:
    if expected is not None:
        return _exchange(ours, target, content, expected)
    _create(ours, target)
    return None


def _exchange(ours: Path, target: Path, content: Content, expected: Content) -> Displaced:
    try:
        swapped = _swap(ours, target)
    except FileNotFoundError as error:  # removed in the last instant: that is an edit too
        raise SavedMeanwhile from error
    if not swapped:
        return _rename(ours, target, expected)
    seen = signature(ours)
    if not holds(ours, expected):
        _restore_newest(ours, target, content)
        raise SavedMeanwhile
    try:
        sync_folder(target.parent)
    except OSError:
        with contextlib.suppress(OSError):  # its folder cannot be synced either
            _restore_newest(ours, target, content)
        raise
    unchanged = seen if seen.is_settled(time.time_ns()) else None
    return Displaced(ours, expected, time.monotonic(), unchanged)


def _restore_newest(beside: Path, target: Path, placed: Content) -> None:
    """Swap until what comes back is what we placed: then the last save is the one in place."""
    for _ in range(_ROUNDS_MAX):
        newest = read(beside, placed)
        _swap(beside, target)
        if holds(beside, placed):
            break
        placed = newest
    sync_folder(target.parent)


def _rename(ours: Path, target: Path, expected: Content) -> Displaced:
    """Where the file system cannot exchange: look, then rename; an instant stays between."""
    if not holds(target, expected):
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
