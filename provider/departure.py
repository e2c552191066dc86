"""That a client hung up, told at once to whoever waits with its request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


def _nobody() -> None:
    """Nobody waits."""


class Departure:
    """The departure of one connection's client: whether it has come.

    aiohttp tells a handler of it by cancelling it, or not at all.
    """

    __slots__ = ("_tell", "has_come")

    def __init__(self, *, has_come: bool = False) -> None:
        self._tell: Callable[[], None] = _nobody
        self.has_come = has_come

    def come(self) -> None:
        """The connection is over."""
        self.has_come = True
        self._tell()

    @contextmanager
    def telling(self, tell: Callable[[], None]) -> Iterator[None]:
        """`tell` is called when it comes meanwhile; one at a time, as a connection's requests."""
        self._tell = tell
        try:
            yield
        finally:
            self._tell = _nobody
