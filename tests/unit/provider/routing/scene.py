"""A board between a catalogue and Traefiks that a test describes, under a clock that it moves."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from provider.document_log import DocumentLog
from provider.events import Events, Subscription
from provider.meters import Meters
from provider.observe.facts import RouterFact, TraefikFacts
from provider.observe.sighting import Sighting
from provider.pollers import Poller
from provider.reconciler import Rendered
from provider.render.compile import Rules
from provider.render.compiler import Compiler
from provider.render.document import Document, assemble
from provider.routing.announcer import Announcer
from provider.routing.board import RoutingBoard
from provider.routing.live import Watched
from provider.routing.served import ServedSince
from registry.entries import Entry, RawRecord
from registry.schema import Environment
from registry.snapshot import Snapshot
from tests.records import routed
from tests.unit.fakes import NOON, Clock

URL, SECOND = "http://traefik.test:8080", "http://second.test:8080"
DEV, CHANGED = routed("dev"), routed("dev", service_url="http://10.0.0.9:9000")
AWAY = TraefikFacts(URL)


def entry(environment: Environment | None, **more: Any) -> Entry:
    """The entry of a record."""
    return Entry(RawRecord("", "{}"), environment, **more)


def snapshot(*environments: Environment) -> Snapshot:
    """A catalogue of good records."""
    return Snapshot(tuple(map(entry, environments)))


def document(*environments: Environment) -> Document:
    """The document of these."""
    return assemble(Compiler(Rules()).compile_all(environments))


def here(digest: str | None, **changes: Any) -> TraefikFacts:
    """A Traefik that runs this, looked at and surveyed at noon."""
    facts = replace(
        AWAY,
        problem=None,
        looked_at=NOON,
        surveyed_at=NOON,
        started_at="then",
        version="3.7.15",
        live_digest=digest,
    )
    return replace(facts, **changes)


def fault(environment_id: str, status: str = "disabled", **changes: Any) -> RouterFact:
    """A router of ours that Traefik does not plainly run."""
    router = RouterFact(
        f"{environment_id}.exact.websecure@http",
        "",
        20_000,
        status,
        ("websecure",),
        environment_id,
        errors=('middleware "auht@file" does not exist',),
    )
    return replace(router, **changes)


def watched(log: DocumentLog, facts: TraefikFacts, **changes: Any) -> Watched:
    """What is known of a Traefik after one look."""
    sighting = Sighting(AWAY, NOON)
    sighting.see(facts, NOON)
    return replace(Watched(sighting, ServedSince(NOON), log, None, NOON), **changes)


class FakePolls:
    """Who polls, as a test says."""

    def __init__(self) -> None:
        self.known: tuple[Poller, ...] = ()

    def pollers(self) -> tuple[Poller, ...]:
        """Who polls."""
        return self.known


@dataclass
class FakeStore:
    """What is in force."""

    snapshot: Snapshot | None = None


class FakeReconciler:
    """What was rendered; `catch_up` is what a pass does when somebody waits for one."""

    def __init__(self) -> None:
        self.rendered: Rendered | None = None
        self.catch_up: Any = lambda: None

    @property
    def document(self) -> Document | None:
        """The document in force."""
        return self.rendered.document if self.rendered else None

    async def caught_up(self) -> None:
        """A pass."""
        waiting = self.catch_up()
        if waiting is not None:
            await waiting


@dataclass
class Scene:
    """The board and everything around it."""

    urls: tuple[str, ...] = (URL,)
    clock: Clock = field(default_factory=Clock)
    events: Events = field(default_factory=Events)
    meters: Meters = field(default_factory=Meters)
    polls: Any = field(default_factory=FakePolls)
    store: Any = field(default_factory=FakeStore)
    reconciler: Any = field(default_factory=FakeReconciler)
    board: RoutingBoard = field(init=False)
    told: Subscription = field(init=False)

    def __post_init__(self) -> None:
        self.board = RoutingBoard(
            self.urls,
            self.store,
            self.reconciler,
            self.polls,
            Announcer(self.events, self.meters),
            frozenset({"websecure"}),
            self.clock,
        )
        subscribing = self.events.subscribe()
        self.told = subscribing.__enter__()
        self._open = subscribing

    def write(self, *environments: Environment) -> None:
        """These are in force, and not rendered yet."""
        self.store.snapshot = snapshot(*environments)

    def render(self, *environments: Environment) -> str:
        """These are in force, rendered and published; the digest."""
        self.write(*environments)
        made, before = document(*environments), self.reconciler.document
        self.reconciler.rendered = Rendered(made, self.store.snapshot)
        if before is None or before.digest != made.digest:
            self.board.entered(made, 0.0)
        self.board.rendered(self.reconciler.rendered)
        return made.digest

    def see(self, digest: str | None, **changes: Any) -> None:
        """A Traefik is looked at now, and runs this."""
        now = self.clock()
        self.board.seen(here(digest, **{"looked_at": now, "surveyed_at": now, **changes}))

    def live(self, environment: Environment) -> tuple[str, str]:
        """Status and reason of its condition Live."""
        live = self.board.routing_of(entry(environment)).live
        return live.status, live.reason

    async def heard(self) -> list[dict[str, Any]]:
        """The events since the last time, each with its kind."""
        heard = []
        while (event := await self.told.next(0)) is not None:
            heard.append({"kind": event.kind, **event.data})
        return heard

    def metric(self, name: str, url: str = URL) -> float | None:
        """The value of a sample."""
        return self.meters.registry.get_sample_value(name, {"traefik": url})
