"""/traefik/config: the document, its encodings, and when it changes."""

from __future__ import annotations

import gzip
import json

import pytest
from aiohttp.test_utils import make_mocked_request

from provider.api.traefik_config import wants_plain
from provider.current import Current
from provider.publication import Publication
from tests.api.bodies import routed, stored
from tests.api.steps import ALL, create, document, refused, until_problem, until_routed
from tests.conftest import StartDaemon
from tests.daemons import Daemon, Folders

CONFIG = "/traefik/config"
AT_ONCE = f"{CONFIG}?hold=0"


async def encoded(daemon: Daemon, accepted: str | None, **more: str) -> tuple[str | None, bytes]:
    """The content coding and the bytes as sent, for this `Accept-Encoding`."""
    headers = more if accepted is None else {"Accept-Encoding": accepted, **more}
    async with daemon.session.get(
        AT_ONCE, headers=headers, auto_decompress=False, skip_auto_headers=["Accept-Encoding"]
    ) as response:
        assert response.status == 200
        assert "Accept-Encoding" in response.headers["Vary"]
        return response.headers.get("Content-Encoding"), await response.read()


async def test_the_document_is_json_that_no_cache_keeps(daemon: Daemon) -> None:
    answer = await daemon.call("GET", CONFIG)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers


async def test_an_empty_catalogue_is_a_document_with_a_marker(daemon: Daemon) -> None:
    shown = await document(daemon)
    assert list(shown) == ["http"]
    assert list(shown["http"]) == ["middlewares"]
    assert next(iter(shown["http"]["middlewares"])).startswith("routebook-")


@pytest.mark.parametrize("accepted", ["gzip", "deflate, GZIP;q=0.5", "*", "br, gzip"])
async def test_gzip_is_sent_to_whom_takes_it(daemon: Daemon, accepted: str) -> None:
    coding, content = await encoded(daemon, accepted)
    assert coding == "gzip"
    assert gzip.decompress(content) == (await encoded(daemon, "identity"))[1]


@pytest.mark.parametrize("accepted", [None, "identity", "br", "gzip;q=0", "gzip; q=0.0", ""])
async def test_plain_bytes_are_sent_to_whom_takes_no_gzip(
    daemon: Daemon, accepted: str | None
) -> None:
    coding, content = await encoded(daemon, accepted)
    assert coding is None
    assert "http" in json.loads(content)


async def test_a_traefik_on_this_machine_need_not_unpack_what_it_reads(daemon: Daemon) -> None:
    traefik = {"User-Agent": "Go-http-client/1.1"}
    coding, content = await encoded(daemon, "gzip", **traefik)
    assert coding is None
    assert content == (await encoded(daemon, "identity"))[1]


@pytest.mark.parametrize(
    ("remote", "is_plain"),
    [
        *(("127.0.0.1", True), ("::1", True), ("::ffff:127.0.0.1", True)),
        *(("10.0.0.1", False), ("::ffff:10.0.0.1", False), ("", False)),
    ],
)
def test_a_traefik_elsewhere_gets_gzip(remote: str, is_plain: bool) -> None:
    headers = {"User-Agent": "Go-http-client/1.1", "Accept-Encoding": "gzip"}
    request = make_mocked_request("GET", CONFIG, headers).clone(remote=remote)
    assert wants_plain(request, Publication("", (b"{}",), b"")) is is_plain


def test_one_that_comes_through_a_proxy_on_this_machine_gets_gzip() -> None:
    headers = {
        "User-Agent": "Go-http-client/1.1",
        "Accept-Encoding": "gzip",
        "X-Forwarded-For": "10.0.0.1",
    }
    request = make_mocked_request("GET", CONFIG, headers).clone(remote="127.0.0.1")
    assert not wants_plain(request, Publication("", (b"{}",), b""))


async def test_after_a_start_it_unpacks_what_we_have_not_unpacked_either(
    folders: Folders, start_daemon: StartDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await start_daemon()
    await create(first, "dev", **routed("dev.test"))
    await until_routed(first, "dev.test")
    await first.stop()
    monkeypatch.setattr(Current, "settle", lambda _current: None)
    folders.catalogue.write_text("{")  # so nothing is rendered anew
    coding, content = await encoded(
        await start_daemon(), "gzip", **{"User-Agent": "Go-http-client/1.1"}
    )
    assert coding == "gzip"
    assert b"dev.test" in gzip.decompress(content)


async def test_a_routed_environment_is_in_the_document(daemon: Daemon) -> None:
    created = await create(daemon, "dev", **routed("dev.test", entrypoints=["web", "websecure"]))
    shown = (await until_routed(daemon, "dev.test"))["http"]
    tls = {router["entryPoints"][0]: router.get("tls") for router in shown["routers"].values()}
    assert tls == {"web": None, "websecure": {}}
    service = shown["services"][created["environment_id"]]["loadBalancer"]
    assert service["servers"] == [{"url": "http://127.0.0.1:9001"}]


async def test_another_state_takes_the_routes_away_and_back(daemon: Daemon) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    await until_routed(daemon, "dev.test")
    for state, gone in (("retired", True), ("maintenance", False), ("planned", True)):
        change = {"lifecycle": {"state": state}}
        await daemon.call("PATCH", f"{ALL}/dev", json=change)
        await until_routed(daemon, "dev.test", gone=gone)


async def test_what_traefik_cannot_see_leaves_the_document_alone(daemon: Daemon) -> None:
    older = "2025-01-01T00:00:00Z"
    daemon.folders.hand_write(stored("dev", created_at=older, **routed("dev.test")))
    before = await until_routed(daemon, "dev.test")
    health = {"status": "offline", "notes": "gone for lunch"}
    await daemon.call("PATCH", f"{ALL}/dev", json={"health": health, "name": "New"})
    # A loser of a claim is no route either; that it is reported proves that a pass was made.
    daemon.folders.hand_write(*daemon.folders.stored(), stored("b", **routed("dev.test")))
    await until_problem(daemon, "route_conflict", "env-b")
    assert await document(daemon) == before


async def test_the_same_catalogue_gives_the_same_bytes_in_any_order(
    folders: Folders, start_daemon: StartDaemon
) -> None:
    records = [stored(slug, **routed(f"{slug}.test")) for slug in ("a", "b", "c")]
    contents = []
    for order in (records, records[::-1]):
        folders.hand_write(*order)
        daemon = await start_daemon()
        await until_routed(daemon, "a.test", "b.test", "c.test")
        contents.append((await daemon.call("GET", AT_ONCE)).content)
        await daemon.stop()
    assert contents[0] == contents[1]


@pytest.mark.parametrize("query", ["hold=2", "hold=", "hold=no", "instance=" + "x" * 101, "x=1"])
async def test_a_wrong_query_is_refused(daemon: Daemon, query: str) -> None:
    refused(await daemon.call("GET", f"{CONFIG}?{query}"), 422, "invalid_record")


async def test_an_instance_may_be_named(daemon: Daemon) -> None:
    answer = await daemon.call("GET", f"{CONFIG}?instance=edge-1&hold=0")
    assert answer.value == await document(daemon)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_it_is_only_read(daemon: Daemon, method: str) -> None:
    answer = await daemon.call(method, CONFIG, json={})
    refused(answer, 405, "method_not_allowed")
