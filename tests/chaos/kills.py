"""Daemons that are killed again and again while others write."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

from tests.chaos.editors import Editor
from tests.chaos.serve import Serve
from tests.chaos.writers import Writer

_IN_ITS_START = 0.2
_AFTER_THE_LAST_S = 0.3


async def kill_often(
    serve: Serve, kills: int, seed: int, writers: Sequence[Writer], editors: Sequence[Editor] = ()
) -> None:
    """Kill at random moments under writers and editors; ends with a daemon that is left alone."""
    stop, moments = asyncio.Event(), random.Random(seed)
    async with asyncio.TaskGroup() as tasks:
        for writer in writers:
            tasks.create_task(writer.write_until(stop, serve.url))
        for editor in editors:
            tasks.create_task(editor.edit_until(stop))
        for _ in range(kills):
            await _kill_once(serve, moments, edited=bool(editors))
        await serve.start()
        await serve.ready()
        await asyncio.sleep(_AFTER_THE_LAST_S)
        stop.set()
    await writers[0].write_once(serve.url)


async def _kill_once(serve: Serve, moments: random.Random, *, edited: bool) -> None:
    """Some kills fall into the start, the others among the writes."""
    await serve.start()
    if moments.random() < _IN_ITS_START:
        await asyncio.sleep(moments.uniform(0.2, 1.5))
    else:
        await serve.ready()
        await asyncio.sleep(moments.uniform(0.02, 0.8 if edited else 0.4))
    await serve.kill()
