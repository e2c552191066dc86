"""Whole documents: Traefik takes every one of them, and disables nothing."""

from __future__ import annotations

from contextlib import AsyncExitStack
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from provider.daemon import running
from provider.demo.sample import HOST, copy_sample
from provider.demo.traefik_process import file_provider, traefik
from provider.settings import read_settings
from tests.e2e.asking import ask
from tests.e2e.parts import all_upstreams
from tests.e2e.records import record
from tests.e2e.stage import Stage, stage_in

pytestmark = [pytest.mark.traefik, pytest.mark.xdist_group("e2e-documents")]


async def test_traefik_disables_nothing_of_the_sample_catalogue(tmp_path: Path) -> None:
    team_auth = {"headers": {"customRequestHeaders": {"X-Team-Auth": "sample"}}}
    async with AsyncExitStack() as stack:
        upstreams = await stack.enter_async_context(all_upstreams(tmp_path))
        blue, green = (int(urlsplit(u).port or 0) for u in (upstreams.blue, upstreams.green))
        data, projects = copy_sample(tmp_path, (blue, green))
        flags = ["--listen=127.0.0.1:0", f"--data={data}", f"--projects={projects}"]
        daemon = await stack.enter_async_context(AsyncExitStack())
        port = await daemon.enter_async_context(running(read_settings(flags)))
        folder = tmp_path / "traefik"
        change = file_provider(folder, {"http": {"middlewares": {"team-auth": team_auth}}})
        api = f"http://127.0.0.1:{port}"
        proxy = await stack.enter_async_context(
            traefik(f"{api}/traefik/config", folder, change=change)
        )
        stack.push_async_callback(daemon.aclose)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        stage = Stage(data, api, proxy, upstreams, session)

        await stage.live(lambda document: document["http"]["routers"])

        await _all_enabled(stage)
        assert (await stage.https(HOST)).upstream == "blue"
        assert (await stage.https(HOST, "/reports/x")).path == "/api/x"
        for state in ("planned", "active", "retired", "maintenance"):
            await stage.patch("storefront-preview", {"lifecycle": {"state": state}})
            routed = state in ("active", "maintenance")
            await stage.live(
                lambda d, r=routed: ("env-storefront-preview" in d["http"]["services"]) == r
            )
            await _all_enabled(stage)


@pytest.mark.parametrize(
    ("name", "coding"), [("Go-http-client/1.1", None), ("one that is given gzip", "gzip")]
)
async def test_every_combination_of_what_a_router_may_say_is_enabled_and_answers(
    tmp_path: Path, name: str, coding: str | None
) -> None:
    def alter(static: dict[str, Any]) -> None:
        static["providers"]["http"]["headers"] = {"User-Agent": name}

    async with stage_in(tmp_path, alter=alter) as stage:
        records = [
            _combined(f"mix-{number}", stage, *choice)
            for number, choice in enumerate(
                product(
                    (["web"], ["websecure"], ["web", "websecure"]),
                    ("{}.test", "*.{}.test"),
                    (None, "/p/q"),
                    (None, False),
                    ("", "/base"),
                    (None, False),
                )
            )
        ]

        stage.edit(lambda environments: environments.extend(records))

        headers = {"User-Agent": name, "Accept-Encoding": "gzip"}
        url = f"{stage.api}/traefik/config?hold=0"
        async with stage.session.get(url, headers=headers, auto_decompress=False) as response:
            assert response.headers.get("Content-Encoding") == coding
        await stage.live(lambda document: len(document["http"].get("services", {})) == len(records))
        await _all_enabled(stage)
        for each in records:
            await _answers(stage, each["slug"], each["metadata"]["router"])


def _combined(
    slug: str,
    stage: Stage,
    entrypoints: list[str],
    host: str,
    path: str | None,
    strip: bool | None,
    base: str,
    pass_host: bool | None,
) -> dict[str, Any]:
    return record(
        slug,
        entrypoints=entrypoints,
        hostnames=[host.format(slug)],
        path_prefix=path,
        strip_prefix=strip,
        service_url=stage.upstreams.blue + base,
        pass_host_header=pass_host,
    )


async def _answers(stage: Stage, slug: str, router: dict[str, Any]) -> None:
    """Right through each of its entrypoints: the path and the host that the upstream sees."""
    host = router["hostnames"][0].replace("*", "any")
    prefix = router["path_prefix"] or ""
    kept = prefix if router["strip_prefix"] is False else ""
    base = urlsplit(router["service_url"])
    for entrypoint in router["entrypoints"]:
        tls = entrypoint == "websecure"
        port = stage.proxy.websecure if tls else stage.proxy.web
        answer = await ask(port, host, f"{prefix}/x", tls=tls)
        assert answer.path == f"{base.path}{kept}/x", slug
        own = base.netloc if router["pass_host_header"] is False else host
        assert answer.seen["host"] == own, slug


async def _all_enabled(stage: Stage) -> None:
    document = (await stage.document())["http"]
    for kind, wanted in document.items():
        found = await stage.traefik_api(f"/api/http/{kind}?per_page=1000000")
        ours = {each["name"]: each for each in found if each["provider"] == "http"}
        assert set(ours) == {f"{name}@http" for name in wanted}
        assert {each["status"] for each in ours.values()} == {"enabled"}, ours
    log = (stage.proxy.folder / "traefik.log").read_text()
    assert [line for line in log.splitlines() if " ERR " in line] == []
