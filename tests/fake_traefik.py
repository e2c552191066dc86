"""A Traefik's API without a Traefik: it runs the document that it is told to run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from provider.render.document import MARKER


@dataclass
class FakeTraefik:
    """What it answers; all of it may be changed at any time.

    While it `follows`, it runs whichever document it is asked about. `broken` answers 500.
    """

    url: str = ""
    digest: str | None = None
    follows: bool = True
    broken: bool = False
    routers: list[dict[str, Any]] = field(default_factory=list)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[FakeTraefik]:
        """On a free port of loopback."""
        app = web.Application()
        app.router.add_get("/api/http/middlewares/{name}", self._middleware)
        app.router.add_get("/api/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield self
        finally:
            await runner.cleanup()

    def fault(self, environment_id: str, error: str) -> None:
        """A router of ours that Traefik does not run, in its words."""
        self.routers.append(
            {
                **_router(f"{environment_id}.exact.websecure@http", "disabled"),
                "service": environment_id,
                "error": [error],
            }
        )

    def neighbour(self, host: str) -> None:
        """A router of the file provider that goes first on a host."""
        rule, points = f"Host(`{host}`)", ["websecure"]
        router = {**_router("theirs@file", "enabled"), "rule": rule, "priority": 30_000}
        self.routers.append({**router, "service": "theirs", "using": points, "tls": {}})

    async def _middleware(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        asked = name.removeprefix(MARKER).removesuffix("@http")
        if self.follows:
            self.digest = asked
        if self.broken or asked != self.digest:
            return web.json_response({}, status=500 if self.broken else 404)
        return web.json_response(_marker(asked))

    async def _answer(self, request: web.Request) -> web.Response:
        if self.broken:
            return web.json_response({}, status=500)
        status = request.query.get("status")
        routers = [each for each in self.routers if status in (None, each["status"])]
        answers: dict[str, Any] = {
            "version": {"Version": "3.7.0", "startDate": "2026-01-05T09:00:00Z"},
            "overview": {"http": {"routers": {"total": len(self.routers)}}},
            "http/routers": routers,
            "http/middlewares": [_marker(self.digest)] if self.digest else [],
            "entrypoints": [{"name": "websecure", "address": ":443"}],
        }
        answer = answers.get(request.match_info["path"], [])
        return web.json_response(answer, headers={"X-Next-Page": "1"})


def _marker(digest: str) -> dict[str, Any]:
    return {"name": f"{MARKER}{digest}@http", "addPrefix": {"prefix": "/routebook"}}


def _router(name: str, status: str) -> dict[str, Any]:
    return {"name": name, "rule": "", "priority": 1, "status": status, "using": ["websecure"]}
