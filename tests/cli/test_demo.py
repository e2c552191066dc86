"""`routebook demo`: what it prints, and how it ends."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from provider.demo.traefik_process import free_port
from tests.daemons import ROOT

pytestmark = pytest.mark.traefik
_PROOF_S = 50.0


@asynccontextmanager
async def demo(*flags: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "provider", "demo", *flags),
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith("ROUTEBOOK_")},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_PROOF_S):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_once_proves_it_and_invites_to_nothing_that_is_gone() -> None:
    async with demo("--once") as process:
        output = (await process.communicate())[0].decode()
    assert process.returncode == 0, output
    assert "  live   " in output
    assert "Try:" not in output
    assert "Ctrl-C" not in output


async def test_without_once_it_says_what_to_try_and_stays_until_it_is_ended() -> None:
    async with demo() as process:
        assert process.stdout is not None
        output = (await process.stdout.readuntil(b"Ctrl-C ends it")).decode()
        process.terminate()
        await process.communicate()
    assert "\nTry:\n" in output
    assert process.returncode == 0


def test_its_ports_are_none_that_the_system_gives_to_connections() -> None:
    assert all(free_port() < 32_768 for _ in range(100))  # ip(7), ip_local_port_range
