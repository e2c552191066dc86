"""What is foretold for a URL, against what the real Traefik does, over generated catalogues."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web

from provider.demo.traefik_process import TraefikProcess, file_provider, free_port, traefik
from provider.explain.explaining import explain
from provider.explain.target import target_of
from provider.explain.values import Answer as Answered
from provider.explain.values import Contender, Knowledge
from provider.explain.verdict import compare
from provider.explain.views import explanation_view
from provider.observe.facts import RouterFact, TraefikFacts
from provider.observe.probe import Door, probe
from provider.render.compile import Rules
from provider.render.compiler import Compiler
from provider.render.document import Document, assemble
from registry.errors import InvalidRecord
from registry.schema import Environment
from registry.snapshot import Entry, RawRecord, Snapshot
from tests.e2e.asking import Answer, ask, eventually
from tests.e2e.echo import echoes
from tests.e2e.explain_cases import (
    ECHOES,
    PLAIN,
    SECURE,
    Case,
    case,
    catalogue,
    neighbours,
    upstream_of,
)
from tests.e2e.records import put

pytestmark = [pytest.mark.traefik, pytest.mark.xdist_group("e2e-explain")]

SEED = 20261124
CATALOGUES, URLS, CERTAIN_MIN = 14, 220, 2000
_AT_ONCE = 16


@dataclass
class Scene:
    """A Traefik with four entrypoints, and what it is to serve; `body` is polled."""

    proxy: TraefikProcess
    session: aiohttp.ClientSession
    folder: Path
    entrypoints: dict[str, int]
    ports: list[int]
    body: list[bytes]

    async def api(self, path: str) -> Any:
        """What Traefik's API says; None for what it does not have."""
        url = f"http://127.0.0.1:{self.proxy.api}/api/http/{path}"
        async with self.session.get(url) as response:
            return await response.json() if response.status == 200 else None

    async def show(self, document: Document, others: dict[str, Any], generation: int) -> None:
        """Serve these, and wait until Traefik runs both."""
        self.body[0] = document.body
        put(self.folder / "dynamic.yml", yaml.safe_dump(others).encode())
        ours, theirs = f"routebook-{document.digest}@http", f"generation-{generation}@file"

        async def both() -> None:
            assert await self.api(f"middlewares/{ours}")
            assert await self.api(f"middlewares/{theirs}")

        await eventually(both)

    async def facts(self, digest: str) -> TraefikFacts:
        """The routers of other providers."""
        items = await self.api("routers?per_page=1000000")
        return TraefikFacts(
            url="http://traefik.test",
            problem=None,
            live_digest=digest,
            neighbours=tuple(_fact(item) for item in items if item["provider"] != "http"),
        )

    async def ask(self, case: Case) -> Answer:
        """The request, as it stands."""
        port = self.entrypoints[case.entrypoint]
        return await ask(port, case.host, case.target, tls=case.tls, sni="sni.test")


def _fact(item: dict[str, Any]) -> RouterFact:
    return RouterFact(
        name=item["name"],
        rule=item["rule"],
        priority=item["priority"],
        status=item["status"],
        entrypoints=tuple(item.get("using", ())),
        service=item["service"],
        tls="tls" in item,
    )


@asynccontextmanager
async def scene_in(folder: Path) -> AsyncIterator[Scene]:
    """Everything up, on free ports."""
    body = [assemble([]).body]

    async def polled(_: web.Request) -> web.Response:
        return web.Response(body=body[0])

    app = web.Application()
    app.router.add_get("/", polled)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    more = {"web2": free_port(), "secure2": free_port()}
    files = file_provider(folder, {"http": {"middlewares": {"none": _NO_CHANGE}}})

    def change(static: dict[str, Any]) -> None:
        files(static)
        static["providers"]["http"]["pollInterval"] = "20ms"
        static["providers"]["providersThrottleDuration"] = "1ms"
        for name, port in more.items():
            static["entryPoints"][name] = {"address": f"127.0.0.1:{port}"}

    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        async with (
            echoes(ECHOES + 2) as ports,
            aiohttp.ClientSession() as session,
            traefik(endpoint, folder, change=change) as proxy,
        ):
            listening = {"web": proxy.web, "websecure": proxy.websecure, **more}
            yield Scene(proxy, session, folder, listening, ports, body)
    finally:
        await runner.cleanup()


_NO_CHANGE = {"addPrefix": {"prefix": "/none"}}


def _known(records: Sequence[dict[str, Any]]) -> tuple[Document, Snapshot]:
    environments = [Environment.model_validate(each) for each in records]
    document = assemble(
        Compiler(Rules(tls_entrypoints=frozenset(SECURE))).compile_all(environments)
    )
    entries = (Entry(RawRecord(each.slug, ""), each) for each in environments)
    return document, Snapshot(tuple(entries))


def _seen(answer: Answer, records: Sequence[dict[str, Any]], ports: Sequence[int]) -> Any:
    """Who answered, as the upstream tells it, and the path that it saw."""
    if answer.status == 404 and answer.upstream is None:
        return None, None
    assert answer.status == 200, answer
    path = str(answer.path)
    if answer.upstream == str(ECHOES + 1):
        return f"{path.split('/')[1].removeprefix('neighbour-')}@file", None
    for each in records:
        upstream, base = upstream_of(each, ports)
        own = base.rstrip("/")
        if upstream == answer.upstream and (path == own or path.startswith((f"{own}/", f"{own}?"))):
            return each["environment_id"], path
    raise AssertionError(answer)


async def test_the_answer_agrees_with_the_real_traefik(tmp_path: Path) -> None:
    random = Random(SEED)
    certain, differing, answered = 0, [], {"ours": 0, "theirs": 0, "nobody": 0}
    async with scene_in(tmp_path) as scene:
        for generation in range(CATALOGUES):
            records = catalogue(random, scene.ports)
            document, snapshot = _known(records)
            others = neighbours(random, generation, scene.ports[ECHOES + 1])
            await scene.show(document, others, generation)
            facts = await scene.facts(document.digest)
            knowledge = Knowledge(document, snapshot, frozenset(SECURE), (facts,))
            cases = [case(random) for _ in range(URLS)]
            for one, answer in zip(cases, await _all_answers(scene, cases), strict=True):
                who, path = _seen(answer, records, scene.ports)
                told = _told(one, knowledge)
                certain += not told["unless"]
                answered["nobody" if not who else "theirs" if "@" in who else "ours"] += 1
                wrong = _difference(told, who, path, answer, one)
                if wrong:
                    differing.append(f"seed {SEED}, catalogue {generation}: {one}: {wrong}")
    assert not differing, "\n".join(differing[:10])
    assert certain >= CERTAIN_MIN
    assert min(answered.values()) > 200, answered


def _told(one: Case, knowledge: Knowledge) -> dict[str, Any]:
    target = target_of(one.url)
    explanation = explain(target, one.entrypoint, knowledge)
    view = explanation_view(target, explanation, knowledge)
    assert len(view["answers"]) <= 1
    unless = view["answers"][0]["unless"] if view["answers"] else []
    return {"answer": view["answer"], "unless": unless, "first": view["candidates"][:1]}


def _difference(
    told: dict[str, Any], who: str | None, path: str | None, answer: Answer, one: Case
) -> str | None:
    foretold = told["answer"] or {}
    if who in told["unless"]:
        return None
    name = foretold.get("environment") or foretold.get("router")
    if name != who:
        return f"{name} was foretold, {who} answered"
    if path is not None and foretold["upstream_path"] != path:
        return f"the upstream saw {path}, not {foretold['upstream_path']}"
    kept = one.host if foretold.get("host_header") == target_of(one.url).host_header else None
    if path is not None and answer.seen["host"] not in (kept, foretold["host_header"]):
        return f"the upstream saw the host {answer.seen['host']}"
    if name and told["first"][0]["reason"] not in ("answers", "neighbour"):
        return f"the first candidate is {told['first'][0]}"
    return None


async def _all_answers(scene: Scene, cases: Sequence[Case]) -> list[Answer]:
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(case: Case) -> Answer:
        async with turns:
            return await scene.ask(case)

    return await asyncio.gather(*map(one, cases))


async def test_a_probe_agrees_with_what_is_foretold_and_with_nothing_else(tmp_path: Path) -> None:
    random = Random(SEED)
    async with scene_in(tmp_path) as scene:
        records = catalogue(random, scene.ports)
        document, snapshot = _known(records)
        await scene.show(document, neighbours(random, 0, scene.ports[ECHOES + 1]), 0)
        facts = await scene.facts(document.digest)
        knowledge = Knowledge(document, snapshot, frozenset(SECURE), (facts,))
        told, contrary = [], []
        for one in (case(random) for _ in range(60)):
            target = target_of(one.url)
            door = Door("127.0.0.1", scene.entrypoints[one.entrypoint], one.tls)
            came = await probe(door, target.host, target.host_header, target.raw)
            answers = explain(target, one.entrypoint, knowledge).answers
            if answers and not answers[0].unless:
                told.append(compare(answers[0], came).agrees)
                contrary.append(compare(_contrary(answers[0], _some_router(document)), came).agrees)
    assert len(told) > 20
    assert set(told) == {True}
    assert set(contrary) == {False}


def _some_router(document: Document) -> Contender:
    fragment = document.fragments[0]
    return Contender(fragment, fragment.claims[0], 1)


def _contrary(answer: Answered, some: Contender) -> Answered:
    return replace(answer, winner=some if answer.winner is None else None)


@pytest.mark.parametrize("path", ["/a%", "/a%2", "/a%zz", "/%g0/x"])
async def test_what_traefik_answers_with_400_is_no_url_here(tmp_path: Path, path: str) -> None:
    with pytest.raises(InvalidRecord):
        target_of(f"http://a.test{path}")
    async with scene_in(tmp_path) as scene:
        answer = await scene.ask(Case("", "a.test", path, PLAIN[0], False))
    assert answer.status == 400
