"""Push over a stock poller: a request is held until its connection would get something new.

Traefik keeps one connection and asks again after each answer. The first request of a connection
is answered at once, since nothing is known of what its Traefik holds; a later one waits until
there is a body that this connection has not had. Source: traefik `pkg/provider/http/http.go`.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable

import structlog

from provider.current import Current
from provider.departure import Departure
from provider.pollers import Connection, Poller, Pollers
from provider.publication import Publication
from provider.turned_away import TurnedAway

_ONE_AGE_S = 0.4
_SHORTENED_TO = 0.8
_SHORTENED_FOR_S = 600.0
_HOLD_MIN_S = 0.25
_REMOTES_MAX = 1000
# A Traefik 3.7 on two CPUs takes 2.9 s for 10,000 routes (2.5 MB); most machines take less.
_TAKEN_IN_S_PER_MB = 0.8
_TAKEN_IN_MAX_S = 5.0

_log = structlog.get_logger()


class Polls:
    """Who had which document. `met` is called at the first request of a connection.

    `answered` and `held` count since the start; `holding` are the requests held right now, and
    `turned_away` are those who were not let in.
    """

    def __init__(self, current: Current, hold_s: float) -> None:
        self._current, self._hold_s = current, hold_s
        self._book = Pollers()
        self._shortened: dict[str, tuple[float, float]] = {}
        self._last_hang_up: dict[str, float] = {}
        self.met: Callable[[], None] = lambda: None
        self.answered = 0
        self.held = 0
        self.holding = 0
        self.turned_away = TurnedAway()

    async def next_document(
        self,
        connection: Connection | None,
        remote: str,
        client: Departure,
        *,
        hold: bool,
        user_agent: str = "",
        instance: str = "",
    ) -> Publication | None:
        """The publication to answer with; None when nothing was ever published.

        Waits at most `hold_s`, and no longer when the client hangs up.
        """
        if connection is not None and self._book.asked(connection, remote, user_agent, instance):
            self.met()
        current = self._current.publication
        if current is None:
            return None
        known = connection is not None and self._book.digest_of(connection) == current.digest
        if connection is not None and hold and not self._current.closing.is_set():
            if known:
                await self._held(connection, current, remote, client)
            await self._paced(connection, client)
        latest = self._current.publication or current
        if connection is not None and not client.has_come:
            self._book.answered(connection, latest.digest, held=hold)
        self.answered += 1
        return latest

    def repeated(self, connection: Connection, publication: Publication) -> bool:
        """Count one more poll that is not held, which gets the same document as the last one.

        False where that document is not in force any more, or the connection is not known.
        """
        is_same = publication is self._current.publication and not self._current.closing.is_set()
        if not is_same or not self._book.asked_again(connection, publication.digest):
            return False
        self.answered += 1
        return True

    def pollers(self) -> tuple[Poller, ...]:
        """Who polls, 1,000 at most, and then the last 20 that left within ten minutes."""
        return self._book.listed()

    @property
    def connected(self) -> int:
        """How many connections have polled and are alive."""
        return self._book.connected

    def oldest_poll_age_s(self) -> float | None:
        """How long the most silent connection has been so; 0 while it is held, None without any."""
        return self._book.oldest_poll_age_s()

    async def _held(
        self,
        connection: Connection,
        current: Publication,
        remote: str,
        client: Departure,
    ) -> None:
        self.held += 1
        self.holding += 1
        self._book.set_held(connection, True)
        try:
            await self._hold(current, remote, client)
        finally:
            self._book.set_held(connection, False)
            self.holding -= 1

    async def _paced(self, connection: Connection, client: Departure) -> None:
        """Wait until a Traefik could have taken in what it was given last.

        Changes in a row would else have it read large documents without end, and apply none. The
        first change after a while never waits here.
        """
        closing = self._current.closing
        while (left_s := self._early_s(connection)) > 0 and not client.has_come:
            await _set_within(closing, left_s, client)
            if closing.is_set():
                return

    def _early_s(self, connection: Connection) -> float:
        latest, given_s = self._current.publication, self._book.given_s(connection)
        if latest is None or self._book.digest_of(connection) == latest.digest:
            return 0.0
        takes_s = min(_TAKEN_IN_MAX_S, latest.size_bytes / 1e6 * _TAKEN_IN_S_PER_MB)
        return given_s + takes_s - time.monotonic()

    async def _hold(self, current: Publication, remote: str, client: Departure) -> None:
        start_s = time.monotonic()
        await _set_within(current.superseded, self._hold_of(remote), client)
        if client.has_come and not current.superseded.is_set():
            self._hung_up(remote, time.monotonic() - start_s)

    def _hold_of(self, remote: str) -> float:
        hold_s, until_s = self._shortened.get(remote, (self._hold_s, math.inf))
        if time.monotonic() < until_s:
            return hold_s
        del self._shortened[remote]
        return self._hold_s

    def _hung_up(self, remote: str, waited_s: float) -> None:
        """A pollTimeout below our hold ends every hold at one age; a person's Ctrl-C does not."""
        last_s = self._last_hang_up.get(remote)
        if len(self._last_hang_up) >= _REMOTES_MAX:
            self._last_hang_up.clear()
        self._last_hang_up[remote] = waited_s
        if last_s is None or abs(last_s - waited_s) > _ONE_AGE_S:
            return
        hold_s = max(_HOLD_MIN_S, waited_s * _SHORTENED_TO)
        self._shortened[remote] = (hold_s, time.monotonic() + _SHORTENED_FOR_S)
        _log.warning(
            "poller_hung_up",
            remote=remote,
            waited_s=round(waited_s, 1),
            hold_s=round(hold_s, 1),
            advice="set its pollTimeout above ROUTEBOOK_HOLD_S",
        )


async def _set_within(event: asyncio.Event, longest_s: float, client: Departure) -> None:
    """Returns when the event is set, after this time, or when the client hangs up."""
    if client.has_come:
        return
    loop = asyncio.get_running_loop()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(longest_s) as limit:

            def end() -> None:
                """Nobody is there to wait for."""
                if not limit.expired():
                    limit.reschedule(loop.time())

            with client.telling(end):
                await event.wait()
