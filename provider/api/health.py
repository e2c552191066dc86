"""`/api/health`, `/healthz`, `/readyz`: how the daemon and the catalogue are."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from provider.api.door import caller
from provider.api.health_problems import problems_of
from provider.api.routing import traefik_summary
from provider.api.surface import SURFACE, Surface
from provider.auth.access import Access, may
from provider.followups.tasks import counts
from provider.metrics import environment_metrics
from provider.pollers import Poller
from registry.errors import NotReady
from registry.fields import instant_text
from registry.snapshot import Snapshot
from registry.store import utc_now


async def health(request: web.Request) -> web.Response:
    """The counts, and each problem with its place; to a stranger, once there are accounts, the
    status alone."""
    surface = request.app[SURFACE]
    problems = list(problems_of(surface))
    status = "ok" if not problems else "degraded"
    if surface.current.publication is None:
        status = "not_ready"
    if not may(caller(request), Access.VIEWER):
        return web.json_response({"status": status})
    metrics = {
        "environments": _environments(surface),
        "router": await _router(surface),
        "human_tasks": counts(surface.ledger.tasks),
    }
    return web.json_response({"status": status, "metrics": metrics, "problems": problems})


async def healthz(_request: web.Request) -> web.Response:
    """The process answers."""
    return web.json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    """A document is published, so a Traefik that starts now gets its routes."""
    if request.app[SURFACE].current.publication is None:
        raise NotReady("nothing was published yet: see the log for why")
    return web.json_response({"status": "ok"})


def _environments(surface: Surface) -> dict[str, Any]:
    snapshot = surface.store.snapshot or Snapshot()
    return environment_metrics(
        snapshot,
        surface.reconciler.document,
        surface.reconciler.own_certificates.values(),
        utc_now(),
        surface.stale_health_s,
        surface.surveyor.planned_without_dns,
        surface.health.checked_at,
    )


async def _router(surface: Surface) -> dict[str, Any]:
    publication, document = surface.current.publication, surface.reconciler.document
    published_at = surface.reconciler.published_at
    return {
        "digest": publication.digest if publication else None,
        "published_at": instant_text(published_at) if published_at else None,
        "routers": document.routers if document else None,
        "document_bytes": publication.size_bytes if publication else None,
        "polls": surface.polls.answered,
        "polls_held": surface.polls.held,
        "live": await surface.routing.live_counts(),
        "traefiks": [traefik_summary(each) for each in surface.facts],
        "pollers": [_poller(each) for each in surface.polls.pollers()],
    }


def _poller(poller: Poller) -> dict[str, Any]:
    return {
        "instance": poller.instance,
        "remote": poller.remote,
        "user_agent": poller.user_agent,
        "since": instant_text(poller.first_at),
        "last_poll_at": instant_text(poller.last_at),
        "polls": poller.polls,
        "digest": poller.digest,
        "held": poller.is_held,
        "gone_at": instant_text(poller.gone_at) if poller.gone_at else None,
    }
