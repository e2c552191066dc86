"""The daemon as a process of its own, to be killed."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from provider.demo.traefik_process import free_port
from tests.e2e.asking import eventually
from tests.e2e.parts import all_upstreams, make_folders, polling, settings
from tests.e2e.stage import Stage

ROOT = Path(__file__).parents[2]
_END_S = 20.0


@dataclass
class DaemonProcess:
    """`routebook serve` on a port that stays the same over restarts."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, and wait until it is ready."""
        log = (self.folder / "daemon.log").open("ab")
        environ = {k: v for k, v in os.environ.items() if not k.startswith("ROUTEBOOK_")}
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "provider", "serve", *settings(self.folder, self.port)),
            cwd=ROOT,
            env=environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        log.close()
        async with aiohttp.ClientSession() as session:

            async def ready() -> None:
                try:
                    async with session.get(f"http://127.0.0.1:{self.port}/readyz") as response:
                        assert response.status == 200
                except aiohttp.ClientError as error:
                    raise AssertionError(self.log()) from error

            await eventually(ready)

    async def kill(self) -> None:
        """SIGKILL: it gets no chance to put anything in order."""
        if self.process and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def stop(self) -> int:
        """SIGTERM: the exit code."""
        assert self.process is not None
        self.process.terminate()
        async with asyncio.timeout(_END_S):
            return await self.process.wait()

    def log(self) -> str:
        """What it said since the first start."""
        return (self.folder / "daemon.log").read_text()


@asynccontextmanager
async def stage_beside(folder: Path) -> AsyncIterator[tuple[Stage, DaemonProcess]]:
    """A stage whose daemon is a process of its own."""
    data = make_folders(folder)
    async with AsyncExitStack() as stack:
        upstreams = await stack.enter_async_context(all_upstreams(folder))
        daemon = DaemonProcess(folder)
        stack.push_async_callback(daemon.kill)
        await daemon.start()
        api = f"http://127.0.0.1:{daemon.port}"
        proxy = await stack.enter_async_context(polling(api, folder / "traefik", upstreams))
        stack.push_async_callback(daemon.kill)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        stage = Stage(data, api, proxy, upstreams, session)
        await stage.live(lambda _: True)
        yield stage, daemon
