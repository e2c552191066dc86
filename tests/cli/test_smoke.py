"""`routebook smoke`, as a process against a running daemon and real servers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from registry.cli.smoking import notes_of
from tests.api.steps import create, read
from tests.cli.conftest import Shell
from tests.daemons import Daemon, Folders


class Site:
    """A site with a good page, a broken one, and redirects."""

    url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """By path."""
        match request.path:
            case "/good":
                return web.Response(text="fine")
            case "/moved":
                raise web.HTTPFound("/good")
            case "/round":
                raise web.HTTPFound("/round")
            case "/away":
                raise web.HTTPFound("http://169.254.169.254/latest")
            case "/endless":
                response = web.StreamResponse()
                await response.prepare(request)
                for _ in range(100):
                    await response.write(b"x" * 65536)
                return response
            case _:
                return web.Response(status=503)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """The site, on loopback."""
    site, app = Site(), web.Application()
    app.router.add_get("/{path:.*}", site.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield site
    await runner.cleanup()


def tests_are(folders: Folders, *tests: dict[str, Any]) -> None:
    """The workspace with these smoke tests."""
    spec = folders.projects / "nightshift" / "project.json"
    spec.write_text(json.dumps({**json.loads(spec.read_text()), "smoke_tests": tests}))


async def test_all_good_is_recorded_as_healthy(
    daemon: Daemon, shell: Shell, folders: Folders, site: Site
) -> None:
    await create(daemon, "dev", health={"status": "unknown", "url": "http://dev.test/"})
    tests_are(
        folders,
        {"name": "page", "url": f"{site.url}/good"},
        {"name": "moved", "url": f"{site.url}/moved"},
        {"name": "long", "url": f"{site.url}/endless"},
        {"name": "by hand", "command": "rm -rf \x1b[31m/tmp/never-run"},
    )
    ended = await shell("smoke", "dev")
    assert ended.code == 0, ended
    assert [line.split()[:3] for line in ended.out.splitlines()[1:4]] == [
        ["page", "good", "200"],
        ["moved", "good", "200"],
        ["long", "good", "200"],
    ]
    assert "by hand: rm -rf \\x1b[31m/tmp/never-run" in ended.out
    assert "dev is recorded as healthy" in ended.err
    health = (await read(daemon, "dev"))["health"]
    assert (health["status"], health["notes"]) == ("healthy", "smoke tests: 3 of 3 good")
    assert health["checked_at"]
    assert health["url"] == "http://dev.test/"


async def test_some_good_is_degraded_and_says_what_failed(
    daemon: Daemon, shell: Shell, folders: Folders, site: Site
) -> None:
    made = await create(daemon, "dev")
    tests_are(
        folders,
        {"name": "page", "url": f"{site.url}/good"},
        {"name": "job", "url": f"{site.url}/broken"},
        {"name": "away", "url": f"{site.url}/away"},
        {"name": "round", "url": f"{site.url}/round"},
    )
    ended = await shell("smoke", "dev", "--json")
    assert ended.code == 1
    assert ended.value["environment_id"] == made["environment_id"]
    assert (ended.value["status"], ended.value["recorded"]) == ("degraded", True)
    assert [each["good"] for each in ended.value["results"]] == [True, False, False, False]
    assert ended.value["results"][1]["status"] == 503
    health = (await read(daemon, "dev"))["health"]
    assert health["status"] == "degraded"
    assert health["notes"].startswith(
        "smoke tests: 1 of 4 good; job: status 503; "
        "away: redirects to another host, 169.254.169.254; round: "
    )


async def test_none_good_is_offline(
    daemon: Daemon, shell: Shell, folders: Folders, unused_tcp_port: int
) -> None:
    await create(daemon, "dev")
    tests_are(
        folders,
        {"name": "page", "url": f"http://127.0.0.1:{unused_tcp_port}/"},
        {"name": "odd", "url": "ftp://dev.test/"},
    )
    ended = await shell("smoke", "dev")
    assert ended.code == 1
    assert "cannot connect" in ended.out
    assert (await read(daemon, "dev"))["health"]["status"] == "offline"


async def test_a_server_that_never_answers_is_given_its_time(
    daemon: Daemon, shell: Shell, folders: Folders
) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    await create(daemon, "dev")
    port = server.sockets[0].getsockname()[1]
    tests_are(folders, {"name": "page", "url": f"http://127.0.0.1:{port}/"})
    ended = await shell("smoke", "dev", "--no-record")
    server.close()
    assert ended.code == 1
    assert "no whole answer within 10 seconds" in ended.out


async def test_no_record_changes_nothing(
    daemon: Daemon, shell: Shell, folders: Folders, site: Site
) -> None:
    await create(daemon, "dev")
    tests_are(folders, {"name": "page", "url": f"{site.url}/broken"})
    ended = await shell("smoke", "dev", "--no-record", "--json")
    assert (ended.code, ended.value["recorded"]) == (1, False)
    assert (await read(daemon, "dev"))["health"]["status"] == "unknown"


async def test_a_relative_url_is_put_onto_the_base(
    daemon: Daemon, shell: Shell, folders: Folders, site: Site
) -> None:
    await create(daemon, "dev")
    tests_are(folders, {"name": "page", "url": "/good"})
    ended = await shell("smoke", "dev", "--base-url", site.url)
    assert ended.code == 0
    lacking = await shell("smoke", "dev")
    assert (lacking.code, "--base-url" in lacking.err) == (2, True)
    assert (await shell("smoke", "dev", "--base-url", "dev.test")).code == 2


@pytest.mark.parametrize("tests", [(), ({"name": "job", "command": "make smoke"},)])
async def test_without_urls_nothing_is_recorded(
    daemon: Daemon, shell: Shell, folders: Folders, tests: tuple[dict[str, Any], ...]
) -> None:
    await create(daemon, "dev")
    tests_are(folders, *tests)
    ended = await shell("smoke", "dev")
    assert ended.code == 0
    assert "nothing is recorded" in ended.out
    assert ("make smoke" in ended.out) is bool(tests)
    assert (await read(daemon, "dev"))["health"]["status"] == "unknown"


async def test_an_unknown_environment_is_refused(daemon: Daemon, shell: Shell) -> None:
    ended = await shell("smoke", "nobody")
    assert ended.code == 1
    assert "not_found" in ended.err


def test_notes_stay_within_their_bound() -> None:
    result = {"name": "x" * 1500, "good": False, "detail": "y" * 1500}
    assert len(notes_of([result, result])) == 2000
