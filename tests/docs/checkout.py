"""A folder like a fresh checkout, with all that docs/router_operations.md takes for granted."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from provider.daemon import running
from provider.demo.sample import copy_sample
from provider.demo.traefik_process import file_provider, free_port, traefik
from provider.demo.upstreams import upstream
from provider.settings import read_settings
from tests.daemons import ROOT
from tests.docs.page_blocks import Block, blocks_of
from tests.name_server import NameServer, name_server

_BLOCK_S = 30.0
_TEAM_AUTH = {"headers": {"customRequestHeaders": {"X-Team-Auth": "sample"}}}
_SAMPLES = ROOT / "deploy" / "traefik" / "dynamic" / "middlewares.yml"
_ADDRESS = re.compile(r"127\.0\.0\.1:(\d+)\b|http://127\.0\.0\.1(?=/)|http://shop\.test(?=/)")


@dataclass(frozen=True)
class Checkout:
    """The folder, the blocks of the page with the addresses of this place, and the name server."""

    folder: Path
    blocks: list[Block]
    names: NameServer
    environ: dict[str, str]

    async def run(self, script: str) -> tuple[int, str]:
        """A script in the folder, ended at its first failure: exit code, and all its output."""
        process = await asyncio.create_subprocess_exec(
            *("bash", "-euo", "pipefail", "-c", script),
            cwd=self.folder,
            env=self.environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(_BLOCK_S):
                output = (await process.communicate())[0]
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode is not None
        return process.returncode, output.decode()


@asynccontextmanager
async def checkout(folder: Path, page: str) -> AsyncIterator[Checkout]:
    """Everything up as the page says, settings and static configuration included."""
    async with AsyncExitStack() as stack:
        upstreams = [await stack.enter_async_context(upstream(n)) for n in ("blue", "green")]
        names = await stack.enter_async_context(name_server({}))
        web, websecure, api, daemon_port = (free_port() for _ in range(4))
        ports = {8700: daemon_port, 8080: api, 80: web, 443: websecure}
        ports |= dict(zip((9001, 9002), upstreams, strict=True))
        here = _addresses(ports)
        blocks = blocks_of(page, here)
        data, projects = _files(folder, (upstreams[0], upstreams[1]), here)
        said = dict(line.split("=", 1) for line in _only(blocks, "ini").splitlines())
        places = f"--data={data}", f"--projects={projects}", f"--listen=127.0.0.1:{daemon_port}"
        settings = read_settings([*places, f"--dns-server={names.address}", "--survey-s=1"], said)
        daemon = await stack.enter_async_context(AsyncExitStack())
        await daemon.enter_async_context(running(settings))
        providers = yaml.safe_load(_only(blocks, "yaml"))["providers"]
        add_middlewares = file_provider(folder / "traefik", _middlewares())

        def change(static: dict[str, Any]) -> None:
            static["providers"] = providers
            add_middlewares(static)

        await stack.enter_async_context(
            traefik("", folder / "traefik", ports=(web, websecure, api), change=change)
        )
        # The daemon goes first: Traefik does not end while a poll of its own is held.
        stack.push_async_callback(daemon.aclose)
        environ = _environ(folder, f"http://127.0.0.1:{daemon_port}")
        yield Checkout(folder, blocks, names, environ)


def _middlewares() -> dict[str, Any]:
    """The samples of deploy/traefik, but for the login: its file of users is not here."""
    samples = yaml.safe_load(_SAMPLES.read_text())["http"]["middlewares"]
    return {"http": {"middlewares": samples | {"team-auth": _TEAM_AUTH}}}


def _addresses(ports: dict[int, int]) -> Callable[[str], str]:
    """A text with the page's addresses replaced; the sample's front page is an upstream here."""

    def here(match: re.Match[str]) -> str:
        if match[1]:
            return f"127.0.0.1:{ports[int(match[1])]}"
        return f"http://127.0.0.1:{ports[9001 if 'shop' in match[0] else 80]}"

    return lambda text: _ADDRESS.sub(here, text)


def _files(folder: Path, ports: tuple[int, int], here: Callable[[str], str]) -> tuple[Path, Path]:
    """The sample as it is in a checkout, without the pair that the page makes."""
    data, projects = copy_sample(folder, ports)
    for file in (data / "router" / "certs").iterdir():
        file.unlink()
    project = projects / "storefront" / "project.json"
    project.write_text(here(project.read_text()))
    (folder / "docs").mkdir()
    (folder / "docs" / "upgrade_plan.json").write_text('{"version": 1, "follow_ups": []}\n')
    return data, projects


def _environ(folder: Path, api: str) -> dict[str, str]:
    """That of an operator's shell, with `routebook` on its path."""
    shims = folder / "bin"
    shims.mkdir()
    shim = shims / "routebook"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m provider "$@"\n')
    shim.chmod(0o755)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ROUTEBOOK_", "AGENT_"))}
    return kept | {
        "PATH": f"{shims}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "NO_COLOR": "1",
        "TERM": "dumb",
        "AGENT_API_URL": api,
    }


def _only(blocks: list[Block], language: str) -> str:
    [text] = [block.text for block in blocks if block.language == language]
    return text
