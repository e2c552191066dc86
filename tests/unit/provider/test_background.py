"""What goes on beside the serving keeps no catalogue alive that others have replaced."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Sequence
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any

from provider.background import start_surveying
from registry.entries import Entry, RawRecord
from registry.schema import Environment
from registry.snapshot import Snapshot
from tests.records import routed


class Health:
    """Probes nothing, and says when it was asked."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def survey(self, _environments: Sequence[Environment]) -> None:
        """Done at once."""
        self.asked.set()


class Surveyor:
    """Never done with its first survey."""

    def __init__(self) -> None:
        self.wake, self.surveyed = asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        """For ever."""
        await asyncio.Event().wait()


async def test_between_two_rounds_of_probes_nobody_holds_what_was_probed() -> None:
    store = SimpleNamespace(snapshot=Snapshot((Entry(RawRecord("", ""), routed()),)))
    surface: Any = SimpleNamespace(store=store, health=Health(), surveyor=Surveyor())
    probed = weakref.ref(store.snapshot)
    async with AsyncExitStack() as stack:
        start_surveying(stack, surface, survey_s=86_400)
        await surface.health.asked.wait()
        await surface.surveyor.wake.wait()
        store.snapshot = None
        await asyncio.sleep(0)
        assert probed() is None
