"""`/api/environments`: list, create, read, replace, patch, delete."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from provider.api.door import author
from provider.api.listing import ListQuery, page, select
from provider.api.requests import json_body, matches_of, query_of
from provider.api.surface import SURFACE
from provider.api.views import environment_view, listed_view, project_of
from registry.errors import NotReady, Quarantined
from registry.schema import Environment
from registry.snapshot import Entry, RawRecord, Snapshot


async def list_environments(request: web.Request) -> web.Response:
    """A page of environments, each of their workspaces once."""
    surface, query = request.app[SURFACE], query_of(request, ListQuery)
    chosen = select(_snapshot(request).entries, query)
    entries, following = page(chosen, query)
    ids = {entry.environment.project_id for entry in entries if entry.environment}
    projects = {each: project_of(each, surface.workspaces) for each in sorted(ids)}
    return web.json_response(
        {
            "environments": [listed_view(entry) for entry in entries],
            "projects": {key: value for key, value in projects.items() if value is not None},
            "total": len(chosen),
            "next": following,
        }
    )


async def create_environment(request: web.Request) -> web.Response:
    """A new environment."""
    environment = await request.app[SURFACE].store.create(
        await json_body(request), by=author(request)
    )
    location = f"/api/environments/{environment.environment_id}"
    return answer_with(request, environment, status=201, headers={"Location": location})


async def read_environment(request: web.Request) -> web.Response:
    """One environment, hydrated; while its stored record is broken, its last good and `fault`."""
    entry = _snapshot(request).entry(request.match_info["ref"])
    if entry.environment is None:
        errors = entry.fault.errors if entry.fault else ()
        raise Quarantined(
            "the stored record is broken and never was good: " + "; ".join(map(str, errors))
        )
    return _entry_answer(request, entry)


async def replace_environment(request: web.Request) -> web.Response:
    """The record whole."""
    store, body = request.app[SURFACE].store, await json_body(request)
    environment = await store.replace(
        request.match_info["ref"], body, matches_of(request), by=author(request)
    )
    return answer_with(request, environment)


async def patch_environment(request: web.Request) -> web.Response:
    """A JSON merge patch (RFC 7396)."""
    store, body = request.app[SURFACE].store, await json_body(request)
    environment = await store.patch(
        request.match_info["ref"], body, matches_of(request), by=author(request)
    )
    return answer_with(request, environment)


async def delete_environment(request: web.Request) -> web.Response:
    """Take it away."""
    await request.app[SURFACE].store.delete(
        request.match_info["ref"], matches_of(request), by=author(request)
    )
    return web.Response(status=204)


def _snapshot(request: web.Request) -> Snapshot:
    snapshot = request.app[SURFACE].store.snapshot
    if snapshot is None:
        raise NotReady("the catalogue could not be read since the start")
    return snapshot


def answer_with(request: web.Request, environment: Environment, **answer: Any) -> web.Response:
    """An environment just written, with its entity tag."""
    return _entry_answer(request, Entry(RawRecord("", ""), environment), **answer)


def _entry_answer(
    request: web.Request, entry: Entry, headers: dict[str, str] | None = None, status: int = 200
) -> web.Response:
    view = environment_view(entry, request.app[SURFACE].workspaces)
    revision = entry.environment.revision if entry.environment else ""
    return web.json_response(
        view, status=status, headers={"ETag": f'"{revision}"', **(headers or {})}
    )
