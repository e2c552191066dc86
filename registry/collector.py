"""Python's garbage collector: at rest while thousands of records are made, and spared the old."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

_MANY = 500
# Each collection looks through every tuple and dict of a whole catalogue that is new.
_THRESHOLDS = 3_000, 3, 3
_GROWN, _COUNT_EVERY = 1.5, 8


@contextlib.contextmanager
def collector_resting(records: int = _MANY) -> Iterator[None]:
    """Collect nothing while many records are made, and never look through them afterwards.

    Without a number there may be many: whoever begins does not know it yet.
    Each full collection walks everything that is alive: while a catalogue is decoded, the same
    records again and again. Records hold no cycles, so counting references frees them.
    """
    if records < _MANY or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def set_aside() -> None:
    """Never look through what is there now: a start is over, and as much there has to be."""
    gc.freeze()
    for each in gc.callbacks:
        if isinstance(each, SetAside):
            each.take_stock()


def spare_the_old() -> None:
    """From now on, in the whole process, a full collection looks only at what is new.

    Else it walks every record that was written since the start, and nobody is answered meanwhile.
    """
    gc.set_threshold(*_THRESHOLDS)
    gc.callbacks.append(SetAside())


class SetAside:
    """After a full collection, sets aside what it left.

    What lies aside may come to be cycles that nobody uses: once it has grown by half, the next
    full collection looks at all of it. A callback for `gc.callbacks`.
    """

    def __init__(self) -> None:
        self._known: int | None = None
        self._until_count = 0
        gc.freeze()

    def take_stock(self) -> None:
        """As much as lies aside at the next full collection there has to be."""
        self._known, self._until_count = None, 0

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        """A collection begins, or is over."""
        if phase != "stop" or info["generation"] < 2:
            return
        gc.freeze()
        self._until_count -= 1
        if self._until_count > 0:  # to count takes as long as a collection
            return
        self._until_count, count = _COUNT_EVERY, gc.get_freeze_count()
        if self._known is None:
            self._known = count
        elif count > self._known * _GROWN:
            gc.unfreeze()
            self.take_stock()
