"""The parts of a stage: folders, settings, upstreams, and a Traefik with a file provider."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from provider.demo.traefik_process import TraefikProcess, file_provider, traefik
from provider.demo.upstreams import upstream
from tests.e2e.records import PROJECT, pair


@dataclass(frozen=True)
class Upstreams:
    """Base URLs of servers that answer with their name; `secure` is https, of a private CA."""

    blue: str
    green: str
    secure: str
    certificate: Path


@asynccontextmanager
async def all_upstreams(folder: Path) -> AsyncIterator[Upstreams]:
    """All three up."""
    async with AsyncExitStack() as stack:
        blue, green = [await stack.enter_async_context(upstream(n)) for n in ("blue", "green")]
        certificate = folder / "upstream.crt"
        secure = await stack.enter_async_context(_secure_upstream(certificate))
        yield Upstreams(
            f"http://127.0.0.1:{blue}",
            f"http://127.0.0.1:{green}",
            f"https://localhost:{secure}",
            certificate,
        )


@asynccontextmanager
async def _secure_upstream(certificate: Path) -> AsyncIterator[int]:
    content, key = pair("localhost")
    certificate.write_bytes(content)
    certificate.with_suffix(".key").write_bytes(key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))

    async def answer(request: web.Request) -> web.Response:
        seen = {"upstream": "secure", "path": request.raw_path, "host": request.host}
        return web.json_response(seen, headers={"X-Upstream": "secure"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def polling(
    api: str,
    folder: Path,
    upstreams: Upstreams,
    *,
    ports: tuple[int, int, int] | None = None,
    alter: Callable[[dict[str, Any]], None] = lambda _: None,
    **poll: str,
) -> AbstractAsyncContextManager[TraefikProcess]:
    """A Traefik as advised, with metrics and a file provider; `poll` alters its http provider,
    `alter` its whole static configuration."""
    add_file_provider = file_provider(folder, dynamic(upstreams))

    def change(static: dict[str, Any]) -> None:
        static["metrics"] = {"prometheus": {}}
        static["providers"]["http"] |= poll
        add_file_provider(static)
        alter(static)

    return traefik(f"{api}/traefik/config", folder, ports=ports, change=change)


def dynamic(upstreams: Upstreams) -> dict[str, Any]:
    """What operators keep in files: middlewares, and the transport to https upstreams."""
    middlewares = {
        name: {"replacePathRegex": {"regex": "^/app/(.*)", "replacement": f"/app/{name}/$1"}}
        for name in ("first", "second")
    }
    transport = {"private-ca": {"rootCAs": [str(upstreams.certificate)]}}
    return {"http": {"middlewares": middlewares, "serversTransports": transport}}


def make_folders(folder: Path, records: tuple[Any, ...] = ()) -> Path:
    """The data folder, beside a folder with one workspace."""
    data, project = folder / "data", folder / "projects" / "alpha"
    (data / "router" / "certs").mkdir(parents=True)
    project.mkdir(parents=True)
    (project / "project.json").write_text(json.dumps(PROJECT))
    catalogue = {"version": 1, "environments": list(records)}
    (data / "environments.json").write_text(json.dumps(catalogue, indent=2))
    return data


def settings(folder: Path, port: int = 0) -> list[str]:
    """The daemon's flags."""
    return [
        f"--listen=127.0.0.1:{port}",
        f"--data={folder / 'data'}",
        "--dns-server=127.0.0.1:9",
        f"--projects={folder / 'projects'}",
        "--servers-transport=private-ca@file",
        "--default-certificate",
    ]
