"""The C library's heap: bounded, and given back after a load. Does nothing where there is no glibc.

Without this a daemon that reads, joins and compresses whole catalogues in several threads keeps a
heap for each of them, and what was freed stays with them. Source: mallopt(3), malloc_trim(3).
"""

from __future__ import annotations

import ctypes

_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
_LARGE_BYTES = 1024 * 1024
_ARENAS = 2


def bound_heap() -> None:
    """Few heaps, and what is large outside of them, so that it goes back when it is freed."""
    _call("mallopt", _ARENA_MAX, _ARENAS)
    _call("mallopt", _MMAP_THRESHOLD, _LARGE_BYTES)


def give_back() -> None:
    """Return to the system what is free."""
    _call("malloc_trim", 0)


def _call(name: str, *arguments: int) -> None:
    function = getattr(ctypes.CDLL(None), name, None)
    if function is not None:
        function(*arguments)
