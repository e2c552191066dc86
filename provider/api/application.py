"""The aiohttp application: the table of routes, a door before each, problems for errors."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import cache
from importlib.metadata import version

import structlog
from aiohttp import web

from provider.api.openapi import describe
from provider.api.openapi_page import DESCRIPTION
from provider.api.problems import problem, problem_of
from provider.api.prometheus import SurfaceCollector
from provider.api.ready_items import ITEMS, ReadyItems
from provider.api.requests import BODY_BYTES_MAX, check_media_type, query_of
from provider.api.routes import ROUTES, Route
from provider.api.surface import SURFACE, Surface
from registry.errors import Forbidden, HostNotAllowed, RegistryError, Unauthenticated

_log = structlog.get_logger()
_JSON_ONLY = ("POST", "PUT", "PATCH")
_POLLED = "/traefik/config"
# What the kept document is enough for.
_AT_ONCE = (_POLLED, "/healthz", "/readyz")
_REFUSALS = (Forbidden, HostNotAllowed, Unauthenticated)
_Next = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_application(surface: Surface) -> web.Application:
    """Every route of the table; shutdown releases held polls and ends streams."""
    app = web.Application(
        client_max_size=BODY_BYTES_MAX,
        middlewares=[counted, problems_for_errors, no_strangers],
    )
    surface.meters.registry.register(SurfaceCollector(surface))
    app[SURFACE] = surface
    description: Callable[[], bytes] = cache(_description)
    app[DESCRIPTION] = description
    app[ITEMS] = _ready_items(surface)
    for route in ROUTES:
        app.router.add_route(route.method, route.path, _checked(route))
        if route.method == "GET":  # RFC 9110, 9.3.2: HEAD wherever there is GET
            app.router.add_route("HEAD", route.path, _checked(route))

    async def release_who_waits(_app: web.Application) -> None:
        """Held polls and waiting writes get their answer, streams of events their end."""
        surface.current.close()
        surface.routing.close()
        surface.events.close()

    app.on_shutdown.append(release_who_waits)
    return app


def _ready_items(surface: Surface) -> ReadyItems:
    routing, health = surface.routing, surface.health
    return ReadyItems(
        surface.workspaces,
        health.checked_at,
        lambda entry: routing.routing_of(entry).in_short(),
        lambda: (*routing.made_of, health.made_of),
    )


def _description() -> bytes:
    return json.dumps(describe(ROUTES, version("routebook"))).encode()


@web.middleware
async def counted(request: web.Request, handler: _Next) -> web.StreamResponse:
    """Every answer, by the template of its path: a path as it came would be one label each."""
    status = 500
    try:
        response = await handler(request)
        status = response.status
        return response
    except web.HTTPException as error:
        status = error.status
        raise
    finally:
        resource = request.match_info.route.resource
        route = resource.canonical if resource else "none"
        request.app[SURFACE].meters.count_request(request.method, route, status)


@web.middleware
async def problems_for_errors(request: web.Request, handler: _Next) -> web.StreamResponse:
    """Every failure as `application/problem+json`; a bug is logged and says nothing outside."""
    surface = request.app[SURFACE]
    surface.silent_clients.heard(request.transport)
    try:
        return await handler(request)
    except RegistryError as error:
        if request.path == _POLLED and isinstance(error, _REFUSALS):
            surface.polls.turned_away.note(request.remote or "unknown", error.detail)
        return problem_of(error)
    except web.HTTPNotFound:
        return problem("not_found", f"nothing is at {request.path}; see /api/openapi.json")
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        refused = problem("method_not_allowed", f"{request.path} takes {allowed}")
        refused.headers["Allow"] = allowed
        return refused
    except web.HTTPException:
        raise
    except Exception:
        _log.exception("request_failed", method=request.method, path=request.path)
        return problem("internal", "a bug of ours; the log has it")


@web.middleware
async def no_strangers(request: web.Request, handler: _Next) -> web.StreamResponse:
    """Open mode's checks, before a path is known or not."""
    request.app[SURFACE].door.refuse_strangers(request)
    return await handler(request)


def _checked(route: Route) -> _Next:
    """The handler, behind the door, a look at the query (a misspelt parameter must not pass in
    silence) and at the content type (a form of another site cannot send JSON)."""

    async def handle(request: web.Request) -> web.StreamResponse:
        door, opening = request.app[SURFACE].door, request.app[SURFACE].opening
        door.admit(request, route.access)
        query_of(request, route.query)
        if route.path not in _AT_ONCE and not opening.is_over:
            await opening.wait()
            door.admit(request, route.access)  # a right may have been taken away meanwhile
        if route.method in _JSON_ONLY:
            check_media_type(request)
        return await route.handler(request)

    return handle
