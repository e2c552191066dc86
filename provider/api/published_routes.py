"""`/api/routes`: what the document routes, and what was lost to others."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from provider.api.requests import query_of
from provider.api.surface import SURFACE
from provider.api.views import View
from provider.render.routes import PublishedRoute, routes_of
from registry.errors import FieldError, InvalidRecord, NotReady
from registry.schema import Environment, State


class RoutesQuery(BaseModel):
    """The filters of the list; all that are given must hold."""

    model_config = ConfigDict(extra="forbid")

    environment: Annotated[str | None, Field(description="an `environment_id` or a slug")] = None
    project_id: str | None = None
    host: Annotated[str | None, Field(description="a part of the host name")] = None
    state: Literal["published", "lost"] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    cursor: Annotated[str | None, Field(description="`next` of the page before")] = None


class RouteView(View):
    """One route. `holder` is the id of the environment that it was lost to."""

    host: str
    path_prefix: str
    entrypoint: str
    tls: bool
    environment: str
    slug: str
    project_id: str
    lifecycle_state: State
    upstreams: list[str]
    state: Literal["published", "lost"]
    holder: str | None


class RoutesView(View):
    """A page of routes, by host, path and entrypoint."""

    routes: list[RouteView]
    total: int
    next: str | None


_Key = tuple[str, ...]


async def list_routes(request: web.Request) -> web.Response:
    """Every route of the document in force, and each claim that another environment keeps."""
    surface, query = request.app[SURFACE], query_of(request, RoutesQuery)
    document, snapshot = surface.reconciler.document, surface.store.snapshot
    if document is None or snapshot is None:
        raise NotReady("nothing was rendered since the start: /api/health says why")
    views = (
        route_view(route, entry.environment)
        for route in routes_of(document)
        if (entry := snapshot.by_id.get(route.fragment.environment_id)) and entry.environment
    )
    chosen = sorted((view for view in views if _asked(view, query)), key=_key)
    shown, following = _page(chosen, query)
    return web.json_response({"routes": shown, "total": len(chosen), "next": following})


def route_view(route: PublishedRoute, environment: Environment) -> dict[str, Any]:
    """One route as JSON."""
    return {
        "host": route.claim.host,
        "path_prefix": route.claim.path,
        "entrypoint": route.claim.entrypoint,
        "tls": route.is_tls,
        "environment": environment.environment_id,
        "slug": environment.slug,
        "project_id": environment.project_id,
        "lifecycle_state": environment.lifecycle.state,
        "upstreams": list(route.fragment.upstreams),
        "state": route.state,
        "holder": route.holder,
    }


def _asked(view: dict[str, Any], query: RoutesQuery) -> bool:
    return (
        query.environment in (None, view["environment"], view["slug"])
        and query.project_id in (None, view["project_id"])
        and query.state in (None, view["state"])
        and (query.host is None or query.host.lower() in view["host"])
    )


def _key(view: dict[str, Any]) -> _Key:
    return view["host"], view["path_prefix"], view["entrypoint"], view["environment"]


def _page(
    views: Sequence[dict[str, Any]], query: RoutesQuery
) -> tuple[Sequence[dict[str, Any]], str | None]:
    """One page, and the cursor of the next: the last one shown, so that none is missed."""
    last = _last_shown(query.cursor)
    rest = [view for view in views if _key(view) > last]
    shown = rest[: query.limit]
    if len(rest) == len(shown):
        return shown, None
    return shown, base64.urlsafe_b64encode(json.dumps(_key(shown[-1])).encode()).decode()


def _last_shown(cursor: str | None) -> _Key:
    if cursor is None:
        return ()
    try:
        return tuple(_texts(json.loads(base64.b64decode(cursor, b"-_", validate=True))))
    except ValueError as error:
        fault = FieldError("/cursor", "not a cursor of this list")
        raise InvalidRecord("the query is wrong", [fault]) from error


def _texts(value: Any) -> Iterator[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError(value)
    yield from value
