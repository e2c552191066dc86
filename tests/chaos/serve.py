"""`python -m provider serve` as a process: started, killed, and started again on one port."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from pathlib import Path

import aiohttp

from provider.demo.traefik_process import free_port, until
from tests.chaos.folder import Folder

ROOT = Path(__file__).parents[2]
READY_S = 60.0
_PR_SET_PDEATHSIG = 1  # prctl(2)


class Serve:
    """The daemon over a folder; its words are in `<root>/serve.log`."""

    def __init__(self, folder: Folder, *flags: str, port: int = 0) -> None:
        self.folder, self.port = folder, port or free_port()
        self._flags = (f"--listen=127.0.0.1:{self.port}", *folder.flags, *flags)
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def said(self) -> str:
        """Everything that it printed, over all its lives."""
        log = self.folder.root / "serve.log"
        return log.read_text("utf-8") if log.exists() else ""

    async def start(self) -> None:
        """Start the process; returns before it is ready."""
        environ = {key: value for key, value in os.environ.items() if key[:10] != "ROUTEBOOK_"}
        with (self.folder.root / "serve.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "provider", "serve", *self._flags),
                cwd=ROOT,
                env={**environ, "PYTHONPATH": str(ROOT)},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=end_with_parent if sys.platform == "linux" else None,
            )

    async def ready(self) -> None:
        """Wait until it has published. Raises AssertionError when it ended instead."""
        async with aiohttp.ClientSession() as session:
            await until(lambda: self._is_ready(session), READY_S)

    async def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM, and its exit code."""
        return await self._end(signal.SIGTERM)

    async def ended(self) -> int:
        """Its exit code, once it has ended by itself."""
        assert self._process is not None
        async with asyncio.timeout(READY_S):
            return await self._process.wait()

    async def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        if self._process.returncode is None:
            self._process.send_signal(number)
        code = await self.ended()
        self._process = None
        return code

    async def _is_ready(self, session: aiohttp.ClientSession) -> bool:
        assert self._process is not None
        assert self._process.returncode is None, f"it ended: {self.said[-2000:]}"
        try:
            async with session.get(f"{self.url}/readyz") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False


def end_with_parent() -> None:
    """Linux: nothing is left over when the tests are killed themselves."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
