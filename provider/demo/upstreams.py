"""Sample upstreams: each answers with its name and what it was asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web


@asynccontextmanager
async def upstream(name: str, port: int = 0) -> AsyncIterator[int]:
    """An http server on 127.0.0.1; gives its port.

    It answers every request with JSON: `upstream`, `method`, `host`, `path`, `prefix` (the
    X-Forwarded-Prefix header).
    """

    async def answer(request: web.Request) -> web.Response:
        """What was asked, as JSON."""
        return web.json_response(
            {
                "upstream": name,
                "method": request.method,
                "host": request.host,
                "path": request.raw_path,
                "prefix": request.headers.get("X-Forwarded-Prefix"),
            },
            headers={"X-Upstream": name},
        )

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
