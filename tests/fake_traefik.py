"""The API of a Traefik that says what a test tells it to say, on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from provider.render.document import MARKER

DIGEST = "0123456789abcdef"


def marker(digest: str) -> dict[str, Any]:
    """The marker middleware, as Traefik shows it."""
    return {"name": f"{MARKER}{digest}@http", "addPrefix": {"prefix": "/routebook"}}


def router(name: str = "env-dev.exact.web@http", **changes: Any) -> dict[str, Any]:
    """A router, as Traefik shows it."""
    shown = {
        "name": name,
        "rule": 'Host("dev.test")',
        "priority": 20000,
        "status": "enabled",
        "using": ["web"],
        "service": "env-dev",
    }
    return {**shown, **changes}


@dataclass
class FakeTraefik:
    """What it serves can be changed at any time; `requests` has the path of each request.

    `instead` replaces the answer to a path: a status, a text, or a handler. `page_max` is how
    much of a list it gives at once. While it `follows`, it runs whichever document it is asked
    about; `broken` answers 500 to everything.
    """

    digest: str | None = DIGEST
    follows: bool = False
    broken: bool = False
    started_at: str = "2026-11-24T10:00:00Z"
    routers: list[dict[str, Any]] = field(default_factory=list)
    middlewares: list[dict[str, Any]] = field(default_factory=list)
    services: list[dict[str, Any]] = field(default_factory=list)
    entrypoints: list[Any] = field(default_factory=lambda: [{"name": "web", "address": ":80"}])
    certificates: list[Any] = field(default_factory=list)
    instead: dict[str, Any] = field(default_factory=dict)
    page_max: int = 10_000
    requests: list[str] = field(default_factory=list)
    authorizations: set[str | None] = field(default_factory=set)
    prefix: str = ""
    port: int = 0

    @property
    def url(self) -> str:
        """Where its API is."""
        return f"http://127.0.0.1:{self.port}{self.prefix}"

    def fault(self, environment_id: str, error: str) -> None:
        """A router of ours that it does not run, in its words."""
        name = f"{environment_id}.exact.websecure@http"
        changes = {"service": environment_id, "using": ["websecure"], "error": [error]}
        self.routers.append(router(name, status="disabled", **changes))

    def neighbour(self, host: str) -> None:
        """A router of the file provider that goes first on a host."""
        changes = {"service": "theirs", "using": ["websecure"], "tls": {}, "priority": 30_000}
        self.routers.append(router("theirs@file", rule=f"Host(`{host}`)", **changes))

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[FakeTraefik]:
        """On a free port of loopback, until the end."""
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port)
        await site.start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix(f"{self.prefix}/api/")
        self.requests.append(path)
        self.authorizations.add(request.headers.get("Authorization"))
        if self.broken:
            return web.Response(status=500)
        other = self.instead.get(path)
        if callable(other):
            answer: web.StreamResponse = await other(request)
            return answer
        if isinstance(other, int):
            return web.Response(status=other, headers={"Location": "/elsewhere"})
        if other is not None:
            return web.Response(text=other, content_type="application/json")
        return self._known(path, request)

    def _known(self, path: str, request: web.Request) -> web.Response:
        asked = path.removeprefix(f"http/middlewares/{MARKER}").removesuffix("@http")
        if self.follows and asked != path:
            self.digest = asked
        everything = [*self.middlewares, *([marker(self.digest)] if self.digest else [])]
        if path.startswith("http/middlewares/"):
            named = [m for m in everything if m["name"] == path.rpartition("/")[2]]
            return web.json_response(named[0]) if named else web.Response(status=404)
        lists = {
            "http/middlewares": everything,
            "http/routers": self.routers,
            "http/services": self.services,
            "entrypoints": self.entrypoints,
            "certificates": self.certificates,
        }
        if path in lists:
            return self._page(lists[path], request)
        objects = {
            "version": {"Version": "3.7.15", "startDate": self.started_at},
            "overview": {"http": {"routers": {"total": len(self.routers)}}},
        }
        return web.json_response(objects[path]) if path in objects else web.Response(status=404)

    def _page(self, items: list[Any], request: web.Request) -> web.Response:
        status, word = request.query.get("status"), request.query.get("search", "")
        if status is not None:
            items = [item for item in items if item["status"] == status]
        items = [item for item in items if not word or word in item["name"]]
        page, size = int(request.query["page"]), min(self.page_max, int(request.query["per_page"]))
        following = page + 1 if page * size < len(items) else 1
        shown = items[(page - 1) * size : page * size]
        return web.json_response(shown, headers={"X-Next-Page": str(following)})
