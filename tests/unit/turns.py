"""An event loop whose clock jumps: waiting takes no time, and the same steps come each time."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

Outcome = TypeVar("Outcome")


class _Jumping(selectors.DefaultSelector):
    """Never waits: the clock goes on instead."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> Any:
        """What is ready at once."""
        self.now_s += max(0.0, timeout or 0.0)
        return super().select(0)


class JumpingLoop(asyncio.SelectorEventLoop):
    """Its `time` is that of its own clock, which begins at 0. Without I/O only."""

    def __init__(self) -> None:
        self._clock = _Jumping()
        super().__init__(self._clock)

    def time(self) -> float:
        """Seconds since the beginning."""
        return self._clock.now_s


def run(steps: Coroutine[Any, Any, Outcome]) -> Outcome:
    """What these steps come to."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(steps)
