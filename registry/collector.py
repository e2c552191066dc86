"""Python's garbage collector, at rest while thousands of records are made."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

_MANY = 500


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
