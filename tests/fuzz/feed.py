"""A real Traefik that is fed one document after the other, and asked what it made of each."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from provider.demo.traefik_process import TraefikProcess, file_provider, traefik, until
from provider.render.document import MARKER, Document

# Traefik waits up to 19 s after an answer that it did not like.
_LIVE_S = 60.0


class Refused(AssertionError):
    """Traefik did not take a document; the words are its own."""


@dataclass
class Feed:
    """What Traefik polls now; set with `publish`."""

    folder: Path
    body: bytes = b"{}"
    proxy: TraefikProcess = field(init=False)
    http: aiohttp.ClientSession = field(init=False)

    async def publish(self, document: Document) -> None:
        """Serve a document until Traefik lives by it. Raises Refused."""
        errors = len(self._errors())
        self.body = document.body

        async def is_live() -> bool:
            if len(self._errors()) > errors:
                raise Refused(self._errors()[-1][:2000])
            return await self._status(f"middlewares/{MARKER}{document.digest}@http") == 200

        await until(is_live, _LIVE_S)

    async def listed(self, what: str) -> dict[str, dict[str, Any]]:
        """Everything of a kind (`routers`, `services`, `middlewares`) of ours, by name."""
        url = f"http://127.0.0.1:{self.proxy.api}/api/http/{what}?per_page=1000000"
        async with self.http.get(url) as response:
            items = await response.json()
        return {
            item["name"].removesuffix("@http"): item for item in items if item["provider"] == "http"
        }

    async def ask(self, host: str, path: str = "/") -> tuple[int, str | None]:
        """Status of a plain request, and the upstream that answered it."""
        url = f"http://127.0.0.1:{self.proxy.web}{path}"
        async with self.http.get(url, headers={"Host": host}) as response:
            return response.status, response.headers.get("X-Upstream")

    async def _status(self, path: str) -> int:
        url = f"http://127.0.0.1:{self.proxy.api}/api/http/{path}"
        async with self.http.get(url) as response:
            return response.status

    def _errors(self) -> list[str]:
        """Lines of Traefik's log that say that the provider's document was not taken."""
        log = self.folder / "traefik.log"
        lines = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
        return [line for line in lines if " ERR " in line and "providerName=http" in line]


@asynccontextmanager
async def fed_traefik(folder: Path, others: Mapping[str, Any]) -> AsyncIterator[Feed]:
    """A Traefik that polls every 10 ms and applies at once; `others` is from its file provider."""
    feed = Feed(folder)

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=feed.body, content_type="application/json")

    def impatient(static: dict[str, Any]) -> None:
        static["providers"]["providersThrottleDuration"] = "1ms"
        static["providers"]["http"] |= {"pollInterval": "10ms"}
        file_provider(folder, others)(static)

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    try:
        async with (
            traefik(endpoint, folder, change=impatient) as feed.proxy,
            aiohttp.ClientSession() as feed.http,
        ):
            yield feed
    finally:
        await runner.cleanup()


def parts(document: Document) -> dict[str, dict[str, Any]]:
    """Routers, services and middlewares of a document."""
    http: dict[str, dict[str, Any]] = json.loads(document.body)["http"]
    return http
