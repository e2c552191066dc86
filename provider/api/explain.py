"""`/api/routes/explain`: who answers a URL, why the others do not, and what Traefik says to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from provider.api.door import caller
from provider.api.requests import query_of
from provider.api.surface import SURFACE, Surface
from provider.auth.access import Access, may
from provider.explain.explaining import explain
from provider.explain.target import Target, target_of
from provider.explain.values import Answer, Explanation, Knowledge
from provider.explain.verdict import compare
from provider.explain.views import explanation_view
from provider.observe.facts import TraefikFacts
from provider.observe.probe import Door, Probed, probe
from registry.errors import Forbidden, NotReady

PROBES_MAX = 20
PROBES_AT_ONCE = 4
_UNASKED = {"traefik": None, "entrypoint": None, "status": None, "error": None, "location": None,
         "certificate": None, "agrees": None}  # fmt: skip


class ExplainQuery(BaseModel):
    """Which URL, and whether to ask Traefik."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[
        str,
        Field(
            description="http or https, with a host; percent-encoded, as every query value",
            examples=["https://app.test/path"],
            # Told to clients, not checked here: target_of has better words.
            json_schema_extra={"pattern": "^[hH][tT][tT][pP][sS]?://[^/?#@]"},
        ),
    ]
    entrypoint: Annotated[str | None, Field(description="this one alone")] = None
    probe: Annotated[bool, Field(description="send it through Traefik; operators only")] = False


async def explain_route(request: web.Request) -> web.Response:
    """Who answers a URL, and why."""
    surface, query = request.app[SURFACE], query_of(request, ExplainQuery)
    if query.probe and not may(caller(request), Access.OPERATOR):
        raise Forbidden("a probe sends a request: it takes operator")
    target = target_of(query.url)
    knowledge = _knowledge(surface)
    explanation, view = await asyncio.to_thread(_explained, target, query.entrypoint, knowledge)
    if query.probe:
        view["probe"] = await _probes(target, query.entrypoint, explanation, knowledge)
    body = await asyncio.to_thread(_encoded, view)
    return web.Response(body=body, content_type="application/json")


def _encoded(view: dict[str, Any]) -> bytes:
    # In small steps: `dumps` of ten thousand candidates would keep the loop waiting at one go.
    return "".join(json.JSONEncoder().iterencode(view)).encode()


def _knowledge(surface: Surface) -> Knowledge:
    document, snapshot = surface.reconciler.document, surface.store.snapshot
    if document is None or snapshot is None:
        raise NotReady("nothing was rendered since the start: /api/health says why")
    return Knowledge(document, snapshot, surface.tls_entrypoints, surface.facts)


def _explained(
    target: Target, entrypoint: str | None, knowledge: Knowledge
) -> tuple[Explanation, dict[str, Any]]:
    explanation = explain(target, entrypoint, knowledge)
    return explanation, explanation_view(target, explanation, knowledge)


async def _probes(
    target: Target, entrypoint: str | None, explanation: Explanation, knowledge: Knowledge
) -> list[dict[str, Any]]:
    if not knowledge.traefiks:
        return [{**_UNASKED, "note": "no Traefik is known: TRAEFIK_API names one"}]
    turns = asyncio.Semaphore(PROBES_AT_ONCE)
    answers = {answer.entrypoint: answer for answer in explanation.answers}

    async def one(facts: TraefikFacts, name: str) -> dict[str, Any]:
        async with turns:
            return await _probed(facts, name, answers.get(name), target)

    asked = list(_asked(entrypoint, list(answers), target, knowledge))[:PROBES_MAX]
    return list(await asyncio.gather(*(one(facts, name) for facts, name in asked)))


def _asked(
    entrypoint: str | None, answered: list[str], target: Target, knowledge: Knowledge
) -> Iterator[tuple[TraefikFacts, str]]:
    """Each Traefik with the entrypoints where something fits; where nothing does, with all that
    the URL may mean."""
    for facts in knowledge.traefiks:
        if entrypoint is not None:
            yield facts, entrypoint
            continue
        known = [
            each.name
            for each in facts.entrypoints
            if (each.name in knowledge.tls_entrypoints) is target.tls and each.name != "traefik"
        ]
        for name in answered or known:
            yield facts, name


async def _probed(
    facts: TraefikFacts, name: str, answer: Answer | None, target: Target
) -> dict[str, Any]:
    start = {**_UNASKED, "traefik": facts.url, "entrypoint": name}
    port = next((each.port for each in facts.entrypoints if each.name == name), None)
    if port is None:
        known = ", ".join(each.name for each in facts.entrypoints) or "none"
        return {**start, "note": f"no port of such an entrypoint is known; known: {known}"}
    host = urlsplit(facts.url).hostname or ""
    came = await probe(Door(host, port, target.tls), target.host, target.host_header, target.raw)
    verdict = compare(answer, came)
    return {**start, **_came(came), "agrees": verdict.agrees, "note": verdict.note}


def _came(came: Probed) -> dict[str, Any]:
    shown = came.certificate
    certificate = shown and {
        "subject": shown.subject,
        "names": list(shown.names),
        "fingerprint": shown.fingerprint,
    }
    return {
        "status": came.status,
        "error": came.error,
        "location": came.location,
        "certificate": certificate,
    }
