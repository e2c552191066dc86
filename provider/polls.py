"""Push over a stock poller: a request is held until its connection would get something new.

Traefik keeps one connection and asks again after each answer. The first request of a connection
is answered at once, since nothing is known of what its Traefik holds; a later one waits until
there is a body that this connection has not had. Source: traefik `pkg/provider/http/http.go`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from weakref import WeakKeyDictionary

import structlog

from provider.current import Current
from provider.publication import Publication

_HANG_UP_CHECK_S = 0.2
_SHORTENED_TO = 0.8
_HOLD_MIN_S = 0.25
_REMOTES_MAX = 1000

_log = structlog.get_logger()
Connection = asyncio.Task[object]


class Polls:
    """Who had which document. A connection is its task: aiohttp runs one for each."""

    def __init__(self, current: Current, hold_s: float) -> None:
        self._current, self._hold_s = current, hold_s
        self._had: WeakKeyDictionary[Connection, str] = WeakKeyDictionary()
        self._shortened: dict[str, float] = {}
        self.answered = 0
        self.held = 0

    async def next_document(
        self, connection: Connection | None, remote: str, gone: Callable[[], bool], *, hold: bool
    ) -> Publication | None:
        """The publication to answer with; None when nothing was ever published.

        Waits at most `hold_s`. `gone` says that the client hung up: then the wait ends soon.
        """
        current = self._current.publication
        if current is None:
            return None
        known = connection is not None and self._had.get(connection) == current.digest
        if hold and known and not self._current.closing.is_set():
            self.held += 1
            await self._hold(current, remote, gone)
        latest = self._current.publication or current
        if connection is not None:
            self._had[connection] = latest.digest
        self.answered += 1
        return latest

    async def _hold(self, current: Publication, remote: str, gone: Callable[[], bool]) -> None:
        hold_s = self._shortened.get(remote, self._hold_s)
        start_s = time.monotonic()
        while (left_s := start_s + hold_s - time.monotonic()) > 0:
            try:
                # In slices: aiohttp tells a handler of a hang-up only by cancelling it.
                async with asyncio.timeout(min(left_s, _HANG_UP_CHECK_S)):
                    await current.superseded.wait()
                return
            except TimeoutError:
                if gone():
                    self._shorten(remote, time.monotonic() - start_s)
                    return

    def _shorten(self, remote: str, waited_s: float) -> None:
        if len(self._shortened) >= _REMOTES_MAX:
            self._shortened.clear()
        hold_s = max(_HOLD_MIN_S, waited_s * _SHORTENED_TO)
        self._shortened[remote] = min(hold_s, self._shortened.get(remote, self._hold_s))
        _log.warning(
            "poller_hung_up",
            remote=remote,
            waited_s=round(waited_s, 1),
            hold_s=round(self._shortened[remote], 1),
            advice="unless it was stopped: set its pollTimeout above ROUTEBOOK_HOLD_S",
        )
