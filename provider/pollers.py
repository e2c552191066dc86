"""Who polled, when, and what each was given: a fact for each connection, kept weakly."""

from __future__ import annotations

import asyncio
import math
import time
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


@dataclass(slots=True)
class _Alive:
    """A connection: the poller as it was, and what each poll changes.

    `given_s` is the monotonic time at which its document was first given to it.
    """

    poller: Poller
    last_at: datetime
    polls: int = 1
    given_s: float = -math.inf

    def seen(self) -> Poller:
        """The poller as it is."""
        return replace(self.poller, last_at=self.last_at, polls=self.polls)


class Pollers:
    """The connections that poll, each by its task, and the last few that ended."""

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock
        self._alive: WeakKeyDictionary[Connection, _Alive] = WeakKeyDictionary()
        self._gone: deque[Poller] = deque(maxlen=GONE_MAX)

    def asked(self, connection: Connection, remote: str, user_agent: str, instance: str) -> bool:
        """A request came; whether it is the first of its connection."""
        now, known = self._clock(), self._alive.get(connection)
        if known is None:
            name = _shown(user_agent)
            poller = Poller(remote, name, _shown(instance), now, now)
            self._alive[connection] = _Alive(poller, now)
            connection.add_done_callback(self._ended)
            return True
        if instance != known.poller.instance:
            known.poller = replace(known.poller, instance=_shown(instance))
        known.last_at, known.polls = now, known.polls + 1
        return False

    def asked_again(self, connection: Connection, digest: str) -> bool:
        """One that looks sent its last request once more, and gets the same document.

        `last_at` stays: who asks so is heard as by `asked` every second. False for one that is not
        known, or that was given another document last.
        """
        known = self._alive.get(connection)
        if known is None or known.poller.digest != digest or not known.poller.is_looking:
            return False
        known.polls += 1
        return True

    def answered(self, connection: Connection, digest: str, *, held: bool) -> None:
        """A document goes to it; `held` says that it would have waited for a new one."""
        known = self._alive.get(connection)
        if known is None:
            return
        is_same = known.poller.digest == digest
        if not is_same or known.poller.is_looking is held:
            at = known.poller.delivered_at if is_same else self._clock()
            known.given_s = known.given_s if is_same else time.monotonic()
            known.poller = replace(
                known.poller, digest=digest, delivered_at=at, is_looking=not held
            )

    def set_held(self, connection: Connection, is_held: bool) -> None:
        """Its request is held, or is not any more."""
        known = self._alive.get(connection)
        if known is not None:
            known.poller = replace(known.poller, is_held=is_held)

    def digest_of(self, connection: Connection) -> str | None:
        """The document that it was last given."""
        known = self._alive.get(connection)
        return known.poller.digest if known else None

    def given_s(self, connection: Connection) -> float:
        """The monotonic time at which its document was first given to it; -inf before that."""
        known = self._alive.get(connection)
        return known.given_s if known else -math.inf

    def listed(self) -> tuple[Poller, ...]:
        """Those that are alive, 1,000 at most, and then those that left within ten minutes."""
        oldest = self._clock() - GONE_FOR
        gone = (each for each in self._gone if each.gone_at and each.gone_at > oldest)
        alive = (each.seen() for each in islice(self._alive.values(), LISTED_MAX))
        return (*alive, *gone)

    @property
    def connected(self) -> int:
        """How many are alive."""
        return len(self._alive)

    def oldest_poll_age_s(self) -> float | None:
        """Of those alive; a held one is asking right now."""
        now = self._clock()
        ages = (
            0.0 if each.poller.is_held else (now - each.last_at).total_seconds()
            for each in self._alive.values()
        )
        return max(ages, default=None)

    def _ended(self, connection: Connection) -> None:
        known = self._alive.pop(connection, None)
        if known is not None:
            self._gone.append(replace(known.seen(), gone_at=self._clock(), is_held=False))


def _shown(text: str) -> str:
    return "".join(character for character in text if character.isprintable())[:NAME_LENGTH_MAX]
