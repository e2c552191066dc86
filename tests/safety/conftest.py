"""Fixtures: a store with a clock to move, a log to read, a daemon that nobody tells of edits."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from provider.logs import configure_logs
from tests.daemons import Folders
from tests.safety.desk import Desk
from tests.safety.records import Edited


@pytest.fixture
def folders(folders: Folders) -> Edited:
    """An empty catalogue that people edit, and two workspaces."""
    return Edited(folders.data, folders.projects)


@pytest.fixture
async def desk(folders: Edited) -> AsyncIterator[Desk]:
    """A store over the folders, once a test starts it."""
    made = Desk(folders)
    yield made
    if hasattr(made, "engine"):
        await made.stop()


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
def unwatched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody tells the daemon of an edit: what wakes it are its own writes alone."""

    async def never(*_args: Any, **_more: Any) -> None:
        await asyncio.Event().wait()

    for module in ("registry.engines.json_file", "provider.background"):
        monkeypatch.setattr(f"{module}.watch_folder", never)
        monkeypatch.setattr(f"{module}.poll_signature", never)
