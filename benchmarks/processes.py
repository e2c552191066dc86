"""Processes to measure: the daemon, small servers beside it, and what a process has used."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from provider.demo.traefik_process import free_port, until

START_S = 300.0
FIRST_LOOK_S = 75.0  # names are asked for during 30 s and longer, then tasks are derived
_HERE = Path(__file__).parent
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Server:
    """A process that listens on a port of loopback."""

    port: int
    process: asyncio.subprocess.Process

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def cpu_s(self) -> float:
        """CPU seconds that it has used."""
        return cpu_s(self.pid)

    def rss_bytes(self) -> int:
        """Resident memory."""
        return rss_bytes(self.pid)


@asynccontextmanager
async def daemon(folder: Path, *flags: str, quiet: bool = True) -> AsyncIterator[Server]:
    """The daemon as a process of its own, on `folder`'s data and projects, once it is ready.

    `quiet`: it looks outside once, for `FIRST_LOOK_S`, and its name server never answers.
    """
    port = free_port()
    command = ("-m", "provider", "serve", *daemon_flags(folder, port))
    with socket.socket(type=socket.SOCK_DGRAM) as names:
        names.bind(("127.0.0.1", 0))
        outside = ("--survey-s=86400", f"--dns-server=127.0.0.1:{names.getsockname()[1]}")
        further = outside if quiet else ()
        async with server(port, "/readyz", sys.executable, *command, *further, *flags) as running:
            yield running


def daemon_flags(folder: Path, port: int) -> tuple[str, ...]:
    """The flags that every daemon here has."""
    return (
        f"--listen=127.0.0.1:{port}",
        "--default-certificate",
        f"--data={folder / 'data'}",
        f"--projects={folder / 'projects'}",
    )


def without_settings() -> dict[str, str]:
    """The environment of processes, without settings of ours."""
    return {key: value for key, value in os.environ.items() if not key.startswith("ROUTEBOOK_")}


@asynccontextmanager
async def server(port: int, ready: str, *command: str) -> AsyncIterator[Server]:
    """A process, once it answers 200 at the path `ready`; it is stopped at the end."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=without_settings(),
        stderr=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    running = Server(port, process)
    try:
        async with aiohttp.ClientSession() as session:

            async def answers() -> bool:
                if process.returncode is not None:
                    raise RuntimeError(f"{command[1:3]} ended with {process.returncode}")
                try:
                    async with session.get(running.url + ready) as response:
                        return response.status == 200
                except aiohttp.ClientError:
                    return False

            await until(answers, START_S)
        yield running
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def script(name: str) -> tuple[str, str]:
    """The command of a script of this folder."""
    return sys.executable, str(_HERE / name)


def cpu_s(pid: int) -> float:
    """CPU seconds of a process, to the nanosecond where the kernel tells, else in ticks."""
    try:
        tasks = Path(f"/proc/{pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
    except (FileNotFoundError, ProcessLookupError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


def rss_bytes(pid: int) -> int:
    """Resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
