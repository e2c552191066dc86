"""Who polled, when, and what each was given: a fact for each connection, kept weakly."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from weakref import WeakKeyDictionary

from registry.store import utc_now

LISTED_MAX = 1000
GONE_MAX = 20
GONE_FOR = timedelta(minutes=10)
NAME_LENGTH_MAX = 100
Connection = asyncio.Task[object]


@dataclass(frozen=True, slots=True)
class Poller:
    """One connection. `instance` is the name that it gives itself.

    `digest` is the document that it was last given, `delivered_at` when it first was; `gone_at`
    is None while the connection is alive. `is_looking` says that it asked not to be held, as
    people do who look.
    """

    remote: str
    user_agent: str
    instance: str
    first_at: datetime
    last_at: datetime
    polls: int = 0
    digest: str | None = None
    delivered_at: datetime | None = None
    is_held: bool = False
    is_looking: bool = False
    gone_at: datetime | None = None


class Pollers:
    """The connections that poll, each by its task, and the last few that ended."""

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock
        self._alive: WeakKeyDictionary[Connection, Poller] = WeakKeyDictionary()
        self._gone: deque[Poller] = deque(maxlen=GONE_MAX)

    def asked(self, connection: Connection, remote: str, user_agent: str, instance: str) -> bool:
        """A request came; whether it is the first of its connection."""
        now, known = self._clock(), self._alive.get(connection)
        if known is None:
            name = _shown(user_agent)
            self._alive[connection] = Poller(remote, name, _shown(instance), now, now, 1)
            connection.add_done_callback(self._ended)
            return True
        if instance != known.instance:
            known = replace(known, instance=_shown(instance))
        self._alive[connection] = replace(known, last_at=now, polls=known.polls + 1)
        return False

    def answered(self, connection: Connection, digest: str, *, held: bool) -> None:
        """A document goes to it; `held` says that it would have waited for a new one."""
        known = self._alive.get(connection)
        if known is not None:
            at = known.delivered_at if known.digest == digest else self._clock()
            self._alive[connection] = replace(
                known, digest=digest, delivered_at=at, is_looking=not held
            )

    def set_held(self, connection: Connection, is_held: bool) -> None:
        """Its request is held, or is not any more."""
        known = self._alive.get(connection)
        if known is not None:
            self._alive[connection] = replace(known, is_held=is_held)

    def digest_of(self, connection: Connection) -> str | None:
        """The document that it was last given."""
        known = self._alive.get(connection)
        return known.digest if known else None

    def listed(self) -> tuple[Poller, ...]:
        """Those that are alive, 1,000 at most, and then those that left within ten minutes."""
        oldest = self._clock() - GONE_FOR
        gone = (each for each in self._gone if each.gone_at and each.gone_at > oldest)
        return (*islice(self._alive.values(), LISTED_MAX), *gone)

    @property
    def connected(self) -> int:
        """How many are alive."""
        return len(self._alive)

    def oldest_poll_age_s(self) -> float | None:
        """Of those alive; a held one is asking right now."""
        now = self._clock()
        ages = (
            0.0 if p.is_held else (now - p.last_at).total_seconds() for p in self._alive.values()
        )
        return max(ages, default=None)

    def _ended(self, connection: Connection) -> None:
        known = self._alive.pop(connection, None)
        if known is not None:
            self._gone.append(replace(known, gone_at=self._clock(), is_held=False))


def _shown(text: str) -> str:
    return "".join(character for character in text if character.isprintable())[:NAME_LENGTH_MAX]
