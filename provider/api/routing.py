"""`/api/environments/{ref}/routing` and `/api/traefiks`: what is really served, and by whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from aiohttp import web

from provider.api.listing import known_snapshot
from provider.api.published_routes import RouteView, route_view
from provider.api.surface import SURFACE, Surface
from provider.api.views import ConditionView, LiveOnView, View
from provider.neighbours.index import Neighbour
from provider.observe.facts import EntryPoint, RouterFact, TraefikFacts
from provider.render.routes import routes_of_fragment
from registry.fields import instant_text


class ConditionsView(View):
    """The four conditions. `Live` is over all known Traefiks."""

    Valid: ConditionView
    Accepted: ConditionView
    Published: ConditionView
    Live: ConditionView


class NeighbourView(View):
    """A router of another provider that meets a route: how much of it, and who goes first."""

    traefik: str
    router: str
    rule: str
    priority: int
    catches: str
    winner: str
    redirect: bool
    message: str


class RoutingView(View):
    """The routing of one environment. `fragment` is what the document has of it."""

    environment_id: str | None
    slug: str | None
    digest: str | None
    conditions: ConditionsView
    traefiks: list[LiveOnView]
    routes: list[RouteView]
    neighbours: list[NeighbourView]
    fragment: dict[str, Any] | None


async def read_routing(request: web.Request) -> web.Response:
    """Whether an environment is valid, accepted, published and live, with the reasons."""
    surface = request.app[SURFACE]
    entry = known_snapshot(surface.store).entry(request.match_info["ref"])
    environment, document = entry.environment, surface.reconciler.document
    routing = surface.routing.routing_of(entry)
    of = environment.environment_id if environment else ""
    share = document.share(of) if document else None
    fragment = document.fragment(of) if document else None
    return web.json_response(
        {
            "environment_id": environment.environment_id if environment else None,
            "slug": environment.slug if environment else None,
            "digest": document.digest if document else None,
            "conditions": {name: each.view() for name, each in routing.conditions.items()},
            "traefiks": [each.view() for each in routing.traefiks],
            "routes": [
                route_view(route, environment)
                for route in (routes_of_fragment(document, fragment) if fragment else ())
            ]
            if environment and document
            else [],
            "neighbours": [_neighbour(*each) for each in surface.routing.neighbours_of(of)],
            "fragment": share.document() if share else None,
        }
    )


async def list_traefiks(request: web.Request) -> web.Response:
    """What was last seen of each known Traefik."""
    return web.json_response({"traefiks": list(traefik_views(request.app[SURFACE]))})


def traefik_views(surface: Surface) -> Iterable[dict[str, Any]]:
    """Each known Traefik as JSON."""
    refused = surface.routing.refused_by
    for facts in surface.facts:
        yield {
            **traefik_summary(facts),
            "refused_since": instant_text(refused[facts.url]) if facts.url in refused else None,
            "entrypoints": [_entrypoint(each) for each in facts.entrypoints],
            "routers_at_fault": [_router(each) for each in facts.faults],
            "services_at_fault": [asdict(each) for each in facts.services],
            "neighbours": [_router(each) for each in facts.neighbours],
            "certificates": [
                {
                    "fingerprint": each.fingerprint,
                    "names": list(each.names),
                    "not_after": instant_text(each.not_after) if each.not_after else None,
                    "status": each.status,
                }
                for each in facts.certificates
            ],
            "surveyed_at": instant_text(facts.surveyed_at) if facts.surveyed_at else None,
            "survey_problem": facts.survey_problem,
        }


def traefik_summary(facts: TraefikFacts) -> dict[str, Any]:
    """A Traefik in a few words."""
    return {
        "traefik": facts.url,
        "reached": facts.reached,
        "problem": facts.problem,
        "version": facts.version,
        "started_at": facts.started_at,
        "live_digest": facts.live_digest,
        "looked_at": instant_text(facts.looked_at) if facts.looked_at else None,
    }


def _entrypoint(entrypoint: EntryPoint) -> dict[str, Any]:
    return {**asdict(entrypoint), "middlewares": list(entrypoint.middlewares)}


def _router(router: RouterFact) -> dict[str, Any]:
    return {
        "router": router.name,
        "rule": router.rule,
        "priority": router.priority,
        "status": router.status,
        "entrypoints": list(router.entrypoints),
        "tls": router.tls,
        "errors": list(router.errors),
    }


def _neighbour(url: str, neighbour: Neighbour) -> dict[str, Any]:
    router = neighbour.router
    return {
        "traefik": url,
        "router": router.name,
        "rule": router.rule,
        "priority": router.priority,
        "catches": neighbour.how,
        "winner": neighbour.winner,
        "redirect": neighbour.redirect,
        "message": neighbour.message,
    }
