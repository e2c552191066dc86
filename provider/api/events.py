"""`/api/events`: what happens, as server-sent events, for as long as the caller may read."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

from aiohttp import web
from aiohttp_sse import EventSourceResponse
from pydantic import BaseModel, ConfigDict, Field

from provider.api.requests import has_left, query_of
from provider.api.surface import SURFACE
from provider.auth.access import Access
from provider.events import Event, Subscription
from registry.errors import RegistryError, SlowDown
from registry.event_stream import KINDS, MEDIA_TYPE
from registry.snapshot import Snapshot

STREAMS_MAX = 100
PING_S = 15.0
_LOOK_S = 1.0
_SEND_S = 30.0
_RETRY_S = 10
_ONE_KIND = f"(?:{'|'.join(KINDS)})"
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class EventsQuery(BaseModel):
    """The filters of the stream; `reset` passes each of them."""

    model_config = ConfigDict(extra="forbid")

    environment: Annotated[
        str | None, Field(description="an `environment_id` or a slug, also of one to come")
    ] = None
    kind: Annotated[
        str | None,
        Field(
            pattern=rf"^{_ONE_KIND}(?:,{_ONE_KIND})*$",
            description=f"these kinds alone, with commas: {', '.join(KINDS)}",
        ),
    ] = None


async def stream_events(request: web.Request) -> web.StreamResponse:
    """Live events, server-sent; a reconnect gets `reset` first."""
    surface, query = request.app[SURFACE], query_of(request, EventsQuery)
    if request.method == "HEAD":
        return web.Response(content_type=MEDIA_TYPE, headers=_HEADERS)
    if surface.events.subscribers >= STREAMS_MAX:
        raise SlowDown(f"{STREAMS_MAX} streams are open, the most", retry_after_s=_RETRY_S)
    wanted = Wanted(query, surface.store.snapshot or Snapshot())
    response = EventSourceResponse(ping_interval=PING_S, send_timeout=_SEND_S)
    response.headers.update(_HEADERS)
    # A client that leaves, or does not read for half a minute, is no failure of ours.
    with (
        surface.events.subscribe(wanted) as subscription,
        contextlib.suppress(ConnectionError, TimeoutError),
    ):
        if has_left(request):
            return response
        await response.prepare(request)
        async with response:
            if "Last-Event-ID" in request.headers:
                await _send(response, surface.events.reset("the connection is a new one"))
            async for event in _while_allowed(request, subscription):
                await _send(response, event)
    return response


class Wanted:
    """Whether a caller asked for an event.

    An environment is asked for by id or slug. Events that have the id alone are matched by the
    ids that are known for it: what is in force now, and what later events teach.
    """

    def __init__(self, query: EventsQuery, snapshot: Snapshot) -> None:
        self._kinds = frozenset(query.kind.split(",")) if query.kind else frozenset(KINDS)
        self._ref = query.environment
        self._names = {query.environment}
        entry = snapshot.by_slug.get(query.environment or "")
        if entry is not None and entry.environment is not None:
            self._names.add(entry.environment.environment_id)

    def __call__(self, event: Event) -> bool:
        """Whether it is to be sent."""
        if event.kind == "reset":
            return True
        is_ours = self._ref is None or self._is_about_it(event)
        return is_ours and event.kind in self._kinds

    def _is_about_it(self, event: Event) -> bool:
        data = event.data
        if data.get("slug") == self._ref:
            self._names.add(data.get("environment"))
        if "environments" in data:
            several = data["environments"]
            return several is None or not self._names.isdisjoint(several)
        return data.get("environment") in self._names or data.get("holder") in self._names


async def _while_allowed(request: web.Request, subscription: Subscription) -> AsyncIterator[Event]:
    """The events. It ends when the daemon stops, and within a second of the caller's leave."""
    while not subscription.is_closed:
        event = await subscription.next(_LOOK_S)
        if has_left(request) or not _may_read(request):
            return
        if event is not None:
            yield event


def _may_read(request: web.Request) -> bool:
    try:
        request.app[SURFACE].door.admit(request, Access.VIEWER)
    except RegistryError:
        return False
    return True


async def _send(response: EventSourceResponse, event: Event) -> None:
    await response.send(event.text, id=event.id, event=event.kind)
