"""Daemons in this event loop, and what their clients see."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from provider.daemon import running
from provider.settings import read_settings
from tests.safety.folders import Folders, eventually

ALL = "/api/environments"
CONFIRM = "/api/catalogue/confirm"


@dataclass(frozen=True)
class Answer:
    """A whole response."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    value: Any


@dataclass
class Daemon:
    """A daemon over folders, and a client of it; `headers` go with every request."""

    folders: Folders
    headers: dict[str, str] = field(default_factory=dict)
    port: int = 0
    session: aiohttp.ClientSession = field(init=False, repr=False)
    _parts: AsyncExitStack = field(default_factory=AsyncExitStack, repr=False)

    async def start(self, *flags: str, listen: str = "127.0.0.1:0") -> Daemon:
        """Run it on a free port."""
        flags = (*self.folders.flags, f"--listen={listen}", *flags)
        settings = read_settings(flags, environ={})
        self.port = await self._parts.enter_async_context(running(settings))
        session = aiohttp.ClientSession(f"http://127.0.0.1:{self.port}")
        self.session = await self._parts.enter_async_context(session)
        return self

    async def stop(self) -> None:
        """End it; a second time does nothing."""
        await self._parts.aclose()

    async def call(self, method: str, path: str, **more: Any) -> Answer:
        """One request, and the whole response to it."""
        headers = {**self.headers, **more.pop("headers", {})}
        async with self.session.request(method, path, headers=headers, **more) as response:
            content = await response.read()
            is_json = content and "json" in response.headers.get("Content-Type", "")
            value = await response.json(content_type=None) if is_json else None
            return Answer(response.status, response.headers, content, value)

    async def read(self, ref: str) -> dict[str, Any]:
        """The environment with this id or slug."""
        answer = await self.call("GET", f"{ALL}/{ref}")
        assert answer.status == 200, answer.value
        return dict(answer.value)

    async def problems(self) -> list[dict[str, Any]]:
        """What `/api/health` says is wrong."""
        return list((await self.call("GET", "/api/health")).value["problems"])

    async def problem(
        self, code: str, environment: str | None, timeout_s: float = 10.0
    ) -> dict[str, Any]:
        """The problem of this code and environment, once health shows it."""

        async def shows() -> dict[str, Any]:
            found = await self.problems()
            wanted = [p for p in found if (p["code"], p["environment"]) == (code, environment)]
            assert wanted, found
            return wanted[0]

        return dict(await eventually(shows, timeout_s))

    async def without_problems(self, timeout_s: float = 10.0) -> None:
        """Wait until health shows none."""

        async def shows() -> None:
            assert await self.problems() == []

        await eventually(shows, timeout_s)

    async def rules(self) -> str:
        """The rules of the document that Traefik would get now."""
        answer = await self.call("GET", "/traefik/config?hold=0")
        routers = answer.value["http"].get("routers", {})
        return "\n".join(router["rule"] for router in routers.values())

    async def routes(self, *hosts: str, timeout_s: float = 10.0) -> None:
        """Wait until the document has routes of exactly these hosts."""

        async def shows() -> None:
            rules = (await self.rules()).splitlines()
            assert sorted(rules) == sorted(f'Host("{host}")' for host in hosts)

        await eventually(shows, timeout_s)


def refused(answer: Answer, status: int, code: str) -> dict[str, Any]:
    """The problem of an answer that must have this status and code."""
    assert (answer.status, (answer.value or {}).get("code")) == (status, code), answer.content
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    return dict(answer.value)
