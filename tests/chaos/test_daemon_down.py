"""A real Traefik goes on serving while the daemon is down, and when both are restarted."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from provider.daemon import running
from provider.demo.traefik_process import TraefikProcess, free_port, traefik, until
from provider.demo.upstreams import upstream
from provider.settings import read_settings
from tests.chaos.conftest import MakeServe
from tests.chaos.folder import Folder, record
from tests.chaos.form import amount, report
from tests.chaos.serve import Serve

pytestmark = [pytest.mark.traefik, pytest.mark.timeout(amount(120, 300))]
DOWN_S = amount(5.0, 60.0)
SERVED_S = 30.0
HOST = "one.test"
HOLD = "--hold-s=0.2"  # a Traefik that stops waits for the answer to its poll


@pytest.fixture
async def blue(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[int]:
    """An upstream's port."""
    async with upstream("blue") as port:
        yield port


@pytest.fixture
def routed(folder: Folder, blue: int) -> Folder:
    """A folder whose record env-one is routed to the upstream."""
    one = record("one")
    one["metadata"]["router"] = {
        "hostnames": [HOST],
        "entrypoints": ["web"],
        "service_url": f"http://127.0.0.1:{blue}",
    }
    return Folder(folder.root.parent / "routed").make(one)


async def ask(http: aiohttp.ClientSession, proxy: TraefikProcess, path: str = "/") -> str:
    """The upstream that answers, else the status or the failure."""
    try:
        url = f"http://127.0.0.1:{proxy.web}{path}"
        async with http.get(url, headers={"Host": HOST}) as response:
            return response.headers.get("X-Upstream", str(response.status))
    except aiohttp.ClientError as error:
        return type(error).__name__


async def serves(proxy: TraefikProcess, path: str = "/") -> None:
    """Wait until the route answers."""
    async with aiohttp.ClientSession() as http:

        async def answers() -> bool:
            return await ask(http, proxy, path) == "blue"

        await until(answers, SERVED_S)


@asynccontextmanager
async def traffic(proxy: TraefikProcess) -> AsyncIterator[Counter[str]]:
    """Requests, one after the other for as long as this is open, and how they were answered."""
    answers: Counter[str] = Counter()

    async def keep_asking() -> None:
        async with aiohttp.ClientSession() as http:
            while True:
                answers[await ask(http, proxy)] += 1
                await asyncio.sleep(0.002)

    asking = asyncio.create_task(keep_asking())
    yield answers
    asking.cancel()
    await asyncio.wait([asking])


async def test_no_request_fails_while_the_daemon_is_down_and_comes_back(
    routed: Folder, make_serve: MakeServe
) -> None:
    serve = make_serve(routed, HOLD)
    await serve.start()
    await serve.ready()
    async with traefik(f"{serve.url}/traefik/config", routed.root / "traefik") as proxy:
        await serves(proxy)
        async with traffic(proxy) as answers:
            await serve.kill()
            await asyncio.sleep(DOWN_S)
            await serve.start()
            await serve.ready()
            await add_a_path(serve)
            await serves(proxy, "/changed")
        assert set(answers) == {"blue"}
        report("daemon down", seconds=DOWN_S, requests=answers["blue"], failed=0)


async def add_a_path(serve: Serve) -> None:
    """Through the API: a second record on the same host, below /changed."""
    second = record("second")
    second["metadata"]["router"] = {
        **(serve.folder.stored()["env-one"]["metadata"]["router"]),
        "path_prefix": "/changed",
    }
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{serve.url}/api/environments", json=second) as response,
    ):
        assert response.status == 201, await response.text()


@pytest.mark.parametrize("catalogue", ["as it was", "unreadable", "gone"])
async def test_a_traefik_restarted_right_after_the_daemon_gets_its_routes(
    routed: Folder, catalogue: str
) -> None:
    listen = f"--listen=127.0.0.1:{free_port()}"
    settings = read_settings([listen, HOLD, *routed.flags], environ={})
    url = f"http://{settings.listen}/traefik/config"
    ports = (free_port(), free_port(), free_port())
    async with running(settings), traefik(url, routed.root / "traefik", ports=ports) as proxy:
        await serves(proxy)
    if catalogue == "unreadable":
        routed.catalogue.write_text('{"version": 1, "environments": [{"slug": ')
    elif catalogue == "gone":
        routed.catalogue.unlink()
    async with running(settings), traefik(url, routed.root / "traefik", ports=ports) as proxy:
        await serves(proxy)
        async with traffic(proxy) as answers:
            await asyncio.sleep(0.5)
        assert set(answers) == {"blue"}
