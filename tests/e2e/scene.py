"""A Traefik with two plain and two TLS entrypoints, a document and neighbours that change."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import yaml
from aiohttp import web

from provider.demo.traefik_process import TraefikProcess, file_provider, free_port, traefik
from provider.explain.values import Knowledge
from provider.observe.facts import RouterFact, TraefikFacts
from provider.render.compile import Rules
from provider.render.compiler import Compiler
from provider.render.document import Document, assemble
from registry.entries import Entry, RawRecord
from registry.schema import Environment
from registry.snapshot import Snapshot
from tests.e2e.asking import Answer, ask, eventually
from tests.e2e.echo import echoes
from tests.e2e.explain_cases import ECHOES, SECURE, Case, catalogue, neighbours, upstream_of
from tests.e2e.records import put


@dataclass
class Scene:
    """What is up: ports of the entrypoints by name, ports of the upstreams; `body` is polled."""

    proxy: TraefikProcess
    session: aiohttp.ClientSession
    folder: Path
    entrypoints: dict[str, int]
    upstreams: list[int]
    body: list[bytes]
    records: list[dict[str, Any]]
    generation: int = 0

    async def next(self, random: Random) -> Knowledge:
        """A new catalogue and new neighbours, once Traefik runs both; and what is known then."""
        self.generation += 1
        self.records = catalogue(random, self.upstreams)
        environments = [Environment.model_validate(each) for each in self.records]
        compiler = Compiler(Rules(tls_entrypoints=frozenset(SECURE)))
        document = assemble(compiler.compile_all(environments))
        others = neighbours(random, self.generation, self.upstreams[-1])
        self.body[0] = document.body
        put(self.folder / "dynamic.yml", yaml.safe_dump(others).encode())
        await eventually(lambda: self._runs(document))
        entries = tuple(Entry(RawRecord(each.slug, ""), each) for each in environments)
        facts = await self._facts(document.digest)
        return Knowledge(document, Snapshot(entries), frozenset(SECURE), (facts,))

    async def ask(self, case: Case) -> Answer:
        """The request, as it stands."""
        port = self.entrypoints[case.entrypoint]
        return await ask(port, case.host, case.target, tls=case.tls, sni="sni.test")

    def seen(self, answer: Answer) -> tuple[str | None, str | None]:
        """Who answered, as the upstream tells it; and of ours the path that it was asked for."""
        if answer.status == 404 and answer.upstream is None:
            return None, None
        assert answer.status == 200, answer
        path = str(answer.path)
        if answer.upstream == str(ECHOES + 1):
            return f"{path.split('/')[1].removeprefix('neighbour-')}@file", None
        for record in self.records:
            upstream, base = upstream_of(record, self.upstreams)
            own = base.rstrip("/")
            below = path == own or path.startswith((f"{own}/", f"{own}?"))
            if upstream == answer.upstream and below:
                return record["environment_id"], path
        raise AssertionError(answer)

    async def _runs(self, document: Document) -> None:
        assert await self._api(f"middlewares/routebook-{document.digest}@http")
        assert await self._api(f"middlewares/generation-{self.generation}@file")

    async def _facts(self, digest: str) -> TraefikFacts:
        items = await self._api("routers?per_page=1000000")
        others = tuple(_fact(item) for item in items if item["provider"] != "http")
        return TraefikFacts(
            "http://traefik.test", problem=None, live_digest=digest, neighbours=others
        )

    async def _api(self, path: str) -> Any:
        url = f"http://127.0.0.1:{self.proxy.api}/api/http/{path}"
        async with self.session.get(url) as response:
            return await response.json() if response.status == 200 else None


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
    """Everything up, on free ports; nothing is routed yet."""
    body = [assemble([]).body]
    files = file_provider(
        folder, {"http": {"middlewares": {"none": {"addPrefix": {"prefix": "/"}}}}}
    )
    more: dict[str, int] = {}

    def change(static: dict[str, Any]) -> None:
        files(static)
        static["providers"]["http"]["pollInterval"] = "20ms"
        static["providers"]["providersThrottleDuration"] = "1ms"
        more.update(web2=free_port(), secure2=free_port())
        for name, port in more.items():
            static["entryPoints"][name] = {"address": f"127.0.0.1:{port}"}

    async with (
        echoes(ECHOES + 2) as upstreams,
        _polled(body) as endpoint,
        aiohttp.ClientSession() as session,
        traefik(endpoint, folder, change=change) as proxy,
    ):
        listening = {"web": proxy.web, "websecure": proxy.websecure, **more}
        yield Scene(proxy, session, folder, listening, upstreams, body, [])


@asynccontextmanager
async def _polled(body: list[bytes]) -> AsyncIterator[str]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body[0])

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()
