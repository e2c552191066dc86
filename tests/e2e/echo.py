"""Upstreams that say which of them was asked, for what path and host, whatever the bytes are."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager


@asynccontextmanager
async def echoes(count: int) -> AsyncIterator[list[int]]:
    """That many servers on loopback, named by their number; gives their ports."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(_echo(str(number))) for number in range(count)]


@asynccontextmanager
async def _echo(name: str) -> AsyncIterator[int]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                first, *lines = head.split("\r\n")
                host = next(line[5:].strip() for line in lines if line.lower().startswith("host:"))
                seen = {"upstream": name, "path": first.split(" ")[1], "host": host}
                body = json.dumps(seen).encode()
                writer.write(
                    f"HTTP/1.1 200 OK\r\nX-Upstream: {name}\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n".encode()
                    + body
                )
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
