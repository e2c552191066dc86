"""`/traefik/config`: the document that Traefik polls, ready-made bytes, held while unchanged."""

from __future__ import annotations

from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from provider.api.repeats import PollAnswer, departure_of
from provider.api.requests import JSON_TYPE, query_of
from provider.api.surface import SURFACE
from provider.auth.open_mode import forwarded_by, is_local
from provider.publication import Publication
from registry.errors import NotReady

_TRAEFIK = "Go-http-client/"


class ConfigQuery(BaseModel):
    """`hold=0` is never held."""

    model_config = ConfigDict(extra="forbid")

    hold: Annotated[Literal["0", "1"], Field(description="0: answer at once, never wait")] = "1"
    instance: Annotated[
        str, Field(max_length=100, description="a name for this Traefik, as `/api/health` shows it")
    ] = ""


async def traefik_config(request: web.Request) -> web.Response:
    """Always 200 with the last good document; 503 only when there never was one.

    No `ETag` and no 304: Traefik takes every status but 200 for a failure.
    """
    surface, query = request.app[SURFACE], query_of(request, ConfigQuery)
    publication = await surface.polls.next_document(
        request.task if request.method == "GET" else None,  # HEAD is given no document
        request.remote or "unknown",
        departure_of(request),
        hold=query.hold == "1",
        user_agent=request.headers.get("User-Agent", ""),
        instance=query.instance,
    )
    if publication is None:
        raise NotReady("there is no document yet; Traefik keeps what it has")
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Encoding"}
    if wants_plain(request, publication):
        body = publication.body
    else:
        headers["Content-Encoding"], body = "gzip", publication.gzipped
    if query.hold == "1":
        return web.Response(body=body, content_type=JSON_TYPE, headers=headers)
    return PollAnswer(request, publication, body, content_type=JSON_TYPE, headers=headers)


def wants_plain(request: web.Request, publication: Publication) -> bool:
    """By whom takes no gzip; and by a Traefik on this machine, whom unpacking costs the most."""
    if not _takes_gzip(request.headers.get("Accept-Encoding", "")):
        return True
    return (
        request.headers.get("User-Agent", "").startswith(_TRAEFIK)
        and publication.has_body
        and is_local(request.remote or "")
        and forwarded_by(request.headers) is None
    )


def _takes_gzip(accepted: str) -> bool:
    for item in accepted.split(","):
        coding, _, quality = item.replace(" ", "").partition(";q=")
        if coding.lower() in ("gzip", "*"):
            return quality not in ("0", "0.0", "0.00", "0.000")
    return False
