"""The engines that the suites run over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.contract.engines import Engines, JsonFileEngines, MemoryEngines


@pytest.fixture(params=["memory", "json-file"])
async def engines(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engines]:
    """Every engine that there is; a new one gets its line here."""
    made: MemoryEngines | JsonFileEngines = MemoryEngines()
    if request.param == "json-file":
        made = JsonFileEngines(tmp_path / "environments.json")
    async with AsyncExitStack() as closing:
        yield made
        for engine in made.opened:
            closing.push_async_callback(engine.aclose)
