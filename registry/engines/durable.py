"""Files that are on disk when the call returns: whole, or as they were before."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from registry.errors import DiskFull, StoreUnavailable

UNFINISHED = ".part"
_IOV_MAX = 1024  # of writev(2) on Linux
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def write_durably(
    path: Path, content: bytes, *, mode: int = 0o644, group: int | None = None
) -> None:
    """Replace a file through a rename, file and folder synced.

    An existing file's mode, owner and group stay, unless `group` is given: then mode and group are
    set, or nothing is written. A symbolic link is written at its target.
    Raises DiskFull and StoreUnavailable, with the file as it was.
    """
    with as_registry_errors(path.name):
        target = path.resolve()
        temporary = write_beside(target, (content,), mode, group)
        try:
            os.replace(temporary, target)  # noqa: PTH105 (the names are strings here)
        except BaseException:
            os.unlink(temporary)  # noqa: PTH108
            raise
        sync_folder(target.parent)


def sync_file(path: Path) -> None:
    """Make a file's content durable. Raises OSError."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def as_registry_errors(name: str) -> Iterator[None]:
    """Turn an OSError into the registry's error for it."""
    try:
        yield
    except RuntimeError as error:  # what `resolve` raises for links in a circle, before 3.13
        raise StoreUnavailable(f"cannot write {name}: {error}") from error
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise DiskFull(
                f"no room to write {name}: {error.strerror}; free some and retry"
            ) from error
        raise StoreUnavailable(f"cannot write {name}: {error.strerror or error}") from error


def write_beside(target: Path, pieces: Iterable[bytes], mode: int, group: int | None = None) -> str:
    """A synced file with these bytes beside `target`, with its mode, owner and group if it is.

    Returns its name; the caller renames or removes it. Raises OSError, with nothing left over.
    """
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=UNFINISHED)
    try:
        try:
            if group is None:
                make_alike(target, handle, mode)
            else:
                os.fchown(handle, -1, group)
                os.fchmod(handle, mode)
            write_all(handle, pieces)
            os.fsync(handle)
        finally:
            os.close(handle)
    except BaseException:
        os.unlink(name)  # noqa: PTH108
        raise
    return name


def write_all(handle: int, pieces: Iterable[bytes]) -> None:
    """In few calls, since each wakes whoever watches the folder; no buffer. Raises OSError."""
    left = list(filter(None, pieces))
    while left:
        written = os.writev(handle, left[:_IOV_MAX])
        while left and written >= len(left[0]):
            written -= len(left.pop(0))
        if written:
            left[0] = left[0][written:]


def make_alike(target: Path, handle: int, mode: int) -> None:
    """Give a new file the mode, owner and group of the one that it will replace; else this mode."""
    try:
        status = target.stat()
    except FileNotFoundError:
        os.fchmod(handle, mode)
        return
    os.fchmod(handle, stat.S_IMODE(status.st_mode))
    with contextlib.suppress(PermissionError):  # not ours to give away: the mode stays right
        os.fchown(handle, status.st_uid, status.st_gid)
