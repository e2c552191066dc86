"""`/api/environments`: list, create, read, replace, patch, delete."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from provider.api.door import author
from provider.api.listing import ListQuery, page, select
from provider.api.requests import json_body, matches_of, query_of
from provider.api.surface import SURFACE
from provider.api.views import environment_view, listed_view, project_of
from provider.api.writing import changed_records, written
from registry.errors import NotReady, Quarantined
from registry.schema import Environment
from registry.snapshot import Entry, RawRecord, Snapshot
from registry.store import EnvironmentStore
from registry.writer import Preview


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
    body = await json_body(request)

    def answer(environment: Environment) -> web.Response:
        """It, and where it is."""
        location = f"/api/environments/{environment.environment_id}"
        return answer_with(request, environment, status=201, headers={"Location": location})

    return await written_one(request, lambda store: store.create(body, by=author(request)), answer)


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
    ref, body, matches = request.match_info["ref"], await json_body(request), matches_of(request)
    return await written_one(
        request, lambda store: store.replace(ref, body, matches, by=author(request))
    )


async def patch_environment(request: web.Request) -> web.Response:
    """A JSON merge patch (RFC 7396)."""
    ref, body, matches = request.match_info["ref"], await json_body(request), matches_of(request)
    return await written_one(
        request, lambda store: store.patch(ref, body, matches, by=author(request))
    )


async def delete_environment(request: web.Request) -> web.Response:
    """Take it away."""
    ref, matches = request.match_info["ref"], matches_of(request)
    return await written_one(request, lambda store: store.delete(ref, matches, by=author(request)))


async def written_one(
    request: web.Request,
    write: Callable[[EnvironmentStore], Awaitable[Environment | None]],
    answer: Callable[[Environment], web.Response] | None = None,
) -> web.Response:
    """A write of one environment, or its rehearsal; 204 when the environment is gone then."""

    def made(environment: Environment | None) -> web.Response:
        """The answer to a write."""
        if environment is None:
            return web.Response(status=204)
        return answer(environment) if answer else answer_with(request, environment)

    def foreseen(environment: Environment | None, preview: Preview) -> dict[str, Any]:
        """The environment as it would be, and how it would change."""
        changed = [each for item in changed_records(preview) for each in item["changes"]]
        return {"environment": environment and _view(request, environment), "changes": changed}

    return await written(request, write, made, foreseen)


def _snapshot(request: web.Request) -> Snapshot:
    snapshot = request.app[SURFACE].store.snapshot
    if snapshot is None:
        raise NotReady("the catalogue could not be read since the start")
    return snapshot


def answer_with(request: web.Request, environment: Environment, **answer: Any) -> web.Response:
    """An environment just written, with its entity tag."""
    return _entry_answer(request, Entry(RawRecord("", ""), environment), **answer)


def _view(request: web.Request, environment: Environment) -> dict[str, Any]:
    entry = Entry(RawRecord("", ""), environment)
    return environment_view(entry, request.app[SURFACE].workspaces)


def _entry_answer(
    request: web.Request, entry: Entry, headers: dict[str, str] | None = None, status: int = 200
) -> web.Response:
    view = environment_view(entry, request.app[SURFACE].workspaces)
    revision = entry.environment.revision if entry.environment else ""
    return web.json_response(
        view, status=status, headers={"ETag": f'"{revision}"', **(headers or {})}
    )
