"""Daemon and Traefik end and come back, in any order, while a client goes on asking."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.asking import ask, eventually, hammered
from tests.e2e.daemon_process import DaemonProcess, stage_beside
from tests.e2e.parts import all_upstreams, make_folders, polling
from tests.e2e.records import pair, put, record, serial
from tests.e2e.stage import Stage, stage_in

pytestmark = [pytest.mark.traefik, pytest.mark.xdist_group("e2e-restarts")]


async def test_a_killed_and_restarted_daemon_fails_no_request_and_serves_changes_again(
    tmp_path: Path,
) -> None:
    async with stage_beside(tmp_path) as (stage, daemon):
        environment_id = await stage.expose("steady")
        moved = await stage.expose("moved")

        async with hammered(stage.proxy.web, "steady.test"):
            for url in (stage.upstreams.green, stage.upstreams.blue, stage.upstreams.green):
                await daemon.kill()
                await daemon.start()
                await stage.move(moved, url)
                assert (await stage.http("steady.test")).upstream == "blue"

        assert (await stage.http("moved.test")).upstream == "green"
        assert await stage.router_states(environment_id) == {"enabled"}


async def test_an_acknowledged_change_arrives_though_the_daemon_is_killed_at_once(
    tmp_path: Path,
) -> None:
    async with stage_beside(tmp_path) as (stage, daemon):
        environment_id = await stage.expose("hurried")

        await stage.route(environment_id, service_url=stage.upstreams.green)
        await daemon.kill()
        await daemon.start()

        await eventually(lambda: _answers(stage, "hurried.test", "green"))


async def test_a_change_by_hand_while_the_daemon_is_down_arrives_when_it_is_back(
    tmp_path: Path,
) -> None:
    async with stage_beside(tmp_path) as (stage, daemon):
        await stage.expose("before")

        assert await daemon.stop() == 0
        late = record("late", service_url=stage.upstreams.green)
        stage.edit(lambda environments: environments.append(late))
        assert (await stage.http("before.test")).upstream == "blue"
        await daemon.start()

        await eventually(lambda: _answers(stage, "late.test", "green"))
        assert (await stage.http("before.test")).upstream == "blue"


async def test_a_broken_catalogue_at_a_restart_serves_what_was_served(tmp_path: Path) -> None:
    async with stage_beside(tmp_path) as (stage, daemon):
        await stage.expose("kept")
        await daemon.kill()
        put(stage.data / "environments.json", b"{ broken")
        await daemon.start()

        # Traefik starts anew too: the kept document is all that it can get.
        async with polling(stage.api, tmp_path / "new", stage.upstreams) as proxy:
            await eventually(lambda: _answers(replace(stage, proxy=proxy), "kept.test", "blue"))
            await daemon.kill()


async def test_a_held_poll_is_answered_when_the_daemon_stops(tmp_path: Path) -> None:
    # A reset would send Traefik into a back-off of up to 19 s.
    make_folders(tmp_path)
    daemon = DaemonProcess(tmp_path)
    try:
        await daemon.start()
        connector = aiohttp.TCPConnector(limit=1)
        url = f"http://127.0.0.1:{daemon.port}/traefik/config"
        async with aiohttp.ClientSession(connector=connector) as session:
            async with session.get(url) as first:
                served = await first.read()
            held = asyncio.create_task(_get(session, url))
            await asyncio.sleep(0.3)  # it is with the daemon now
            assert not held.done()

            assert await daemon.stop() == 0

            assert await held == (200, served)
    finally:
        await daemon.kill()


async def test_routes_return_when_traefik_restarts(tmp_path: Path) -> None:
    async with stage_in(tmp_path) as stage:
        await stage.expose("returning", entrypoints=["web", "websecure"])
        ports = stage.proxy.web, stage.proxy.websecure, stage.proxy.api
        stage.proxy.process.kill()
        await stage.proxy.process.wait()

        async with polling(stage.api, tmp_path / "again", stage.upstreams, ports=ports) as again:
            await eventually(lambda: _answers(stage, "returning.test", "blue"))
            assert (await stage.https("returning.test")).upstream == "blue"
            moved = await stage.expose("new-after")
            await stage.move(moved, stage.upstreams.green)
            assert (await stage.http("new-after.test")).upstream == "green"
            again.process.kill()  # a held poll would delay its orderly end


async def test_a_traefik_that_starts_before_the_daemon_gets_its_routes(tmp_path: Path) -> None:
    make_folders(tmp_path)
    daemon = DaemonProcess(tmp_path)
    api = f"http://127.0.0.1:{daemon.port}"
    try:
        async with all_upstreams(tmp_path) as upstreams:
            first = record("first", service_url=upstreams.blue)
            async with polling(api, tmp_path / "traefik", upstreams) as proxy:
                assert (await ask(proxy.web, "first.test")).status == 404
                async with aiohttp.ClientSession() as session:
                    stage = Stage(tmp_path / "data", api, proxy, upstreams, session)
                    stage.edit(lambda environments: environments.append(first))
                    await daemon.start()
                    await eventually(lambda: _answers(stage, "first.test", "blue"))
                await daemon.kill()
    finally:
        await daemon.kill()


async def test_half_a_pair_over_a_restart_leaves_the_old_certificate(tmp_path: Path) -> None:
    async with stage_beside(tmp_path) as (stage, daemon):
        certificate, key = pair("half.test")
        put(stage.certs / "half.crt", certificate)
        put(stage.certs / "half.key", key)
        tls = {"cert_file": "half.crt", "key_file": "half.key"}
        await stage.expose("half", entrypoints=["websecure"], tls=tls)

        await daemon.stop()
        put(stage.certs / "half.crt", pair("half.test")[0])
        await daemon.start()
        await stage.expose("after-half")

        assert serial((await stage.https("half.test")).certificate) == serial(certificate)


async def _answers(stage: Stage, host: str, upstream: str) -> None:
    assert (await stage.http(host)).upstream == upstream


async def _get(session: aiohttp.ClientSession, url: str) -> tuple[int, bytes]:
    async with session.get(url) as response:
        return response.status, await response.read()
