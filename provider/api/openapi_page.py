"""`/api/openapi.json`: the description of this API, made when it is first asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

DESCRIPTION: web.AppKey[Callable[[], bytes]] = web.AppKey("description")


async def openapi_page(request: web.Request) -> web.Response:
    """OpenAPI 3.1."""
    # Made once, in a thread: it takes longer than a poll should wait.
    body = await asyncio.to_thread(request.app[DESCRIPTION])
    return web.Response(body=body, content_type="application/json", charset="utf-8")
