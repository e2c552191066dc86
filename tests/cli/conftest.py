"""A shell beside a running daemon."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.access.processes import Ended, routebook
from tests.daemons import Daemon

Shell = Callable[..., Awaitable[Ended]]


@pytest.fixture
def shell(daemon: Daemon, tmp_path: Path) -> Shell:
    """Runs `routebook WORDS` against the daemon, with a home of its own."""

    async def run(*words: str, stdin: str | bytes = "", **environ: str) -> Ended:
        url = f"http://127.0.0.1:{daemon.port}"
        known = {"AGENT_API_URL": url, "XDG_CONFIG_HOME": str(tmp_path / "config"), **environ}
        return await routebook(*words, stdin=stdin, **known)

    return run
