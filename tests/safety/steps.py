"""What a daemon shows, as the tests of this folder wait for it."""

from __future__ import annotations

from tests.api.steps import problems, routed_hosts
from tests.daemons import Daemon, eventually

CONFIRM = "/api/catalogue/confirm"
HISTORY = "/api/history"


async def until_routes(daemon: Daemon, *hosts: str, timeout_s: float = 10.0) -> None:
    """Wait until the document has routes of exactly these hosts."""

    async def shows() -> None:
        rules = (await routed_hosts(daemon)).splitlines()
        assert sorted(rules) == sorted(f'Host("{host}")' for host in hosts)

    await eventually(shows, timeout_s)


async def until_fine(daemon: Daemon) -> None:
    """Wait until health shows no problem."""

    async def shows() -> None:
        assert await problems(daemon) == []

    await eventually(shows)
