"""Three ways for a change to reach Traefik, each with a Traefik of its own over the same content.

A way prepares a change, so that what is timed is the change alone, and gives the call that makes
it. Nothing here is timed.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from provider.demo.traefik_process import TraefikProcess, free_port, traefik, until

START_S = 60.0
_OWNER = {"name": "Benchmark"}
_AT = "2026-01-01T00:00:00Z"

Change = Callable[[], Awaitable[None]]
Static = dict[str, Any]


@dataclass(frozen=True)
class Way:
    """`prepare(environment_id, url)` gives the call that points the environment at the URL."""

    name: str
    proxy: TraefikProcess
    prepare: Callable[[str, str], Change]


def environment_id(number: int) -> str:
    """The id of an environment; its host is the id below `.test`."""
    return f"env-{number:05}"


def write_catalogue(folder: Path, environments: int, url: str) -> None:
    """Data and projects folders: so many environments, each with one host, all on this upstream."""
    project, data = folder / "projects" / "bench", folder / "data"
    for each in (project, data):
        each.mkdir(parents=True)
    (project / "project.json").write_text(json.dumps({"id": "bench", "name": "Benchmark"}))
    records = [_record(environment_id(number), url) for number in range(environments)]
    catalogue = {"version": 1, "environments": records}
    (data / "environments.json").write_text(json.dumps(catalogue, indent=2) + "\n")


@asynccontextmanager
async def all_ways(
    folder: Path, session: aiohttp.ClientSession, poll_interval: str
) -> AsyncIterator[tuple[Way, ...]]:
    """All three up: Routebook, the file provider, and a plain HTTP endpoint."""
    async with AsyncExitStack() as stack:
        daemon = await stack.enter_async_context(AsyncExitStack())
        api = await daemon.enter_async_context(daemon_process(folder, session))
        held = await stack.enter_async_context(
            traefik(f"{api}/traefik/config", folder / "held", change=polling_every(poll_interval))
        )
        # The daemon goes first: Traefik does not end while a poll of its own is held.
        stack.push_async_callback(daemon.aclose)
        async with session.get(f"{api}/traefik/config?hold=0") as response:
            document = await response.json()
        yield (
            Way("Routebook, poll held", held, by_patch(session, api)),
            await stack.enter_async_context(_file_provider(folder / "file", document)),
            await stack.enter_async_context(_plain(folder / "plain", document, poll_interval)),
        )


@asynccontextmanager
async def daemon_process(
    folder: Path, session: aiohttp.ClientSession, *flags: str
) -> AsyncIterator[str]:
    """The daemon as a process of its own; its base URL."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "provider", "serve", f"--listen=127.0.0.1:{port}", "--default-certificate", *flags),
        *(f"--data={folder / 'data'}", f"--projects={folder / 'projects'}"),
        env={key: value for key, value in os.environ.items() if not key.startswith("ROUTEBOOK_")},
        stderr=asyncio.subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"

    async def ready() -> bool:
        if process.returncode is not None:
            raise RuntimeError(f"the daemon ended with {process.returncode}")
        try:
            async with session.get(f"{url}/readyz") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    try:
        await until(ready, START_S)
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def by_patch(session: aiohttp.ClientSession, api: str) -> Callable[[str, str], Change]:
    """Changes through the REST API."""

    def prepare(environment: str, url: str) -> Change:
        async def change() -> None:
            patch = {"metadata": {"router": {"service_url": url}}}
            async with session.patch(
                f"{api}/api/environments/{environment}", json=patch
            ) as response:
                response.raise_for_status()

        return change

    return prepare


@asynccontextmanager
async def _file_provider(folder: Path, document: Static) -> AsyncIterator[Way]:
    folder.mkdir()
    file, new = folder / "dynamic.yml", folder / "dynamic.new"
    file.write_text(json.dumps(document))

    def prepare(environment: str, url: str) -> Change:
        body = _changed(document, environment, url)

        async def change() -> None:
            new.write_bytes(body)
            new.replace(file)

        return change

    def only_the_file(static: Static) -> None:
        del static["providers"]["http"]
        static["providers"]["file"] = {"filename": str(file), "watch": True}

    async with traefik("", folder, change=only_the_file) as proxy:
        yield Way("Traefik's file provider", proxy, prepare)


@asynccontextmanager
async def _plain(folder: Path, document: Static, poll_interval: str) -> AsyncIterator[Way]:
    body = json.dumps(document).encode()

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    def prepare(environment: str, url: str) -> Change:
        changed = _changed(document, environment, url)

        async def change() -> None:
            nonlocal body
            body = changed

        return change

    app = web.Application()
    app.router.add_get("/config", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}/config"
        async with traefik(endpoint, folder, change=polling_every(poll_interval)) as proxy:
            yield Way(f"HTTP, polled every {poll_interval}", proxy, prepare)
    finally:
        await runner.cleanup()


def polling_every(interval: str) -> Callable[[Static], None]:
    """A Traefik that polls at this interval."""

    def change(static: Static) -> None:
        static["providers"]["http"]["pollInterval"] = interval

    return change


def _changed(document: Static, environment: str, url: str) -> bytes:
    """The document's bytes with this environment moved; later changes build on it."""
    document["http"]["services"][environment]["loadBalancer"]["servers"] = [{"url": url}]
    return json.dumps(document, separators=(",", ":")).encode()


def _record(environment: str, url: str) -> dict[str, Any]:
    return {
        "environment_id": environment,
        "project_id": "bench",
        "slug": environment,
        "name": environment,
        "host": {"hostname": f"{environment}.test"},
        "ports": [],
        "owner": _OWNER,
        "lifecycle": {"state": "active"},
        "health": {"status": "unknown"},
        "metadata": {"router": {"entrypoints": ["web"], "service_url": url}},
        "created_at": _AT,
        "updated_at": _AT,
    }
