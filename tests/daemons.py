"""Daemons under test: in this event loop, or as a process; their folders, and how to wait."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from provider.daemon import running
from provider.settings import read_settings

ROOT = Path(__file__).parents[1]
# A port that nothing listens on: no test asks a name server that it did not start.
NO_DNS = {"ROUTEBOOK_DNS_SERVER": "127.0.0.1:9"}


async def eventually(check: Callable[[], Any], timeout_s: float = 10.0) -> Any:
    """What `check` (sync or async) returns, once it returns without an AssertionError."""
    deadline_s = time.monotonic() + timeout_s
    while True:
        try:
            outcome = check()
            return await outcome if inspect.isawaitable(outcome) else outcome
        except AssertionError:
            if time.monotonic() > deadline_s:
                raise
        await asyncio.sleep(0.01)


@dataclass(frozen=True)
class Folders:
    """What a daemon works on."""

    data: Path
    projects: Path

    @property
    def catalogue(self) -> Path:
        """The catalogue file."""
        return self.data / "environments.json"

    @property
    def certificates(self) -> Path:
        """The certificate folder."""
        return self.data / "router" / "certs"

    @property
    def flags(self) -> tuple[str, ...]:
        """The settings of a daemon over these folders, on a free port."""
        data, projects = str(self.data), str(self.projects)
        return "--listen", "127.0.0.1:0", "--data", data, "--projects", projects

    def stored(self) -> list[dict[str, Any]]:
        """The records of the catalogue file."""
        return list(json.loads(self.catalogue.read_text())["environments"])

    def hand_write(self, *records: Any) -> None:
        """Overwrite the catalogue in place, as some editors do; records are values or texts."""
        texts = [each if isinstance(each, str) else json.dumps(each, indent=2) for each in records]
        self.catalogue.write_text('{"version": 1, "environments": [' + ",\n".join(texts) + "]}\n")


@dataclass(frozen=True)
class Answer:
    """A whole response."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def value(self) -> Any:
        """The JSON value that the body is."""
        return json.loads(self.content)


async def call(session: aiohttp.ClientSession, method: str, path: str, **more: Any) -> Answer:
    """One request, and the whole response to it."""
    async with session.request(method, path, **more) as response:
        return Answer(response.status, response.headers, await response.read())


@dataclass
class Daemon:
    """A daemon in this event loop, and its clients."""

    folders: Folders
    port: int = 0
    session: aiohttp.ClientSession = field(init=False, repr=False)
    _running: AsyncExitStack = field(default_factory=AsyncExitStack, repr=False)
    _clients: AsyncExitStack = field(default_factory=AsyncExitStack, repr=False)

    async def start(self, *flags: str) -> Daemon:
        """Run it, with these flags beside those of the folders."""
        settings = read_settings([*self.folders.flags, *flags], environ=NO_DNS)
        self.port = await self._running.enter_async_context(running(settings))
        self.session = await self.connect(limit=100)
        return self

    async def call(self, method: str, path: str, **more: Any) -> Answer:
        """One request."""
        return await call(self.session, method, path, **more)

    async def connect(self, limit: int = 1) -> aiohttp.ClientSession:
        """A further client; with one connection, as a Traefik has, unless told otherwise."""
        connector = aiohttp.TCPConnector(limit=limit)
        session = aiohttp.ClientSession(f"http://127.0.0.1:{self.port}", connector=connector)
        return await self._clients.enter_async_context(session)

    async def stop(self) -> None:
        """Stop it, then close its clients, so that held requests see how it stops."""
        await self._running.aclose()
        await self._clients.aclose()


@dataclass
class DaemonProcess:
    """`python -m provider serve` as a process, for what signals, exit codes and restarts do."""

    process: asyncio.subprocess.Process
    log: list[str] = field(default_factory=list)
    _reading: asyncio.Task[None] = field(init=False, repr=False)

    @classmethod
    async def start(cls, *flags: str, environ: Mapping[str, str]) -> DaemonProcess:
        """Run it; whether it listens shows in `url`, what it says in `log`."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "provider", "serve", *flags),
            cwd=ROOT,
            env={**os.environ, **environ},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        daemon = cls(process)
        daemon._reading = asyncio.create_task(daemon._read_log())
        return daemon

    @property
    def url(self) -> str:
        """Its base URL, as its log says it."""
        found = re.search(r"event=listening .*port=(\d+)", self.said)
        assert found, self.said
        return f"http://127.0.0.1:{found.group(1)}"

    @property
    def said(self) -> str:
        """Everything that it printed so far."""
        return "".join(self.log)

    async def ended(self, timeout_s: float = 20.0) -> int:
        """Its exit code, once it has ended and all that it said is read."""
        async with asyncio.timeout(timeout_s):
            code = await self.process.wait()
            await self._reading
        return code

    async def stop(self, number: signal.Signals = signal.SIGTERM, timeout_s: float = 20.0) -> int:
        """Signal it, and wait until it has ended."""
        self.process.send_signal(number)
        return await self.ended(timeout_s)

    async def _read_log(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.log.append(line.decode())
