"""What a change does to Traefik: one reload when it can be seen there, none when it cannot."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.asking import ask, eventually
from tests.e2e.parts import polling
from tests.e2e.records import put, record
from tests.e2e.stage import Stage, stage_in

pytestmark = [
    pytest.mark.traefik,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("e2e-changes"),
]


async def test_changes_that_traefik_cannot_see_reload_nothing_and_one_that_it_can_reloads_once(
    stage: Stage,
) -> None:
    environment_id = await stage.expose("quiet")
    before = await stage.reloads()

    await stage.patch(environment_id, {"health": {"status": "degraded", "notes": "slow"}})
    await stage.patch(environment_id, {"owner": {"name": "Grace"}, "description": "Ours."})
    await stage.patch(environment_id, {"lifecycle": {"state": "maintenance"}})
    await stage.patch(environment_id, {"metadata": {"dns_zones": ["quiet.test"]}})
    stage.edit(lambda environments: environments[-1]["host"].update(notes="in the corner"))
    catalogue = json.loads((stage.data / "environments.json").read_text())
    put(stage.data / "environments.json", json.dumps(catalogue, indent=4).encode())
    await stage.move(environment_id, stage.upstreams.green)

    assert await stage.reloads() == before + 1
    assert (await stage.http("quiet.test")).upstream == "green"


async def test_changes_at_once_all_arrive(stage: Stage) -> None:
    slugs = [f"burst-{number}" for number in range(20)]
    ids = await asyncio.gather(*(stage.create(slug) for slug in slugs))
    green = stage.upstreams.green
    before = await stage.reloads()

    await asyncio.gather(*(stage.route(each, service_url=green) for each in ids))
    await stage.live(lambda document: json.dumps(document).count(green) >= len(ids))

    assert {(await stage.http(f"{slug}.test")).upstream for slug in slugs} == {"green"}
    assert await stage.reloads() - before < len(ids), "changes that wait share a reload"


async def test_an_environment_is_routed_in_its_life_and_at_no_other_time(stage: Stage) -> None:
    environment_id = await stage.create("life", state="planned")
    await stage.expose("beside-life")

    async def answers(upstream: str | None) -> None:
        assert (await stage.http("life.test")).upstream == upstream

    await answers(None)
    for state, upstream in (
        ("active", "blue"),
        ("maintenance", "blue"),
        ("retired", None),
        ("active", "blue"),
        ("planned", None),
    ):
        await stage.patch(environment_id, {"lifecycle": {"state": state}})
        await eventually(lambda expected=upstream: answers(expected))
    assert (await stage.http("beside-life.test")).upstream == "blue"


async def test_an_environment_that_loses_its_router_is_routed_no_more(stage: Stage) -> None:
    environment_id = await stage.expose("unrouted")

    await stage.patch(environment_id, {"metadata": {"router": None}})

    await stage.live(lambda document: environment_id not in document["http"].get("services", {}))
    assert (await stage.http("unrouted.test")).status == 404


async def test_a_moved_host_answers_under_its_new_name_only(stage: Stage) -> None:
    environment_id = await stage.expose("renamed")

    await stage.route(environment_id, hostnames=["other-name.test"])

    await stage.live(lambda document: "other-name.test" in json.dumps(document))
    assert (await stage.http("other-name.test")).upstream == "blue"
    assert (await stage.http("renamed.test")).status == 404


@pytest.mark.parametrize("by_hand", [False, True], ids=["by the API", "by hand"])
async def test_when_the_last_environment_goes_its_route_really_goes(
    tmp_path: Path, by_hand: bool
) -> None:
    # An empty document would be refused by Traefik, and the route would stay for ever.
    async with stage_in(tmp_path, records=(_last(),)) as alone:
        blue = {"service_url": alone.upstreams.blue, "middlewares": ["first@file"]}
        await alone.route("last", **blue, path_prefix="/app")
        await alone.move("env-last", alone.upstreams.green)
        assert (await alone.http("last.test", "/app/x")).path == "/first/x"

        if by_hand:
            alone.edit(lambda environments: environments.clear())
        else:
            assert (await alone.write("DELETE", "last"))[0] == 204

        await alone.live(lambda document: "services" not in document["http"])
        assert (await alone.http("last.test", "/app/x")).status == 404
        routers = await alone.traefik_api("/api/http/routers?per_page=1000000")
        assert [r for r in routers if r["provider"] == "http"] == []

        await alone.expose("next")
        assert (await alone.http("next.test")).upstream == "blue"


async def test_a_second_traefik_gets_the_same_changes(stage: Stage, tmp_path: Path) -> None:
    environment_id = await stage.expose("twice")
    async with polling(stage.api, tmp_path / "second", stage.upstreams) as proxy:
        for url, name in (stage.upstreams.green, "green"), (stage.upstreams.blue, "blue"):
            await stage.move(environment_id, url)
            await stage.live(lambda _: True, proxy)
            assert (await ask(proxy.web, "twice.test")).upstream == name
            assert (await stage.http("twice.test")).upstream == name
        proxy.process.kill()  # a held poll would delay its orderly end


async def test_a_traefik_that_waits_less_than_the_hold_gets_changes_too(
    stage: Stage, tmp_path: Path
) -> None:
    environment_id = await stage.expose("hasty")
    hasty = polling(stage.api, tmp_path / "hasty", stage.upstreams, pollTimeout="1s")
    async with hasty as proxy:
        for url in (stage.upstreams.green, stage.upstreams.blue, stage.upstreams.green):
            await stage.move(environment_id, url)
            await stage.live(lambda _: True, proxy)
        assert (await ask(proxy.web, "hasty.test")).upstream == "green"
        proxy.process.kill()


def _last() -> dict[str, Any]:
    return record("last", service_url="http://127.0.0.1:9")
