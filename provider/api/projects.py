"""`/api/projects`: the workspaces."""

from __future__ import annotations

from aiohttp import web

from provider.api.surface import SURFACE
from provider.api.views import project_of
from registry.errors import NotFound, UnknownProject


async def list_projects(request: web.Request) -> web.Response:
    """Every valid workspace, by id."""
    workspaces = request.app[SURFACE].workspaces
    projects = [project_of(project_id, workspaces) for project_id in workspaces.ids()]
    return web.json_response({"projects": [project for project in projects if project]})


async def read_project(request: web.Request) -> web.Response:
    """One workspace, as environments show it."""
    try:
        project = request.app[SURFACE].workspaces.get(request.match_info["id"])
    except UnknownProject as error:
        raise NotFound(error.detail) from error
    return web.json_response(project.document)
