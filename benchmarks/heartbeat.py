"""The daemon in this process, with a beat in its event loop; without flags, beats alone.

    python heartbeat.py [FLAGS OF serve]

Every `_BEAT_S` the loop is to wake a task; what it comes late is for how long the loop was blocked.
SIGUSR1 counts anew, SIGUSR2 prints a line of JSON, SIGTERM ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
import time

import structlog

from provider.daemon import prepare_process, running
from provider.settings import read_settings

_BEAT_S = 0.005
_LATE_S = 0.05


class _Beats:
    def __init__(self) -> None:
        self.again()

    def again(self) -> None:
        """Count from here."""
        self._beats, self._late, self._worst_s = 0, 0, 0.0

    def say(self) -> None:
        """Print what was counted."""
        counted = {"beats": self._beats, "late": self._late, "worst_ms": self._worst_s * 1000}
        print(json.dumps(counted), flush=True)

    async def beat(self) -> None:
        """For ever."""
        while True:
            due_s = time.perf_counter() + _BEAT_S
            await asyncio.sleep(_BEAT_S)
            late_s = time.perf_counter() - due_s
            self._beats += 1
            self._late += late_s > _LATE_S
            self._worst_s = max(self._worst_s, late_s)


async def main() -> None:
    """Until SIGTERM."""
    loop, stop, beats = asyncio.get_running_loop(), asyncio.Event(), _Beats()
    for number, act in (
        (signal.SIGTERM, stop.set),
        (signal.SIGUSR1, beats.again),
        (signal.SIGUSR2, beats.say),
    ):
        loop.add_signal_handler(number, act)
    beating = asyncio.create_task(beats.beat())
    async with contextlib.AsyncExitStack() as stack:
        if sys.argv[1:]:
            prepare_process()
            structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
            await stack.enter_async_context(running(read_settings(sys.argv[1:])))
        await stop.wait()
    beating.cancel()


if __name__ == "__main__":
    asyncio.run(main())
