"""`/api/environments`: list, create, read, replace, patch, delete."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from provider.api.door import author
from provider.api.listing import ListQuery, known_snapshot, page, select
from provider.api.ready_items import ITEMS, members, with_member
from provider.api.requests import JSON_TYPE, json_body, matches_of, query_of
from provider.api.surface import SURFACE
from provider.api.views import environment_view
from provider.api.writing import Made, changed_records, with_routing, written
from registry.entries import Entry, RawRecord
from registry.errors import Quarantined
from registry.schema import Environment
from registry.store import EnvironmentStore
from registry.writer import Preview


async def list_environments(request: web.Request) -> web.Response:
    """A page of environments, each of their workspaces once."""
    items, query = request.app[ITEMS], query_of(request, ListQuery)
    chosen = select(known_snapshot(request.app[SURFACE].store), query)
    entries, following = page(chosen, query)
    ids = sorted({entry.environment.project_id for entry in entries if entry.environment})
    projects = ((each, body) for each in ids if (body := items.project(each)) is not None)
    body = b'{"environments": [%b], "projects": %b, "total": %d, "next": %b}' % (
        await items.listed(entries),
        members(projects),
        len(chosen),
        json.dumps(following).encode(),
    )
    return web.Response(body=body, content_type=JSON_TYPE, charset="utf-8")


async def create_environment(request: web.Request) -> web.Response:
    """A new environment."""
    body = await json_body(request)

    return await written_one(
        request, lambda store: store.create(body, by=author(request)), created=True
    )


async def read_environment(request: web.Request) -> web.Response:
    """One environment, hydrated; while its stored record is broken, its last good and `fault`."""
    entry = known_snapshot(request.app[SURFACE].store).entry(request.match_info["ref"])
    if entry.environment is None:
        errors = entry.fault.errors if entry.fault else ()
        raise Quarantined(
            "the stored record is broken and never was good: " + "; ".join(map(str, errors))
        )
    items = request.app[ITEMS]
    project = items.project(entry.environment.project_id) or b"null"
    return web.Response(
        body=with_member(items.record(entry), b"project", project),
        content_type=JSON_TYPE,
        charset="utf-8",
        headers={"ETag": f'"{entry.environment.revision}"'},
    )


async def replace_environment(request: web.Request) -> web.Response:
    """The record whole."""
    ref, matches = request.match_info["ref"], matches_of(request)
    body = request.app[SURFACE].health.as_stored(await json_body(request), ref)
    return await written_one(
        request, lambda store: store.replace(ref, body, matches, by=author(request))
    )


async def patch_environment(request: web.Request) -> web.Response:
    """A JSON merge patch (RFC 7396)."""
    ref, matches = request.match_info["ref"], matches_of(request)
    body = request.app[SURFACE].health.as_stored(await json_body(request), ref)
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
    *,
    created: bool = False,
) -> web.Response:
    """A write of one environment, or its rehearsal; 204 when the environment is gone then."""
    before = _id_of(request)

    def made(environment: Environment | None) -> Made:
        """The answer to a write, with its entity tag, and where it is."""
        if environment is None:
            return Made(None, [before], 204)
        of, headers = environment.environment_id, {"ETag": f'"{environment.revision}"'}
        if created:
            headers["Location"] = f"/api/environments/{of}"
        return Made(_view(request, environment), [of], 201 if created else 200, headers)

    def foreseen(environment: Environment | None, preview: Preview) -> dict[str, Any]:
        """The environment as it would be, and how it would change."""
        changed = [each for item in changed_records(preview) for each in item["changes"]]
        return {"environment": environment and _view(request, environment), "changes": changed}

    return await written(request, write, made, foreseen, show=with_routing)


def _id_of(request: web.Request) -> str:
    """The id that the request's `ref` stands for; after a deletion nobody knows its slug."""
    ref, snapshot = request.match_info.get("ref", ""), request.app[SURFACE].store.snapshot
    entry = snapshot.by_slug.get(ref) if snapshot else None
    return entry.environment.environment_id if entry and entry.environment else ref


def _view(request: web.Request, environment: Environment) -> dict[str, Any]:
    surface, entry = request.app[SURFACE], Entry(RawRecord("", ""), environment)
    return environment_view(entry, surface.workspaces, surface.health.checked_at)
