"""Fixtures for all tests: folders with two workspaces, and daemons over them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from provider.event_loop import new_event_loop
from provider.logs import configure_logs
from provider.observe.default_certificate import self_signed
from tests.daemons import NO_DNS, Daemon, DaemonProcess, Folders, eventually

# No property is about time: a busy machine must not fail one.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

EMPTY_CATALOGUE = '{\n  "version": 1,\n  "environments": []\n}\n'
WORKSPACES: dict[str, dict[str, Any]] = {
    "nightshift": {
        "id": "nightshift",
        "name": "Nightshift",
        "scope": "Runs long jobs while people sleep.",
        "repositories": [{"name": "nightshift", "url": "https://git.test/n.git", "branch": "main"}],
        "contacts": [
            {"name": "Tom Brandt", "email": "tom@nightshift.test", "role": "developer"},
            {"name": "Ines Okafor", "email": "ines@nightshift.test", "role": "owner"},
        ],
        "env_vars": [{"name": "DATABASE_URL", "secret": True, "value": "postgres://never-shown"}],
        "budget": "a key that is not hydrated",
    },
    "storefront": {
        "id": "storefront",
        "name": "Storefront",
        "contacts": [{"name": "Mika Sato", "email": "mika@storefront.test"}],
    },
}

AnyLoop = asyncio.AbstractEventLoop
_IN_BOTH_LOOPS = ("test_long_poll.py", "test_repeated_polls.py", "test_events.py")
StartDaemon = Callable[..., Awaitable[Daemon]]
StartProcess = Callable[..., Awaitable[DaemonProcess]]


def pytest_configure() -> None:
    """A shell starts what runs in its background deaf to Ctrl-C, and so all that a test starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], AnyLoop]]:
    """The loop that the daemon runs in; Python's own too for what hangs on single connections."""
    if item.path.parent.name == "access" or item.path.name in _IN_BOTH_LOOPS:
        return {"daemons_loop": new_event_loop, "pythons_loop": asyncio.new_event_loop}
    return {"daemons_loop": new_event_loop}


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for localhost, and its key."""
    now = datetime.now(UTC)
    contents = self_signed(["localhost"], now, now + timedelta(days=1))
    files = tmp_path / "own.crt", tmp_path / "own.key"
    for path, content in zip(files, contents, strict=True):
        path.write_bytes(content)
    return files


@pytest.fixture(autouse=True)
def _settings_of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("ROUTEBOOK_"):
            monkeypatch.delenv(name)
    for name, value in NO_DNS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def _logs_into_the_capture() -> None:
    configure_logs()


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """An empty catalogue and two workspaces."""
    made = Folders(tmp_path / "data", tmp_path / "projects")
    made.certificates.mkdir(parents=True)
    made.catalogue.write_text(EMPTY_CATALOGUE)
    for project_id, workspace in WORKSPACES.items():
        spec = made.projects / project_id / "project.json"
        spec.parent.mkdir(parents=True)
        spec.write_text(json.dumps(workspace))
    return made


@pytest.fixture
async def start_daemon(folders: Folders) -> AsyncIterator[StartDaemon]:
    """Starts daemons in this event loop, with further flags; those that still run are stopped."""
    async with AsyncExitStack() as everything:

        async def start(*flags: str) -> Daemon:
            daemon = Daemon(folders)
            everything.push_async_callback(daemon.stop)
            return await daemon.start(*flags)

        yield start


@pytest.fixture
async def daemon(start_daemon: StartDaemon) -> Daemon:
    """A daemon in this event loop with the default settings, over an empty catalogue."""
    return await start_daemon()


@pytest.fixture
async def start_process(folders: Folders) -> AsyncIterator[StartProcess]:
    """Starts `routebook serve` processes; `listening=False` does not wait until one listens."""
    started: list[DaemonProcess] = []

    async def start(
        *flags: str, environ: dict[str, str] | None = None, listening: bool = True
    ) -> DaemonProcess:
        process = await DaemonProcess.start(*folders.flags, *flags, environ=environ or {})
        started.append(process)
        if listening:
            await eventually(lambda: process.url, timeout_s=30)
        return process

    yield start
    for process in started:
        if process.process.returncode is None:
            process.process.kill()
        await process.ended()
