"""A write, and with `dry_run=true` the same write only rehearsed: what it would change."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple, TypeVar

from aiohttp import web
from pydantic import ConfigDict

from provider.api.problems import members_of
from provider.api.published_routes import RouteView, route_view
from provider.api.requests import WriteQuery, has_left, query_of
from provider.api.surface import SURFACE
from provider.api.views import EnvironmentView, ProblemView, View
from provider.preview import Difference
from provider.render.conflicts import Conflict
from provider.render.routes import PublishedRoute
from provider.routing.values import NO_TRAEFIK, Routing
from registry.errors import RouteConflict
from registry.revisions import changes_between, differences
from registry.snapshot import Snapshot
from registry.store import EnvironmentStore
from registry.writer import Preview

Outcome = TypeVar("Outcome")
_SHOWN_MAX = 100
_ALL_SERVED = {"reason": "live", "message": "every known Traefik serves them"}
_NOTHING_TO_SERVE = {"reason": "claims_nothing", "message": "none of them claims a route"}


class ConflictView(View):
    """A claim that `loser` makes and `holder` keeps; both are environment ids."""

    host: str
    path_prefix: str
    entrypoint: str
    loser: str
    holder: str
    message: str


class ChangedView(View):
    """One record that would change, and how."""

    action: Literal["created", "changed", "removed"]
    environment_id: str
    slug: str
    changes: list[dict[str, Any]]


class RefusedView(ProblemView):
    """The problem that the write would get."""

    model_config = ConfigDict(extra="allow")


class DifferenceView(View):
    """What a write would change in what Traefik gets; empty lists where Traefik sees nothing."""

    document_diff: list[dict[str, Any]]
    routes_won: list[RouteView]
    routes_lost: list[RouteView]
    conflicts: list[ConflictView]
    refused: RefusedView | None


class DryRunView(DifferenceView):
    """What a write of one environment would lead to; `environment` is null when it would go."""

    environment: EnvironmentView | None
    changes: list[dict[str, Any]]


class DryConfirmView(DifferenceView):
    """What a confirmation would let through; `results` are the records that would change."""

    confirmed: list[str]
    results: list[ChangedView]


class Made(NamedTuple):
    """The answer to a write: a value (none with 204), and of which environments it speaks."""

    value: dict[str, Any] | None
    ids: Sequence[str]
    status: int = 200
    headers: Mapping[str, str] = {}


async def written(
    request: web.Request,
    write: Callable[[EnvironmentStore], Awaitable[Outcome]],
    answer: Callable[[Outcome], Made],
    foreseen: Callable[[Outcome, Preview], dict[str, Any]],
    *,
    dry_run: bool = False,
    show: Callable[[Made, Mapping[str, Routing]], Made] | None = None,
) -> web.Response:
    """Do it, wait when that is asked for, and give its answer; a dry run only says what it would
    do.

    `foreseen` is what a dry run shows of the outcome, beside the differences; `show` adds to an
    answer what came of the waiting. Raises as `write`.
    """
    surface, query = request.app[SURFACE], query_of(request, WriteQuery)
    if not (dry_run or query.dry_run):
        made = answer(await write(surface.store))
        if query.wait is not None:
            board = surface.routing
            routings = await board.settled(made.ids, query.wait, partial(has_left, request))
            made = show(made, routings) if show else with_routings(made, routings, board.is_blind)
        return _response(made)
    store, rehearsal = surface.store.rehearsed()
    outcome = await write(store)
    found = await surface.previewer.difference(rehearsal.preview)
    view = difference_view(found, rehearsal.preview, rehearsal.conflict)
    shown = {**foreseen(outcome, rehearsal.preview), **view}
    # Of a large batch it is long, and the loop has others to answer.
    text = await asyncio.to_thread(json.dumps, shown)
    return web.json_response(text=text)


def with_routing(made: Made, found: Mapping[str, Routing]) -> Made:
    """The answer about one environment, with its routing; without a body, in a header."""
    routing = found[made.ids[0]]
    if made.value is None:
        gone = str(routing.claims_nothing).lower()
        return made._replace(headers={**made.headers, "Routebook-Withdrawn": gone})
    return made._replace(value={**made.value, "routing": routing.outcome()})


def with_routings(made: Made, found: Mapping[str, Routing], is_blind: bool) -> Made:
    """The answer about several: whether all that are to be served are, and which are not.

    `is_blind` says that no Traefik is known: then nothing is live.
    """
    waiting = {
        environment_id: routing.outcome()
        for environment_id, routing in found.items()
        if routing.live.status != "True" and not routing.claims_nothing
    }
    shown = [{"environment_id": key, **waiting[key]} for key in list(waiting)[:_SHOWN_MAX]]
    served = any(not routing.claims_nothing for routing in found.values())
    first = shown[0] if shown else _ALL_SERVED if served else _NOTHING_TO_SERVE
    if is_blind:
        first = {"reason": NO_TRAEFIK.reason, "message": NO_TRAEFIK.message}
    routing = {
        "live": not waiting and not is_blind,
        "reason": first["reason"],
        "message": first["message"],
        "not_live": shown,
    }
    return made._replace(value={**(made.value or {}), "routing": routing})


def _response(made: Made) -> web.Response:
    if made.value is None:
        return web.Response(status=made.status, headers=made.headers)
    return web.json_response(made.value, status=made.status, headers=made.headers)


def difference_view(
    found: Difference, preview: Preview, refused: RouteConflict | None
) -> dict[str, Any]:
    """What a write would change, as JSON."""
    return {
        "document_diff": list(found.document),
        "routes_won": _routes(found.won, preview.after),
        "routes_lost": _routes(found.lost, preview.before),
        "conflicts": [_conflict(each) for each in found.conflicts],
        "refused": members_of(refused) if refused else None,
    }


def changed_records(preview: Preview) -> Iterator[dict[str, Any]]:
    """Each record that would change: what is done to it, and its changes by pointer."""
    known = {each.environment_id: each for each in preview.before.environments}
    for environment_id, old, new in differences(known, preview.after.environments):
        yield {
            "action": "created" if old is None else "removed" if new is None else "changed",
            "environment_id": environment_id,
            "slug": (new or old or {})["slug"],
            "changes": list(changes_between(old or {}, new or {})),
        }


def _routes(routes: Sequence[PublishedRoute], snapshot: Snapshot) -> list[dict[str, Any]]:
    return [
        route_view(route, entry.environment)
        for route in routes
        if (entry := snapshot.by_id[route.fragment.environment_id]) and entry.environment
    ]


def _conflict(conflict: Conflict) -> dict[str, Any]:
    return {
        "host": conflict.claim.host,
        "path_prefix": conflict.claim.path,
        "entrypoint": conflict.claim.entrypoint,
        "loser": conflict.loser,
        "holder": conflict.holder,
        "message": conflict.message,
    }
