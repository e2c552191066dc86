"""Open mode: without accounts only local callers are answered, and no one through them."""

from __future__ import annotations

import asyncio

import pytest

from provider.api.routes import ROUTES, Route
from tests.api.bodies import body
from tests.api.steps import ALL, refused
from tests.conftest import StartDaemon
from tests.daemons import Daemon


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8700", "127.0.0.1", "127.0.0.2:1", "[::1]:8700", "[::1]"]
)
async def test_a_local_host_is_answered_on_any_port(daemon: Daemon, host: str) -> None:
    assert (await daemon.call("GET", "/healthz", headers={"Host": host})).status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.test", "evil.test:8700", "127.0.0.1.evil.test", "localhost.evil.test", "10.0.0.1",
     "0.0.0.0", "[::]", "127.1", "evil.test#localhost", "localhost@evil.test", ""],
)  # fmt: skip
async def test_another_host_is_refused(daemon: Daemon, host: str) -> None:
    answer = await daemon.call("GET", "/healthz", headers={"Host": host})
    assert "ROUTEBOOK_ALLOWED_HOSTS" in refused(answer, 403, "host_not_allowed")["detail"]


async def test_a_request_without_a_host_is_refused(daemon: Daemon) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", daemon.port)
    writer.write(b"GET /healthz HTTP/1.0\r\n\r\n")
    assert (await reader.readline()).split()[1] == b"403"
    writer.close()
    await writer.wait_closed()


async def test_further_hosts_can_be_allowed(start_daemon: StartDaemon) -> None:
    daemon = await start_daemon("--allowed-hosts", "Routebook.internal, other.internal")
    for host in ("routebook.internal", "ROUTEBOOK.INTERNAL:80", "other.internal"):
        assert (await daemon.call("GET", "/healthz", headers={"Host": host})).status == 200
    answer = await daemon.call("GET", "/healthz", headers={"Host": "internal"})
    refused(answer, 403, "host_not_allowed")


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "x-forwarded-host", "X-Forwarded-Prefix", "Forwarded"]
)
async def test_what_came_through_a_proxy_is_refused(daemon: Daemon, header: str) -> None:
    answer = await daemon.call("GET", "/healthz", headers={header: "for=127.0.0.1"})
    assert "came through a proxy" in refused(answer, 403, "host_not_allowed")["detail"]


@pytest.mark.parametrize("origin", ["http://evil.test", "http://127.0.0.1:1", "null", ""])
async def test_another_origin_is_refused(daemon: Daemon, origin: str) -> None:
    answer = await daemon.call("GET", ALL, headers={"Origin": origin})
    refused(answer, 403, "host_not_allowed")


async def test_our_own_origin_is_answered(daemon: Daemon) -> None:
    origin = f"http://127.0.0.1:{daemon.port}"
    assert (await daemon.call("GET", ALL, headers={"Origin": origin})).status == 200


@pytest.mark.parametrize("origin", ["http://[", "http://[x]", "//]"])
async def test_an_origin_that_is_no_url_is_refused(daemon: Daemon, origin: str) -> None:
    answer = await daemon.call("GET", ALL, headers={"Origin": origin})
    refused(answer, 403, "host_not_allowed")


async def test_a_refused_write_changes_nothing(daemon: Daemon) -> None:
    answer = await daemon.call("POST", ALL, json=body(), headers={"Host": "evil.test"})
    refused(answer, 403, "host_not_allowed")
    assert daemon.folders.stored() == []


@pytest.mark.parametrize("route", ROUTES, ids=[f"{route.method} {route.path}" for route in ROUTES])
async def test_every_route_refuses_strangers(daemon: Daemon, route: Route) -> None:
    answer = await daemon.call(route.method, route.path, headers={"Host": "evil.test"})
    refused(answer, 403, "host_not_allowed")


async def test_a_stranger_does_not_learn_which_paths_there_are(daemon: Daemon) -> None:
    answer = await daemon.call("GET", "/nowhere", headers={"Host": "evil.test"})
    refused(answer, 403, "host_not_allowed")
