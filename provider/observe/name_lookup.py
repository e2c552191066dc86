"""Host names to addresses, as the machine resolves them, `/etc/hosts` included. I/O only.

Each lookup has a thread of its own, which nobody waits for: a resolver that hangs holds up
neither the threads that write files nor the end of the daemon.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable

LOOKUPS_AT_ONCE = 20

Lookup = Callable[[str], Awaitable[list[str]]]


class LookupsBusy(Exception):
    """So many lookups hang that this one was not begun."""


class NameLookup:
    """At most 20 lookups at once; one that is given up goes on counting until it ends."""

    def __init__(self, resolve: Callable[[str], list[str]] | None = None) -> None:
        self._resolve = resolve or addresses_of
        self._under_way = 0

    async def __call__(self, host: str) -> list[str]:
        """The addresses, each once, best first. Raises OSError, UnicodeError and LookupsBusy."""
        if self._under_way >= LOOKUPS_AT_ONCE:
            raise LookupsBusy(f"{self._under_way} lookups of names are still under way")
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[str]] = loop.create_future()
        self._under_way += 1

        def end(addresses: list[str], error: Exception | None) -> None:
            self._under_way -= 1
            if not found.done():
                found.set_exception(error) if error else found.set_result(addresses)

        def work() -> None:
            addresses: list[str] = []
            problem: Exception | None = None
            try:
                addresses = self._resolve(host)
            except Exception as error:
                problem = error
            with contextlib.suppress(RuntimeError):  # the daemon has ended
                loop.call_soon_threadsafe(end, addresses, problem)

        threading.Thread(target=work, name="name-lookup", daemon=True).start()
        return await found


def addresses_of(host: str) -> list[str]:
    """What getaddrinfo says. Raises OSError, and UnicodeError for what is no name."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))
