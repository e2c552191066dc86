"""Open the engine for a data folder, alone: one daemon a folder."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from filelock import FileLock, Timeout

from registry.engines.exchange import clear_leftovers
from registry.engines.json_file import JsonFileEngine
from registry.engines.protocol import Engine
from registry.errors import StoreUnavailable

_NO_WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}
CATALOGUE = "environments.json"
_log = structlog.get_logger()


@asynccontextmanager
async def open_engine(data: Path) -> AsyncIterator[Engine]:
    """The JSON file engine over `<data>/environments.json`, locked until closed.

    The lock is a file beside the catalogue, since a rename would swap a lock on the file itself.
    Raises StoreUnavailable when another process has it. A disk that is full or read-only takes no
    lock, and is served all the same.
    """
    lock = FileLock(data / f".{CATALOGUE}.lock", thread_local=False)
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise StoreUnavailable(
            f"another Routebook serves {data}; stop it, or give this one a folder with --data"
        ) from error
    except OSError as error:
        if error.errno not in _NO_WRITING:
            raise StoreUnavailable(f"cannot lock {data}: {error.strerror or error}") from error
        _log.error("not_locked", folder=str(data), reason=error.strerror or str(error))
    for late in _cleared(data / CATALOGUE):
        _log.error("late_save_kept_aside", file=late.name, reason="a crash while it was saved")
    engine = JsonFileEngine(data / CATALOGUE)
    try:
        yield engine
    finally:
        await engine.aclose()
        lock.release()


def _cleared(catalogue: Path) -> list[Path]:
    try:
        return clear_leftovers(catalogue)
    except OSError as error:
        _log.error("leftovers_stay", reason=error.strerror or str(error))
        return []
