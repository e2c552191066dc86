"""Fixtures: folders, a store with a clock to move, daemons in this event loop."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from provider.logs import configure_logs
from tests.safety.daemons import Daemon
from tests.safety.desk import Desk
from tests.safety.folders import Folders

StartDaemon = Callable[..., Awaitable[Daemon]]


@pytest.fixture(autouse=True)
def _settings_of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("ROUTEBOOK_", "AGENT_")):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _logs_into_the_capture() -> None:
    configure_logs()


class Log:
    """What was logged in this test so far."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    @property
    def lines(self) -> list[str]:
        """One line an event."""
        return self._stream.getvalue().splitlines()


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    """The log, from here on."""
    stream = io.StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        configure_logs()
    return Log(stream)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """An empty catalogue and two workspaces."""
    return Folders.made_in(tmp_path)


@pytest.fixture
async def desk(folders: Folders) -> AsyncIterator[Desk]:
    """A store over the folders, once a test starts it."""
    made = Desk(folders)
    yield made
    if hasattr(made, "engine"):
        await made.stop()


@pytest.fixture
async def start_daemon(folders: Folders) -> AsyncIterator[StartDaemon]:
    """Starts daemons over the folders; those that still run are stopped."""
    async with AsyncExitStack() as everything:

        async def start(*flags: str, listen: str = "127.0.0.1:0") -> Daemon:
            daemon = Daemon(folders)
            everything.push_async_callback(daemon.stop)
            return await daemon.start(*flags, listen=listen)

        yield start


@pytest.fixture
async def daemon(start_daemon: StartDaemon) -> Daemon:
    """A daemon with the default settings, over an empty catalogue."""
    return await start_daemon()
