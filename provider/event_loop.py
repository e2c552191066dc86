"""The event loop that the daemon runs in: uvloop's where that is installed (the extra `fast`)."""

from __future__ import annotations

import asyncio
import importlib.util


def new_event_loop() -> asyncio.AbstractEventLoop:
    """A loop that nothing runs in yet."""
    if importlib.util.find_spec("uvloop") is None:
        return asyncio.new_event_loop()
    import uvloop  # heavy, and not everywhere

    return uvloop.new_event_loop()
