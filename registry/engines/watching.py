"""Changes of folders, in milliseconds where the kernel tells and in seconds where it does not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path

from watchfiles import awatch

SAFETY_POLL_S = 2.0


def file_signature(path: Path) -> Hashable:
    """What changes when a file is written or replaced; None while there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


async def watch_folder(folder: Path, wake: Callable[[], None], *, recursive: bool = False) -> None:
    """Call `wake` after each change in a folder, until cancelled; the folder may come later.

    A folder, not a file: a rename replaces the file that one would watch.
    """
    while True:
        with contextlib.suppress(OSError):
            # debounce 50, step 1: told within about 2 ms; the defaults wait 60 ms and more.
            async for _ in awatch(
                folder, recursive=recursive, debounce=50, step=1, watch_filter=None
            ):
                wake()
        await asyncio.sleep(SAFETY_POLL_S)


async def poll_signature(signature: Callable[[], Hashable], wake: Callable[[], None]) -> None:
    """Call `wake` whenever `signature` changed, looking every few seconds, until cancelled.

    The net below the kernel's events: bind mounts and network file systems send none.
    """
    seen = await asyncio.to_thread(signature)
    wake()  # for what changed between the reading and this first look
    while True:
        await asyncio.sleep(SAFETY_POLL_S)
        now = await asyncio.to_thread(signature)
        if now != seen:
            seen = now
            wake()


async def stopped(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks that run for ever, and wait until they have ended."""
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
