"""Changes of folders, in milliseconds where the kernel tells and in seconds where it does not."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from registry.engines.inotify import FolderEvents
from registry.engines.reading import signature

SAFETY_POLL_S = 2.0
_QUIET_S = 0.001
_UNQUIET_S = 0.05


def file_signature(path: str | os.PathLike[str]) -> Hashable:
    """What changes when a file is written or replaced; None while there is none.

    Also where the time of the save is set back after it, as by `cp -p`: that leaves its own trace.
    """
    try:
        return signature(path)
    except OSError:
        return None


async def watch_folder(
    folder: Path, wake: Callable[[], None], *, recursive: bool = False, file: str = ""
) -> None:
    """Call `wake` after each change in a folder, until cancelled; the folder may come later.

    A folder, not a file: a rename replaces the file that one would watch. With a rename to the
    name `file` a change is over, after others there may be more to come.
    """
    while True:
        with contextlib.suppress(OSError):
            if sys.platform == "linux":
                await _watch_by_inotify(FolderEvents(folder, recursive=recursive, file=file), wake)
            else:
                from watchfiles import awatch  # heavy, and not needed everywhere

                async for _ in awatch(
                    folder, recursive=recursive, debounce=50, step=10, watch_filter=None
                ):
                    wake()
        await asyncio.sleep(SAFETY_POLL_S)


async def _watch_by_inotify(opened: FolderEvents, wake: Callable[[], None]) -> None:
    """Until the folder is gone. At first for what came before it was watched."""
    wake()
    # Not watchfiles: its thread wakes every `step`, and at 1 ms that is most of what we cost idle.
    with contextlib.closing(opened) as events:
        while not events.is_gone:
            await events.next(_QUIET_S, _UNQUIET_S)
            wake()


async def poll_signature(
    signature: Callable[[], Hashable], wake: Callable[[], None], *, every_s: float | None = None
) -> None:
    """Call `wake` whenever `signature` changed, looking every `every_s`, until cancelled.

    Without it that is `SAFETY_POLL_S`. The net below the kernel's events: bind mounts and network
    file systems send none. A thread of its own looks, and wakes the event loop only after a change:
    most of the time there is none.
    """
    loop, stop = asyncio.get_running_loop(), threading.Event()
    stops_within = partial(stop.wait, SAFETY_POLL_S if every_s is None else every_s)
    thread = ThreadPoolExecutor(1)
    try:
        seen = await loop.run_in_executor(thread, signature)
        while True:
            wake()  # at first for what changed between the reading and this look
            seen = await loop.run_in_executor(thread, _changed, signature, seen, stops_within)
    finally:
        stop.set()
        thread.shutdown(wait=False)


def _changed(
    signature: Callable[[], Hashable], seen: Hashable, stops_within: Callable[[], bool]
) -> Hashable:
    """The next signature that is another one; the same when it is to stop."""
    now = seen
    while now == seen and not stops_within():
        now = signature()
    return now


async def stopped(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks that run for ever, and wait until they have ended."""
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
