"""`GET /api/routes/explain`: who answers a URL, why, and what a Traefik says to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from provider.observe.facts import EntryPoint, RouterFact, TraefikFacts
from provider.routing.board import RoutingBoard
from tests.access.callers import everybody
from tests.api.bodies import routed, stored
from tests.api.steps import create, pointers, refused, until_problem, until_routed
from tests.conftest import StartDaemon
from tests.daemons import Daemon

EXPLAIN = "/api/routes/explain"
Look = Callable[[], tuple[TraefikFacts, ...]]


async def explained(daemon: Daemon, url: str, **more: str) -> dict[str, Any]:
    """The answer for a URL."""
    answer = await daemon.call("GET", f"{EXPLAIN}?{urlencode({'url': url, **more})}")
    assert answer.status == 200, answer.value
    view: dict[str, Any] = answer.value
    return view


def show(monkeypatch: pytest.MonkeyPatch, look: Look) -> None:
    """Daemons that start from here on see these Traefiks."""
    monkeypatch.setattr(RoutingBoard, "facts", property(lambda _board: look()))


async def test_it_names_the_environment_and_every_other_candidate(daemon: Daemon) -> None:
    made = await create(daemon, "dev", **routed("a.test", path_prefix="/app"))
    await create(daemon, "wild", **routed("*.test"))
    await create(daemon, "soon", **routed("a.test", state="planned"))
    await until_routed(daemon, "a.test")
    view = await explained(daemon, "https://A.test.:8443//app/./x?q=1")
    assert view["answer"]["environment"] == made["environment_id"]
    assert view["answer"]["upstream_path"] == "/x?q=1"
    assert [(each["slug"], each["reason"]) for each in view["candidates"]] == [
        ("dev", "answers"),
        ("wild", "host_kind"),
        ("soon", "state"),
    ]
    assert (await explained(daemon, "https://a.b.test/"))["answer"] is None


async def test_the_router_is_the_one_of_the_document(daemon: Daemon) -> None:
    await create(daemon, "dev", **routed("a.test", "*.b.test", entrypoints=["web", "websecure"]))
    document = await until_routed(daemon, "a.test")
    answer = (await explained(daemon, "http://x.b.test/"))["answer"]
    router = document["http"]["routers"][answer["router"]]
    assert (router["rule"], router["priority"]) == (answer["rule"], answer["priority"])
    assert "web" in router["entryPoints"]


async def test_the_settings_say_which_entrypoints_https_means(start_daemon: StartDaemon) -> None:
    daemon = await start_daemon("--tls-entrypoints", "secure")
    await create(daemon, "dev", **routed("a.test", entrypoints=["secure", "websecure"]))
    await until_routed(daemon, "a.test")
    secure = await explained(daemon, "https://a.test/")
    assert [each["entrypoint"] for each in secure["answers"]] == ["secure"]
    plain = await explained(daemon, "http://a.test/")
    assert [each["entrypoint"] for each in plain["answers"]] == ["websecure"]


async def test_a_broken_record_is_explained_by_its_last_good_version(daemon: Daemon) -> None:
    await create(daemon, "dev", **routed("a.test"))
    await until_routed(daemon, "a.test")
    broken = {**daemon.folders.stored()[0], "name": 7}
    daemon.folders.hand_write(broken)
    await until_problem(daemon, "invalid_record", broken["environment_id"])
    [candidate] = (await explained(daemon, "https://a.test/"))["candidates"]
    assert (candidate["reason"], candidate["quarantined"]) == ("answers", True)
    assert "/name" in candidate["message"]


async def test_the_loser_of_a_conflict_names_the_holder(daemon: Daemon) -> None:
    records = [stored(slug, **routed("same.test")) for slug in ("a", "b")]
    daemon.folders.hand_write(*map(json.dumps, records))
    await until_problem(daemon, "route_conflict", "env-b")
    lost = (await explained(daemon, "https://same.test/"))["candidates"][1]
    assert (lost["slug"], lost["reason"], lost["holder"]) == ("b", "conflict", "env-a")


@pytest.mark.parametrize("url", ["", "a.test", "https://u:sekret@a.test/", "https://a.test/%zz"])
async def test_a_wrong_url_is_refused_with_its_pointer(daemon: Daemon, url: str) -> None:
    answer = await daemon.call("GET", f"{EXPLAIN}?url={quote(url, safe='')}")
    assert pointers(refused(answer, 422, "invalid_record")) == ["/url"]
    assert b"sekret" not in answer.content


async def test_no_url_and_odd_parameters_are_refused(daemon: Daemon) -> None:
    for query in ("", "?url=https://a.test/&odd=1", "?url=https://a.test/&probe=perhaps"):
        refused(await daemon.call("GET", f"{EXPLAIN}{query}"), 422, "invalid_record")


async def test_before_anything_was_rendered_it_is_not_ready(
    start_daemon: StartDaemon, folders: Any
) -> None:
    folders.catalogue.unlink()
    daemon = await start_daemon()
    refused(await daemon.call("GET", f"{EXPLAIN}?url=https://a.test/"), 503, "not_ready")


async def test_neighbours_that_a_traefik_shows_are_counted(
    start_daemon: StartDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = "Host(`a.test`)"
    theirs = RouterFact("x@file", rule, 90_000, "enabled", ("websecure",), tls=True)
    show(monkeypatch, lambda: (TraefikFacts("http://t.test", problem=None, neighbours=(theirs,)),))
    daemon = await start_daemon()
    await create(daemon, "dev", **routed("a.test"))
    await until_routed(daemon, "a.test")
    view = await explained(daemon, "https://a.test/")
    assert (view["answer"]["environment"], view["answer"]["router"]) == (None, "x@file")
    assert [each["reason"] for each in view["candidates"]] == ["neighbour", "neighbour"]


async def test_a_probe_is_for_operators(folders: Any, start_daemon: StartDaemon) -> None:
    headers = everybody(folders.data)
    daemon = await start_daemon()
    asked = f"{EXPLAIN}?url=https://a.test/"
    for who in ("viewer", "viewer login"):
        assert (await daemon.call("GET", asked, headers=headers[who])).status == 200
        refused(
            await daemon.call("GET", f"{asked}&probe=true", headers=headers[who]), 403, "forbidden"
        )
    answer = await daemon.call("GET", f"{asked}&probe=true", headers=headers["operator"])
    [probe] = answer.value["probe"]
    assert (probe["status"], probe["agrees"]) == (None, None)
    assert "TRAEFIK_API" in probe["note"]


async def test_without_probe_nothing_is_sent_and_nothing_said_of_it(daemon: Daemon) -> None:
    assert "probe" not in await explained(daemon, "https://a.test/")


async def test_a_probe_asks_the_entrypoint_of_each_traefik_and_compares(
    start_daemon: StartDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(
            b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n\r\n404 page not found\n"
        )
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    here = TraefikFacts(
        "http://127.0.0.1:1", problem=None, entrypoints=(EntryPoint("web", f":{port}", port),)
    )
    show(monkeypatch, lambda: (here, TraefikFacts("http://away.test:8080")))
    daemon = await start_daemon()
    await create(daemon, "dev", **routed("a.test", entrypoints=["web"]))
    await until_routed(daemon, "a.test")
    view = await explained(daemon, "http://a.test:8080//x", probe="true")
    server.close()
    first, second = view["probe"]
    assert (first["traefik"], first["entrypoint"], first["status"]) == (here.url, "web", 404)
    assert first["agrees"] is False
    assert (second["status"], second["agrees"]) == (None, None)
    assert "known: none" in second["note"]
    [request] = heard
    assert request.startswith(b"GET //x HTTP/1.1\r\nHost: a.test:8080\r\n")
