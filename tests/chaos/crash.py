"""One write by a process that dies at a chosen moment: `python crash.py ROOT MOMENT [TOKEN]`.

`while-writing` dies when our new file is there and not yet synced, `after-the-swap` before what
came back was looked at, `before-the-history` when the catalogue is durable. With a TOKEN an editor
saves it, by rename, just before the swap; the file that it renames was written before ours was.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from registry.engines import durable, exchange
from registry.history import History
from tests.chaos.folder import Folder
from tests.chaos.stores import opened, with_token


def die(*_: Any, **__: Any) -> Any:
    """As the OOM killer, or a power cut, would have it."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_after_the_swap(one: Path, other: Path) -> bool:
    """Swap, and no more."""
    _swap(one, other)
    return bool(die())


_swap = exchange._swap


async def write_and_die(folder: Folder, moment: str, token: str | None) -> None:
    """Patch env-one, and die on the way."""
    async with opened(folder) as lab:
        if token is not None:
            saved = folder.catalogue.with_name("environments.json.editing")
            saved.write_text(with_token(folder.catalogue.read_text(), "env-two", token))
            lab.engine.last_instant = lambda: os.replace(saved, folder.catalogue)  # noqa: PTH105
        if moment == "while-writing":
            durable.os.fsync = die  # type: ignore[attr-defined]
        elif moment == "after-the-swap":
            exchange._swap = die_after_the_swap
        else:
            History.begin = die  # type: ignore[method-assign]
        await lab.patch("env-one", "by the API")


if __name__ == "__main__":
    asyncio.run(write_and_die(Folder(Path(sys.argv[1])), sys.argv[2], [*sys.argv, None][3]))
