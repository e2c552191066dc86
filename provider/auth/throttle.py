"""Slowing down who guesses: by (address, account), before anything is hashed."""

from __future__ import annotations

from collections.abc import Callable

FREE_TRIES = 5
WAIT_S, WAIT_MAX_S = 1.0, 300.0
_PAIRS_MAX = 10_000

_Pair = tuple[str, str]


class LoginThrottle:
    """After five failures each further try waits twice as long, up to five minutes."""

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._failed: dict[_Pair, tuple[int, float]] = {}

    def wait_s(self, address: str, account: str) -> float:
        """Seconds until the next try is looked at; 0 when it may be now."""
        failures, last_s = self._failed.get((address, account), (0, 0.0))
        if failures < FREE_TRIES:
            return 0.0
        wait_s = min(WAIT_MAX_S, WAIT_S * 2.0 ** min(failures - FREE_TRIES, 20))
        return max(0.0, last_s + wait_s - self._clock_s())

    def failed(self, address: str, account: str) -> None:
        """Count a wrong password. The oldest pair is forgotten when there are too many."""
        failures, _ = self._failed.pop((address, account), (0, 0.0))
        while len(self._failed) >= _PAIRS_MAX:
            self._failed.pop(next(iter(self._failed)))
        self._failed[address, account] = (failures + 1, self._clock_s())

    def succeeded(self, address: str, account: str) -> None:
        """Forget the failures."""
        self._failed.pop((address, account), None)
