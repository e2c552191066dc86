"""Live events: published from the event loop, to subscribers that can never slow it down."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from registry.event_stream import EventKind
from registry.fields import instant_text
from registry.store import utc_now

WAITING_MAX = 1000


@dataclass(frozen=True, eq=False)
class Event:
    """What happened. `id` is `<boot>-<n>`: another boot is another run of the daemon."""

    id: str
    kind: EventKind
    data: Mapping[str, Any]

    @cached_property
    def text(self) -> str:
        """The data as one line of JSON, made once for all subscribers."""
        return json.dumps(self.data, separators=(",", ":"))


Wants = Callable[[Event], bool]


class Subscription:
    """The events that one subscriber has not had yet, 1,000 at most.

    Who is slower than that gets a `reset` in place of what was lost. `is_closed` says that no
    more will come.
    """

    def __init__(self, wants: Wants) -> None:
        self._wants = wants
        self._waiting: deque[Event] = deque()
        self._news = asyncio.Event()
        self.is_closed = False

    def put(self, event: Event) -> None:
        """Keep an event for the subscriber, when it wants it."""
        if not self._wants(event):
            return
        if len(self._waiting) >= WAITING_MAX:
            self._waiting.clear()
            event = Event(event.id, "reset", _reset("events came faster than they were read"))
        self._waiting.append(event)
        self._news.set()

    async def next(self, wait_s: float) -> Event | None:
        """The next event; None when none came in that time, or none will come any more."""
        if not self._waiting and not self.is_closed:
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._news.wait()
        return self._waiting.popleft() if self._waiting and not self.is_closed else None

    def close(self) -> None:
        """End it, and wake the subscriber."""
        self.is_closed = True
        self._news.set()


class Events:
    """The hub. Nothing is kept: who was not subscribed when an event was published misses it."""

    def __init__(self) -> None:
        self._boot, self._count = secrets.token_hex(4), 0
        self._subscriptions: set[Subscription] = set()
        self._closed = False

    @property
    def subscribers(self) -> int:
        """How many there are now."""
        return len(self._subscriptions)

    def publish(self, kind: EventKind, data: Mapping[str, Any]) -> None:
        """Give an event to every subscriber; `at` is now, unless the data has one.

        Only from the event loop. The data must be JSON values, without secrets.
        """
        self._count += 1
        if self._subscriptions:
            event = Event(self._id(), kind, {"at": _now(), **data})
            for subscription in self._subscriptions:
                subscription.put(event)

    @contextlib.contextmanager
    def subscribe(self, wants: Wants = lambda _event: True) -> Iterator[Subscription]:
        """The events from now on that `wants` says yes to."""
        subscription = Subscription(wants)
        if self._closed:
            subscription.close()
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    def reset(self, reason: str) -> Event:
        """Tells one subscriber that it may have missed something: read everything anew."""
        return Event(self._id(), "reset", _reset(reason))

    def close(self) -> None:
        """End every subscription, and those that come later; called at shutdown."""
        self._closed = True
        for subscription in self._subscriptions:
            subscription.close()

    def _id(self) -> str:
        return f"{self._boot}-{self._count}"


def _reset(reason: str) -> dict[str, Any]:
    return {"at": _now(), "reason": f"{reason}: read everything anew"}


def _now() -> str:
    return instant_text(utc_now())
