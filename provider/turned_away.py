"""Who polls and is not let in: its Traefik goes on with what it had, and nobody would notice."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import structlog

_TOLD_FOR_S = 60.0
_ADDRESSES_MAX = 20

_log = structlog.get_logger()


class Refusal(NamedTuple):
    """The last one of an address, and how many there were of it in a row."""

    at_s: float
    reason: str
    times: int


class TurnedAway:
    """The last refusals of polls by address, of 20 at most; each is forgotten after a minute."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._refusals: dict[str, Refusal] = {}

    def note(self, remote: str, reason: str) -> None:
        """A poll of this address was refused."""
        before = self._known().get(remote)
        times = before.times + 1 if before else 1
        self._refusals.pop(remote, None)
        if len(self._refusals) >= _ADDRESSES_MAX:
            self._refusals.pop(next(iter(self._refusals)))
        self._refusals[remote] = Refusal(self._clock_s(), reason, times)
        if times == 2:
            _log.warning("poller_refused", remote=remote, reason=reason)

    def listed(self) -> dict[str, str]:
        """Why, by address, of who came again within a minute, as a Traefik does."""
        return {remote: each.reason for remote, each in self._known().items() if each.times > 1}

    def _known(self) -> dict[str, Refusal]:
        oldest_s = self._clock_s() - _TOLD_FOR_S
        return {key: each for key, each in self._refusals.items() if each.at_s >= oldest_s}
