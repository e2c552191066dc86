"""Ways for a change to reach Traefik, over the same content; Routebook's two share a Traefik.

A way prepares a change, so that what is timed is the change alone, and gives the call that makes
it. Nothing here is timed.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from catalogue import moved, write_catalogue
from processes import daemon

from provider.demo.traefik_process import TraefikProcess, traefik
from provider.demo.upstreams import upstream

Change = Callable[[], Awaitable[None]]
Static = dict[str, Any]


@dataclass(frozen=True)
class Way:
    """`prepare(environment_id, url)` gives the call that points the environment at the URL.

    `poll_s` is how often its Traefik looks, where it looks. `numbers` are which environments it
    may change, the first and the step: two ways through one Traefik have none in common.
    """

    name: str
    proxy: TraefikProcess
    prepare: Callable[[str, str], Change]
    poll_s: float = 0.0
    numbers: tuple[int, int] = (0, 1)


@asynccontextmanager
async def all_ways(
    folder: Path, session: aiohttp.ClientSession, plain_poll_s: float
) -> AsyncIterator[tuple[Way, ...]]:
    """All up: Routebook as advised, by PATCH and by hand; the file provider; plain HTTP."""
    async with AsyncExitStack() as stack:
        stopping = await stack.enter_async_context(AsyncExitStack())
        api = (await stopping.enter_async_context(daemon(folder))).url
        held = await stack.enter_async_context(traefik(f"{api}/traefik/config", folder / "held"))
        # The daemon goes first: Traefik does not end while a poll of its own is held.
        stack.push_async_callback(stopping.aclose)
        async with session.get(f"{api}/traefik/config?hold=0") as response:
            document = await response.json()
        yield (
            Way("a PATCH", held, by_patch(session, api), numbers=(0, 2)),
            Way("a hand edit", held, by_hand(folder), numbers=(1, 2)),
            await stack.enter_async_context(_file_provider(folder / "file", document)),
            await stack.enter_async_context(_plain(folder / "plain", document, plain_poll_s)),
        )


async def answers(session: aiohttp.ClientSession, url: str, host: str, name: str) -> bool:
    """Whether this upstream answers a request through Traefik."""
    async with session.get(url, headers={"Host": host}) as response:
        await response.read()
        return response.headers.get("X-Upstream") == name


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


def by_hand(folder: Path) -> Callable[[str, str], Change]:
    """Changes to the catalogue's file, saved by rename as many editors do, without an fsync."""
    file, new = folder / "data/environments.json", folder / "edited.json"

    def prepare(environment: str, url: str) -> Change:
        content = moved(file.read_bytes(), environment, url)

        async def change() -> None:
            new.write_bytes(content)
            new.replace(file)

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

    async with traefik("", folder, change=only_the_file(file)) as proxy:
        yield Way("Traefik's file provider", proxy, prepare)


@asynccontextmanager
async def _plain(folder: Path, document: Static, poll_s: float) -> AsyncIterator[Way]:
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
        async with traefik(endpoint, folder, change=polling_every(f"{poll_s}s")) as proxy:
            yield Way(f"HTTP, polled every {poll_s:g} s", proxy, prepare, poll_s)
    finally:
        await runner.cleanup()


def polling_every(interval: str) -> Callable[[Static], None]:
    """A Traefik that polls at this interval."""

    def change(static: Static) -> None:
        static["providers"]["http"]["pollInterval"] = interval

    return change


def only_the_file(file: Path) -> Callable[[Static], None]:
    """A Traefik that polls nobody and watches this file."""

    def change(static: Static) -> None:
        del static["providers"]["http"]
        static["providers"]["file"] = {"filename": str(file), "watch": True}

    return change


def _changed(document: Static, environment: str, url: str) -> bytes:
    """The document's bytes with this environment moved; later changes build on it."""
    document["http"]["services"][environment]["loadBalancer"]["servers"] = [{"url": url}]
    return json.dumps(document, separators=(",", ":")).encode()


@asynccontextmanager
async def two_upstreams(environments: int) -> AsyncIterator[tuple[Path, dict[str, str]]]:
    """A folder with a catalogue of so many environments, all on upstream blue, and the base URLs
    of blue and green; all of it ends after."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="routebook-bench-")))
        urls = {
            name: f"http://127.0.0.1:{await stack.enter_async_context(upstream(name))}"
            for name in ("blue", "green")
        }
        write_catalogue(folder, environments, urls["blue"])
        yield folder, urls
