"""Which environment answers a host: names, wildcards, and who wins when two could."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.asking import eventually, hammered
from tests.e2e.records import record
from tests.e2e.stage import Stage

pytestmark = [
    pytest.mark.traefik,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("e2e-hosts"),
]

INJECTIONS = [
    "x`) || PathPrefix(`/",
    'x") || PathPrefix("/',
    r"x\") || PathPrefix(\"/",
    "x.test:8080",
    "http://x.test",
    " x.test",
    "*",
    "*.",
    "a*.test",
    "*.*.test",
    "{name:.+}.test",
    "^.+$",
    "x\u2551y.test",
]
WITH_NEWLINE = ["x\n.test", "x.test\n"]
PATH_INJECTIONS = [
    '/a") || PathPrefix("/',
    "/a`) || PathPrefix(`/",
    "/a b",
    "/a%2Fb",
    "/a/../b",
    "x",
]


async def test_a_host_is_met_in_any_case_with_a_port_or_one_trailing_dot(stage: Stage) -> None:
    await stage.expose("spelt", hostnames=["Spelt.TEST."])

    for host in ("spelt.test", "SPELT.test", "spelt.test.", "spelt.test:8080", "Spelt.Test.:80"):
        assert (await stage.http(host)).upstream == "blue", host
    for host in ("xspelt.test", "spelt.test.evil.com", "www.spelt.test", "test", None):
        assert (await stage.http(host)).upstream is None, host


async def test_a_wildcard_stands_for_exactly_one_label(stage: Stage) -> None:
    await stage.expose("wild", hostnames=["*.wild.test"])

    for host in ("a.wild.test", "A.Wild.TEST", "a-1.wild.test.", "a.wild.test:8080"):
        assert (await stage.http(host)).upstream == "blue", host
    for host in (
        "wild.test",
        "b.a.wild.test",
        ".wild.test",
        "a.wildxtest",
        "a.wild.test.evil.com",
        "awild.test",
    ):
        assert (await stage.http(host)).upstream is None, host


async def test_names_with_accents_underscores_and_addresses_are_served(stage: Stage) -> None:
    await stage.expose("odd", hostnames=["b\u00fccher.test", "my_app.test", "192.0.2.7", "::1"])

    for host in ("xn--bcher-kva.test", "my_app.test", "192.0.2.7:81", "[::1]:8080"):
        assert (await stage.http(host)).upstream == "blue", host


@pytest.mark.parametrize("hostname", [*INJECTIONS, *WITH_NEWLINE])
async def test_a_host_that_is_no_host_is_refused_by_the_api(stage: Stage, hostname: str) -> None:
    body = record("injecting", hostnames=[hostname], service_url=stage.upstreams.green)

    status, problem = await stage.write("POST", "", body)

    assert status == 422
    assert problem["errors"][0]["pointer"] == "/metadata/router/hostnames/0"


@pytest.mark.parametrize("path", PATH_INJECTIONS)
async def test_a_path_that_is_no_path_is_refused_by_the_api(stage: Stage, path: str) -> None:
    body = record("injecting", path_prefix=path, service_url=stage.upstreams.green)

    status, problem = await stage.write("POST", "", body)

    assert status == 422
    assert problem["errors"][0]["pointer"] == "/metadata/router/path_prefix"


async def test_hosts_and_paths_that_inject_by_hand_are_left_out_alone(stage: Stage) -> None:
    await stage.expose("bystander")
    green = stage.upstreams.green
    bad = [
        *(record(f"host-{i}", hostnames=[h], service_url=green) for i, h in enumerate(INJECTIONS)),
        *(
            record(f"path-{i}", path_prefix=p, service_url=green)
            for i, p in enumerate(PATH_INJECTIONS)
        ),
    ]
    good = record("beside-them", service_url=green)

    stage.edit(lambda environments: environments.extend([*bad, good]))

    await stage.live(lambda document: "env-beside-them" in document["http"]["services"])
    for each in bad:
        assert await stage.problems(each["environment_id"]) == {"invalid_record"}
    assert (await stage.http("beside-them.test")).upstream == "green"
    assert (await stage.http("bystander.test")).upstream == "blue"
    assert (await stage.http("anything.else")).status == 404


async def test_over_thirty_reloads_the_same_environment_answers(stage: Stage) -> None:
    blue, green = stage.upstreams.blue, stage.upstreams.green
    many = ["api.race.test", *(f"much-longer-name-{i}.race.test" for i in range(20))]
    await stage.expose("race-many", hostnames=many)
    await stage.expose(
        "race-path", hostnames=["api.race.test"], path_prefix="/v1", service_url=green
    )
    await stage.expose("tie-wild", hostnames=["*.tie.test"])
    await stage.expose("tie-exact", hostnames=["a.tie.test"], service_url=green)
    await stage.expose(
        "tie-deep", hostnames=["*.tie.test"], path_prefix="/deep/er", service_url=green
    )
    bystander = await stage.expose("race-bystander")
    right = {
        ("api.race.test", "/"): "blue",
        ("api.race.test", "/v10"): "blue",
        ("api.race.test", "/v1/x"): "green",
        ("b.tie.test", "/"): "blue",
        ("a.tie.test", "/"): "green",
        ("b.tie.test", "/deep/er/x"): "green",
    }
    before = await stage.reloads()

    async with hammered(stage.proxy.web, "api.race.test", "/v1"):
        for number in range(30):
            await stage.move(bystander, (green, blue)[number % 2])
            answers = {each: (await stage.http(*each)).upstream for each in right}
            assert answers == right, f"after {number + 1} reloads"

    assert await stage.reloads() == before + 30


async def test_of_two_records_that_claim_one_host_the_oldest_answers(stage: Stage) -> None:
    def claim(slug: str, year: int, url: str) -> dict[str, Any]:
        hosts = ["one.claim.test", f"{slug}.claim.test"]
        return record(slug, f"{year}-01-01T00:00:00Z", hostnames=hosts, service_url=url)

    young = claim("young", 2026, stage.upstreams.green)
    old = claim("old", 2025, stage.upstreams.blue)

    stage.edit(lambda environments: environments.extend([young, old]))

    await stage.live(lambda document: "env-old" in document["http"]["services"])
    assert (await stage.http("one.claim.test")).upstream == "blue"
    assert (await stage.http("young.claim.test")).upstream == "green"
    assert await stage.problems("env-young") == {"route_conflict"}

    assert (await stage.write("DELETE", "old"))[0] == 204

    async def falls_to_young() -> None:
        assert (await stage.http("one.claim.test")).upstream == "green"

    await eventually(falls_to_young)
