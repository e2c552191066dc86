"""Requests a second for the document, gzip accepted, beside nginx `gzip_static` with one worker.

Both answer the same request over four connections that each ask again at once, in turns of a
second. nginx has the daemon's own bytes as files, and serves those that it was asked for.
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from catalogue import write_catalogue
from polling import GZIP, Connection, rate, request
from processes import Server, daemon, server
from results import Benchmark, Goal, Result, alone

from provider.demo.traefik_process import free_port

_TURN_S = 1.0
_WARM_S = 0.2
_MISSING = "no nginx here: apt-get install nginx-light"
_CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; gzip_static on;
  default_type application/json; root {folder}/files;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; }}
}}
"""


async def measure(environments: int, repeats: int) -> list[Result]:
    """Turns of the daemon and of nginx."""
    goal = Goal(at_least=0.9 if environments >= 1000 else 0.3)
    what, unit = "serving the document, gzip accepted", "requests/s"
    if shutil.which("nginx") is None:
        return [Result("serving", what, environments, unit, floor_is=BENCHMARK.floor, goal=goal,
                       skipped=_MISSING)]  # fmt: skip
    ours, floor = [], []
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="routebook-bench-")))
        write_catalogue(folder, environments)
        running = await stack.enter_async_context(daemon(folder))
        head, body = await _answer(running.port)
        nginx = await stack.enter_async_context(_nginx(folder / "nginx", head, body))
        wanted = {running.port: _OURS, nginx.port: request("/document.json", GZIP)}
        for turn in range(repeats + 1):
            for port, samples in ((running.port, ours), (nginx.port, floor)):
                answers = rate(port, wanted[port], seconds=_TURN_S if turn else _WARM_S)
                samples += [answers] if turn else []
    note = "gzip" if b"gzip" in head else "identity"
    return [
        Result(
            "serving",
            what,
            environments,
            unit,
            ours,
            BENCHMARK.floor,
            floor,
            goal,
            note=f"{len(body):,} bytes, {note}",
        )
    ]


_OURS = request("/traefik/config?hold=0", GZIP)


async def _answer(port: int) -> tuple[bytes, bytes]:
    connection = await Connection.to(port)
    try:
        return await connection.ask(_OURS)
    finally:
        connection.close()


@asynccontextmanager
async def _nginx(folder: Path, head: bytes, body: bytes) -> AsyncIterator[Server]:
    files, port = folder / "files", free_port()
    files.mkdir(parents=True)
    folder.parent.chmod(0o755)  # its worker is another user, where we are root
    is_gzip = b"gzip" in head
    (files / "document.json").write_bytes(gzip.decompress(body) if is_gzip else body)
    (files / "document.json.gz").write_bytes(body if is_gzip else gzip.compress(body, 1))
    (folder / "nginx.conf").write_text(_CONFIGURATION.format(folder=folder, port=port))
    command = ("nginx", "-p", str(folder), "-e", str(folder / "error.log"))
    async with server(
        port, "/document.json", *command, "-c", str(folder / "nginx.conf")
    ) as running:
        yield running


BENCHMARK = Benchmark(
    "serving",
    "the document at N with gzip accepted, requests a second",
    "nginx gzip_static, one worker",
    measure,
    quick=((1000,), 3),
    full=((100, 1000, 10_000), 10),
)

if __name__ == "__main__":
    alone(BENCHMARK)
