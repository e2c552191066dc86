"""Health by observation: flips are in the history, times of checks are laid over what is read."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.api.bodies import body, routed
from tests.api.steps import ALL, create, document, read, until_routed
from tests.conftest import StartDaemon, StartProcess
from tests.daemons import Daemon, Folders, call, eventually

EARLY = "2026-01-01T00:00:00Z"


class Service:
    """A service on loopback whose health a test chooses."""

    def __init__(self) -> None:
        self.status, self.url = 200, ""

    async def answer(self, _request: web.Request) -> web.Response:
        """Its health."""
        return web.Response(status=self.status)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """A healthy service."""
    service, app = Service(), web.Application()
    app.router.add_get("/health", service.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    service.url = f"http://127.0.0.1:{port}/health"
    yield service
    await runner.cleanup()


@pytest.fixture
async def daemon(start_daemon: StartDaemon) -> Daemon:
    """A daemon that surveys as often as it may."""
    return await start_daemon("--survey-s", "1")


async def until_health(daemon: Daemon, ref: str, **wanted: str) -> dict[str, Any]:
    """The environment, once its health has these values."""

    async def shows() -> dict[str, Any]:
        found = await read(daemon, ref)
        assert wanted.items() <= found["health"].items(), found["health"]
        return found

    return dict(await eventually(shows, timeout_s=20))


async def until_checked(daemon: Daemon, ref: str, after: str) -> dict[str, Any]:
    """The environment, once a check is shown that is later."""

    async def shows() -> dict[str, Any]:
        found = await read(daemon, ref)
        assert (found["health"]["checked_at"] or "") > after, found["health"]
        return found

    return dict(await eventually(shows, timeout_s=20))


def of(service: Service, status: str = "healthy") -> dict[str, Any]:
    """The changes that have a service probed."""
    health = {"status": status, "url": service.url, "checked_at": EARLY, "notes": "by hand"}
    return {"health": health, **routed("a.test")}


async def test_a_flip_is_in_the_history_and_not_in_the_document(
    daemon: Daemon, service: Service
) -> None:
    await create(daemon, "a", **of(service))
    published = await until_routed(daemon, "a.test")
    service.status = 503
    found = await until_health(daemon, "a", status="offline", notes="by hand")
    assert found["health"]["checked_at"] > EARLY
    assert await document(daemon) == published
    answer = await daemon.call("GET", f"{ALL}/a/history")
    last, *_ = answer.value["history"]
    assert (last["actor"], last["source"], last["action"]) == ("probe", "probe", "updated")
    pointers = {each["pointer"] for each in last["changes"]}
    assert pointers == {"/health/status", "/health/checked_at", "/updated_at"}
    service.status = 200
    await until_health(daemon, "a", status="healthy")
    assert await document(daemon) == published


async def test_the_time_of_a_check_is_shown_and_the_record_stays_as_it_was(
    daemon: Daemon, service: Service, folders: Folders
) -> None:
    made = await create(daemon, "a", **of(service))
    tag = (await daemon.call("GET", f"{ALL}/a")).headers["ETag"]
    catalogue = folders.catalogue.read_bytes()
    found = await until_checked(daemon, "a", EARLY)
    shown = (await daemon.call("GET", ALL)).value["environments"][0]
    assert shown["health"]["checked_at"] >= found["health"]["checked_at"]
    answer = await daemon.call("GET", f"{ALL}/a")
    assert answer.headers["ETag"] == tag
    assert found["updated_at"] == made["updated_at"]
    assert folders.catalogue.read_bytes() == catalogue
    counts = (await daemon.call("GET", "/api/health")).value["metrics"]["environments"]
    assert counts["stale_health_checks"] == 0


@pytest.mark.parametrize("way", ["PUT", "PATCH", "apply"])
async def test_a_record_that_is_read_and_sent_back_is_no_change(
    daemon: Daemon, service: Service, way: str
) -> None:
    made = await create(daemon, "a", **of(service))
    found = await until_checked(daemon, "a", EARLY)
    await until_checked(daemon, "a", found["health"]["checked_at"])  # another survey meanwhile
    if way == "apply":
        record = {k: v for k, v in found.items() if k not in ("project", "routing")}
        answer = await daemon.call("POST", f"{ALL}:apply", json={"environments": [record]})
        assert answer.value["unchanged"] == 1
    else:
        answer = await daemon.call(way, f"{ALL}/a", json=found)
        assert answer.status == 200
    stored = await daemon.call("GET", f"{ALL}/a/history")
    assert len(stored.value["history"]) == 1
    assert (await read(daemon, "a"))["updated_at"] == made["updated_at"]


async def test_an_edit_of_what_was_read_changes_what_was_edited_alone(
    daemon: Daemon, service: Service, folders: Folders
) -> None:
    await create(daemon, "a", **of(service))
    answer = await daemon.call("GET", f"{ALL}/a")
    found = await until_checked(daemon, "a", EARLY)
    edited = {**found, "name": "Renamed"}
    headers = {"If-Match": answer.headers["ETag"]}
    replaced = await daemon.call("PUT", f"{ALL}/a", json=edited, headers=headers)
    assert replaced.status == 200, replaced.value
    assert replaced.value["health"]["checked_at"] >= found["health"]["checked_at"]
    assert folders.stored()[0]["health"]["checked_at"] == EARLY
    dry = await daemon.call("PUT", f"{ALL}/a?dry_run=true", json=edited)
    assert dry.value["changes"] == []


async def test_a_status_that_is_written_is_checked_now(
    daemon: Daemon, service: Service, folders: Folders
) -> None:
    await create(daemon, "a", **of(service))
    found = await until_checked(daemon, "a", EARLY)
    found["health"]["status"] = "degraded"
    await daemon.call("PUT", f"{ALL}/a", json=found)
    health = folders.stored()[0]["health"]
    assert health["status"] == "degraded"
    assert health["checked_at"] > found["health"]["checked_at"]


async def test_maintenance_is_left_alone(daemon: Daemon, service: Service) -> None:
    service.status = 503
    await create(daemon, "a", **of(service, "maintenance"))
    await create(daemon, "b", **{**of(service), **routed("b.test", state="maintenance")})
    for ref in ("a", "b"):
        found = await until_checked(daemon, ref, EARLY)
        for _ in range(3):
            found = await until_checked(daemon, ref, found["health"]["checked_at"])
    assert (await read(daemon, "a"))["health"]["status"] == "maintenance"
    assert (await read(daemon, "b"))["health"]["status"] == "healthy"


async def test_our_own_listener_is_not_probed(daemon: Daemon, folders: Folders) -> None:
    health = {"status": "unknown", "url": f"http://localhost:{daemon.port}/healthz"}
    await create(daemon, "a", health=health, lifecycle={"state": "active"})
    await create(daemon, "b", **of_nobody())
    await until_health(daemon, "b", status="offline")  # four surveys later at the least
    assert (await read(daemon, "a"))["health"]["status"] == "unknown"


def of_nobody() -> dict[str, Any]:
    """The changes that have a port probed where nobody listens."""
    health = {"status": "unknown", "url": "http://127.0.0.1:1/"}
    return {"health": health, "lifecycle": {"state": "active"}}


async def test_a_kill_loses_no_time_of_a_check(
    start_process: StartProcess, service: Service, folders: Folders
) -> None:
    process = await start_process("--survey-s", "1")
    kept = folders.data / "state" / "health.json"
    async with aiohttp.ClientSession(process.url) as session:
        made = await call(session, "POST", ALL, json=body("a", **of(service)))
        assert made.status == 201

        def is_kept() -> str:
            assert kept.exists()
            checked = json.loads(kept.read_text())["checked"]
            assert checked
            return str(checked[made.value["environment_id"]]["checked_at"])

        await eventually(is_kept, timeout_s=20)
    process.process.kill()
    await process.ended()
    service.status = 503
    known = json.loads(kept.read_text())["checked"][made.value["environment_id"]]["checked_at"]
    again = await start_process("--survey-s", "86400")
    async with aiohttp.ClientSession(again.url) as session:
        found = await call(session, "GET", f"{ALL}/a")
    assert found.value["health"]["checked_at"] == known
    assert folders.stored()[0]["health"]["checked_at"] == EARLY
