"""One cold start, in this process; prints its milliseconds. See `cold_start.py`.

python cold_start_process.py serve FOLDER | parse FILE | read FILE
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import structlog
from polling import GZIP, Connection, request
from processes import daemon_flags

from provider.daemon import prepare_process, running
from provider.settings import read_settings


def main() -> None:
    """Do what the arguments say."""
    what, path = sys.argv[1], Path(sys.argv[2])
    if what == "serve":
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
        took_s = asyncio.run(_until_served(path))
    else:
        start_s = time.perf_counter()
        content = path.read_bytes()
        if what == "parse":
            json.loads(content)
        took_s = time.perf_counter() - start_s
    print(took_s * 1000)


async def _until_served(folder: Path) -> float:
    """From before the daemon is put together to the last byte of its document, in gzip."""
    settings = read_settings([*daemon_flags(folder, 0), "--survey-s=86400"])
    start_s = time.perf_counter()
    prepare_process()  # as `serve` does
    async with running(settings) as port:
        connection = await Connection.to(port)
        await connection.ask(request("/traefik/config?hold=0", GZIP))
        took_s = time.perf_counter() - start_s
        connection.close()
    return took_s


if __name__ == "__main__":
    main()
