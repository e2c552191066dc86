"""A reader of `/api/events`, as tests need it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from registry.event_stream import Streamed, events_of
from tests.daemons import Daemon

DEADLINE_S = 20.0


class Stream:
    """One open stream."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def next(self) -> Streamed:
        """The next event; pings are left out."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                lines = []
                while not lines or lines[-1].strip():
                    lines.append(await self.response.content.readline())
                    assert lines[-1], "the stream ended"
                for event in events_of(lines):
                    if event is not None:
                        return event

    async def until(self, kind: str, **facts: Any) -> Any:
        """The data of the first event of this kind that has these facts."""
        while True:
            event = await self.next()
            if event.kind == kind and facts.items() <= event.data.items():
                return event.data

    async def rest(self) -> bytes:
        """All until the daemon ends it. Raises ClientPayloadError when it is cut off."""
        async with asyncio.timeout(DEADLINE_S):
            return await self.response.read()


@asynccontextmanager
async def streaming(
    daemon: Daemon, query: str = "", headers: dict[str, str] | None = None
) -> AsyncIterator[Stream]:
    """An open stream; what happens after this is in it."""
    async with daemon.session.get(f"/api/events{query}", headers=headers) as response:
        assert response.status == 200, await response.text()
        yield Stream(response)
