"""`/api/openapi.json`: the description of this API, made once by the application."""

from __future__ import annotations

from typing import Any

from aiohttp import web

DESCRIPTION: web.AppKey[dict[str, Any]] = web.AppKey("description", dict)


async def openapi_page(request: web.Request) -> web.Response:
    """OpenAPI 3.1."""
    return web.json_response(request.app[DESCRIPTION])
