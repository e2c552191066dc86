"""What stands between a request and its upstream: middlewares, servers, headers, transports."""

from __future__ import annotations

from collections import Counter
from urllib.parse import urlsplit

import pytest

from provider.demo.traefik_process import free_port
from tests.e2e.asking import eventually
from tests.e2e.records import record
from tests.e2e.stage import Stage

pytestmark = [
    pytest.mark.traefik,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("e2e-services"),
]


async def test_own_middlewares_come_first_in_their_order_then_strip_then_add(
    stage: Stage,
) -> None:
    # `first` and `second` put their name behind /app, which only works before it is taken off.
    await stage.expose(
        "ordered",
        path_prefix="/app",
        service_url=f"{stage.upstreams.blue}/base",
        middlewares=["first@file", "second"],
    )

    assert (await stage.http("ordered.test", "/app/x")).path == "/base/second/first/x"


async def test_a_record_whose_middleware_is_missing_is_disabled_alone(stage: Stage) -> None:
    fine = await stage.expose("beside-missing", middlewares=["first@file"])
    missing = await stage.expose("missing", middlewares=["nobody-defined-this@file"])

    assert await stage.router_states(missing) == {"disabled"}
    assert (await stage.http("missing.test")).status == 404
    assert await stage.router_states(fine) == {"enabled"}
    assert (await stage.http("beside-missing.test")).upstream == "blue"


@pytest.mark.parametrize("name", ["auth@http", "api@internal"])
async def test_middlewares_of_our_own_provider_are_refused(stage: Stage, name: str) -> None:
    body = record("own-provider", middlewares=[name], service_url=stage.upstreams.blue)

    status, problem = await stage.write("POST", "", body)

    assert status == 422
    assert problem["errors"][0]["pointer"] == "/metadata/router/middlewares/0"


async def test_the_upstream_sees_the_clients_host(stage: Stage) -> None:
    await stage.expose("passed")

    assert (await stage.http("passed.test:8080")).seen["host"] == "passed.test:8080"


async def test_pass_host_header_false_gives_the_upstream_its_own_host(stage: Stage) -> None:
    await stage.expose("not-passed", pass_host_header=False)

    own = urlsplit(stage.upstreams.blue).netloc
    assert (await stage.http("not-passed.test")).seen["host"] == own


async def test_an_https_upstream_of_a_private_ca_is_reached_through_the_transport(
    stage: Stage,
) -> None:
    secure = stage.upstreams.secure
    await stage.expose("secure", service_url=f"{secure}/base", entrypoints=["web", "websecure"])

    assert (await stage.http("secure.test", "/x")).seen["path"] == "/base/x"
    assert (await stage.https("secure.test")).upstream == "secure"


async def test_every_server_gets_its_share(stage: Stage) -> None:
    blue, green = stage.upstreams.blue, stage.upstreams.green
    await stage.expose("shared", service_url=blue, server_urls=[green, f"{blue}/"])

    answers = Counter([(await stage.http("shared.test")).upstream for _ in range(20)])

    assert answers == {"blue": 10, "green": 10}


async def test_a_named_port_of_the_record_is_the_upstream(stage: Stage) -> None:
    port = urlsplit(stage.upstreams.green).port
    body = record("named", port="web")
    body["host"]["ip"] = "127.0.0.1"
    body["ports"] = [{"name": "web", "port": port, "protocol": "tcp"}]

    assert (await stage.write("POST", "", body))[0] == 201

    await stage.live(lambda document: "env-named" in document["http"].get("services", {}))
    assert (await stage.http("named.test")).upstream == "green"


async def test_a_dead_upstream_is_a_bad_gateway_of_that_environment_alone(stage: Stage) -> None:
    await stage.expose("beside-dead")
    await stage.expose("dead", service_url=f"http://127.0.0.1:{free_port()}")

    assert (await stage.http("dead.test")).status == 502
    assert (await stage.http("beside-dead.test")).upstream == "blue"


async def test_an_upstream_that_is_routebook_or_link_local_is_refused(stage: Stage) -> None:
    port = urlsplit(stage.api).port
    for url in (
        stage.api,
        f"http://localhost:{port}",
        f"http://127.0.0.2:{port}",
        f"http://[::1]:{port}",
        "http://169.254.169.254",
        "http://0.0.0.0:8080",
    ):
        status, problem = await stage.write("POST", "", record("looping", service_url=url))
        assert (status, problem["code"]) == (422, "forbidden_upstream"), url


async def test_a_forbidden_upstream_by_hand_is_left_out_alone(stage: Stage) -> None:
    loop = record("hand-loop", service_url=stage.api)
    fine = record("hand-fine", service_url=stage.upstreams.green)

    stage.edit(lambda environments: environments.extend([loop, fine]))

    async def only_fine() -> None:
        assert (await stage.http("hand-fine.test")).upstream == "green"

    await eventually(only_fine)
    assert (await stage.http("hand-loop.test")).status == 404
    assert await stage.problems("env-hand-loop") == {"forbidden_upstream"}
