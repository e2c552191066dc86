"""History, revert, and the edit that waits for a person."""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from provider.api.door import author
from provider.api.environments import written_one
from provider.api.requests import json_body, query_of
from provider.api.surface import SURFACE
from provider.api.writing import Made, changed_records, written
from registry.errors import InvalidRecord
from registry.schema import field_errors
from registry.writer import Preview


class HistoryQuery(BaseModel):
    """Revisions after `since`, oldest first."""

    model_config = ConfigDict(extra="forbid")

    since: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


def _whole(value: object) -> object:
    """In JSON 7.0 is an integer as well."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Revert(BaseModel):
    """The revision whose state is to come back."""

    model_config = ConfigDict(extra="forbid", strict=True)

    revision: Annotated[int, Field(ge=1), BeforeValidator(_whole)]


async def read_history(request: web.Request) -> web.Response:
    """All changes after a revision, oldest first; `next` is the `since` of the next page."""
    query = query_of(request, HistoryQuery)
    revisions = await request.app[SURFACE].store.history.since(query.since)
    shown = revisions[: query.limit]
    following = shown[-1].revision if len(revisions) > len(shown) else None
    return web.json_response({"history": [each.view() for each in shown], "next": following})


async def read_environment_history(request: web.Request) -> web.Response:
    """The changes of one environment, newest first; of a deleted one by its id."""
    revisions = await request.app[SURFACE].store.revisions(request.match_info["ref"])
    return web.json_response({"history": [revision.view() for revision in revisions]})


async def revert_environment(request: web.Request) -> web.Response:
    """The state after a revision, as a new change; 204 when that state is: deleted."""
    try:
        wanted = Revert.model_validate(await json_body(request))
    except ValidationError as error:
        raise InvalidRecord("a revert names a revision", field_errors(error)) from None
    ref = request.match_info["ref"]
    return await written_one(
        request, lambda store: store.revert(ref, wanted.revision, by=author(request))
    )


async def confirm_edit(request: web.Request) -> web.Response:
    """Let a held hand edit through, or the records of a stale one."""

    def foreseen(ids: list[str], preview: Preview) -> dict[str, Any]:
        """What it would be about."""
        return {"confirmed": ids, "results": list(changed_records(preview))}

    return await written(
        request,
        lambda store: store.confirm(),
        lambda ids: Made({"confirmed": ids}, ids),
        foreseen,
    )
