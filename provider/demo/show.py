"""`routebook demo`: start everything, prove it; without `--once` say what to try, and stay."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import ssl
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from provider.daemon import running
from provider.demo.sample import CERTIFIED, HOST, copy_sample
from provider.demo.traefik_process import TraefikProcess, file_provider, free_port, traefik, until
from provider.demo.upstreams import upstream
from provider.logs import configure_logs
from provider.settings import read_settings

_PROOF_S = 20.0
_TEAM_AUTH = {"headers": {"customRequestHeaders": {"X-Team-Auth": "sample"}}}


@dataclass(frozen=True)
class Stage:
    """What is up: where, and the client to talk to it."""

    folder: Path
    routebook: int
    traefik: TraefikProcess
    upstreams: tuple[int, int]
    session: aiohttp.ClientSession

    @property
    def api(self) -> str:
        """The REST API's base URL."""
        return f"http://127.0.0.1:{self.routebook}"


async def run(*, once: bool) -> int:
    """The exit code: 0 when every proof held."""
    configure_logs()
    async with AsyncExitStack() as stack:
        try:
            stage = await _set_up(stack)
            await _prove(stage)
        except (FileNotFoundError, TimeoutError, aiohttp.ClientError, OSError) as error:
            print(f"not proven: {error or type(error).__name__}", file=sys.stderr)
            return 1
        if not once:
            _invite(stage)
            await _ctrl_c()
    return 0


async def _set_up(stack: AsyncExitStack) -> Stage:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="routebook-demo-")))
    blue = await stack.enter_async_context(upstream("blue"))
    green = await stack.enter_async_context(upstream("green"))
    data, projects = copy_sample(folder, (blue, green))
    folders = f"--data={data}", f"--projects={projects}"
    ports = free_port(), free_port(), free_port()
    known = f"--traefik-api=http://127.0.0.1:{ports[2]}"
    flags = "--listen=127.0.0.1:0", "--default-certificate", known
    settings = read_settings([*folders, *flags])
    daemon = await stack.enter_async_context(AsyncExitStack())
    port = await daemon.enter_async_context(running(settings))
    middlewares = {"http": {"middlewares": {"team-auth": _TEAM_AUTH}}}
    proxy = await stack.enter_async_context(
        traefik(
            f"http://127.0.0.1:{port}/traefik/config",
            folder / "traefik",
            ports=ports,
            change=file_provider(folder / "traefik", middlewares),
        )
    )
    # Stopped first: Traefik's own stop waits for the poll that we hold.
    stack.push_async_callback(daemon.aclose)
    session = await stack.enter_async_context(aiohttp.ClientSession())
    return Stage(folder, port, proxy, (blue, green), session)


async def _prove(stage: Stage) -> None:
    print(
        f"Routebook on {stage.api}, Traefik on :{stage.traefik.web} and :{stage.traefik.websecure}"
    )
    plain, secure = _urls(stage)
    await until(lambda: _served_by(stage, plain, "blue"), _PROOF_S)
    print(f"  http   {HOST} answered by upstream blue")
    await until(lambda: _served_by(stage, secure, "blue"), _PROOF_S)
    print(f"  https  {HOST} answered by upstream blue, with the record's own certificate")
    took_ms = await _change(stage, plain)
    print(f"  change one PATCH moved {HOST} to upstream green, served {took_ms:.0f} ms later")
    await until(lambda: _is_live(stage), _PROOF_S)
    print(f"  live   Routebook saw in Traefik's API that {CERTIFIED} is served as it is now")


def _urls(stage: Stage) -> tuple[str, str]:
    return (
        f"http://127.0.0.1:{stage.traefik.web}/hello",
        f"https://127.0.0.1:{stage.traefik.websecure}/hello",
    )


async def _served_by(stage: Stage, url: str, name: str) -> bool:
    certificate = stage.folder / "data" / "router" / "certs" / "nightshift-dev.crt"
    trusted = ssl.create_default_context(cafile=str(certificate))
    with contextlib.suppress(aiohttp.ClientError):
        async with stage.session.get(
            url, headers={"Host": HOST}, ssl=trusted, server_hostname=HOST
        ) as response:
            return response.headers.get("X-Upstream") == name
    return False


async def _change(stage: Stage, url: str) -> float:
    """Milliseconds from sending the patch to the first answer of the other upstream."""
    patch = {"metadata": {"router": {"service_url": f"http://127.0.0.1:{stage.upstreams[1]}"}}}
    start_s = time.perf_counter()
    async with stage.session.patch(
        f"{stage.api}/api/environments/{CERTIFIED}", json=patch
    ) as response:
        response.raise_for_status()
    await until(lambda: _served_by(stage, url, "green"), _PROOF_S)
    return (time.perf_counter() - start_s) * 1000


async def _is_live(stage: Stage) -> bool:
    url = f"{stage.api}/api/environments/{CERTIFIED}/routing"
    async with stage.session.get(url) as response:
        return bool((await response.json())["conditions"]["Live"]["status"] == "True")


def _invite(stage: Stage) -> None:
    proxy, catalogue = stage.traefik, stage.folder / "data" / "environments.json"
    verb = sys.argv[0] if sys.argv[0].endswith("/routebook") else "routebook"
    print(
        f"""
Try:
  curl -H 'Host: {HOST}' http://127.0.0.1:{proxy.web}/
  curl -k --resolve {HOST}:{proxy.websecure}:127.0.0.1 https://{HOST}:{proxy.websecure}/reports
  curl {stage.api}/api/environments/nightshift-dev
  AGENT_API_URL={stage.api} {verb} list
  AGENT_API_URL={stage.api} {verb} explain https://{HOST}/reports
  AGENT_API_URL={stage.api} {verb} tasks
  curl -X PATCH -H 'Content-Type: application/json' \\
       -d '{{"lifecycle": {{"state": "retired"}}}}' {stage.api}/api/environments/nightshift-dev
  edit {catalogue}
  open http://127.0.0.1:{proxy.api}/dashboard/
""",
        flush=True,
    )


async def _ctrl_c() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    print("Ctrl-C ends it and removes the copy.", flush=True)
    await stop.wait()
