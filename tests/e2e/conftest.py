"""One Traefik and one daemon for a module; a test that breaks either makes its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.stage import Stage, stage_in


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """Shared by the tests of a module: each uses host names of its own."""
    async with stage_in(tmp_path_factory.mktemp("stage")) as made:
        yield made
