"""What is known of the routing of every environment now: documents, Traefiks, and who waits."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from provider.document_log import DocumentLog
from provider.neighbours.index import Neighbour
from provider.observe.facts import TraefikFacts
from provider.observe.sighting import Run, Sighting
from provider.polls import Polls
from provider.reconciler import Reconciler, Rendered
from provider.render.document import Document
from provider.render.rules import priority
from provider.routing.announcer import Announcer
from provider.routing.conditions import acceptance, publication_of, validity
from provider.routing.exceptions import Exceptions, Kind
from provider.routing.known import Known, Refused, said_by
from provider.routing.live import Watched, live_on
from provider.routing.problems import problems_of
from provider.routing.refusal import refused_since
from provider.routing.served import ServedSince
from provider.routing.values import NO_TRAEFIK, Condition, LiveOn, Routing, Status
from registry.entries import Entry, RawRecord
from registry.schema import Environment
from registry.snapshot import Snapshot
from registry.store import EnvironmentStore

_DELETED = Condition("False", "deleted", "the environment is deleted")
_BEING_DELETED = Condition("Unknown", "not_rendered", "its deletion is being rendered")
_PUBLISHED = Condition("True", "published", "")
_COUNTED_AT_ONCE = 200
_ORDER: tuple[Status, ...] = ("False", "Unknown", "True")


class RoutingBoard:
    """Conditions on demand. `urls` are the APIs of the known Traefiks, as they are shown.

    `changed` is called when a Traefik says anything else than before.
    """

    def __init__(
        self,
        urls: Iterable[str],
        store: EnvironmentStore,
        reconciler: Reconciler,
        polls: Polls,
        announcer: Announcer,
        tls_entrypoints: frozenset[str],
        clock: Callable[[], datetime],
    ) -> None:
        self._tls_entrypoints = tls_entrypoints
        self._store, self._reconciler, self._polls = store, reconciler, polls
        self._announcer, self._clock = announcer, clock
        self._log, self._exceptions = DocumentLog(), Exceptions()
        self._entered: Document | None = None
        now = clock()
        self._known = {
            url: Known(Sighting(TraefikFacts(url), now), ServedSince(now)) for url in urls
        }
        self._news = asyncio.Event()
        self.changed: Callable[[], None] = lambda: None
        self._is_closed = False

    @property
    def is_blind(self) -> bool:
        """Whether no Traefik is known, so that nothing can be said to be live."""
        return not self._known

    @property
    def facts(self) -> tuple[TraefikFacts, ...]:
        """What was last seen of each known Traefik."""
        return tuple(known.sighting.facts for known in self._known.values())

    @property
    def refused_by(self) -> Mapping[str, datetime]:
        """The Traefiks that do not take the newest document, and since when that is sure."""
        known = self._known.items()
        return {url: each.refused_since for url, each in known if each.refused_since}

    def entered(self, document: Document, changed_at_s: float) -> None:
        """A document came into force."""
        before, self._entered = self._entered, document
        changed = document.changed_since(before)
        self._log.add(document.digest, changed, self._clock(), changed_at_s)

    def rendered(self, rendered: Rendered) -> None:
        """A pass ended: what is wrong with the catalogue may be something else."""
        self._exceptions.note(rendered.snapshot, rendered.document, self._clock())
        self._tell_waiting()

    def seen(self, facts: TraefikFacts) -> None:
        """A Traefik was looked at."""
        known = self._known[facts.url]
        before, run = known.sighting.facts, known.sighting.run
        if known.sighting.see(facts, self._clock()):
            known.told = facts
            known.meet(facts)
            if known.sighting.run is not run:
                self._note_run(known, run)
            names = {fault.name for fault in before.faults}
            new = (fault for fault in facts.faults if fault.name not in names)
            self._announcer.refuses_routers(facts, new)
            self.changed()
        self._judge(known)
        self._tell_waiting()

    def routing_of(self, entry: Entry) -> Routing:
        """The conditions of one environment."""
        environment, rendered = entry.environment, self._reconciler.rendered
        fault, document = entry.fault, rendered.document if rendered else None
        of = environment.environment_id if environment else ""
        made_of = rendered.snapshot.by_id.get(of) if rendered else None
        published = replace(
            publication_of(environment, made_of.environment if made_of else None, document),
            since=self._log.since(of) or self._absent_since(environment),
        )
        traefiks = [self._live_on(known, of, published) for known in self._known.values()]
        stored_as = (fault.environment_id or fault.slug or "") if fault else of
        updated_at = environment.updated_at if environment else None
        return Routing(
            valid=self._dated(validity(entry), stored_as, "Valid", updated_at),
            accepted=self._dated(acceptance(environment, document), of, "Accepted", updated_at),
            published=published,
            live=_over_all(traefiks),
            traefiks=traefiks,
        )

    @property
    def made_of(self) -> tuple[object, ...]:
        """What the flags, reasons and messages of all conditions are made of, beside the entry.

        One of the objects is another one wherever one of them may say anything else.
        """
        latest, now = self._log.latest, self._clock()
        said = (part for known in self._known.values() for part in said_by(known, latest, now))
        return self._reconciler.rendered, latest, *said

    async def live_counts(self) -> dict[str, int | None]:
        """By Traefik, how many environments it serves as they are now; None: nobody can tell."""
        return {url: await self._live_count(known) for url, known in self._known.items()}

    async def prepare(self, facts: TraefikFacts) -> None:
        """Parse the routers of others before these facts are `seen`."""
        await asyncio.to_thread(self._known[facts.url].prepare, facts)

    def problems(self) -> list[dict[str, str | None]]:
        """What is wrong with the known Traefiks, as `/api/health` shows it."""
        return [
            {"code": each.code, "environment": each.environment_id, "detail": each.detail}
            for known in self._known.values()
            for each in problems_of(
                known.sighting.facts, known.refused_since, self._tls_entrypoints
            )
        ]

    def neighbours_of(self, environment_id: str) -> list[tuple[str, Neighbour]]:
        """Routers of other providers that meet its claims, each with the Traefik that has it."""
        return [
            (url, each)
            for url, known in self._known.items()
            for each in self._neighbours(known, environment_id)
        ]

    async def settled(
        self, ids: Collection[str], wait_s: float, has_left: Callable[[], bool] = lambda: False
    ) -> dict[str, Routing]:
        """The conditions by id, once every Traefik serves them or surely will not.

        Or after `wait_s` seconds, as they then are; sooner when the client `has_left`, or the
        daemon stops. Of a deleted environment it is awaited that no Traefik serves it any more.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._reconciler.caught_up()
                while not (self._is_closed or has_left() or self._are_settled(ids)):
                    await self._news.wait()
        return {each: self._routing(each) for each in ids}

    def close(self) -> None:
        """End every waiting; called at shutdown."""
        self._is_closed = True
        self._tell_waiting()

    def _are_settled(self, ids: Iterable[str]) -> bool:
        return not self._known or all(self._routing(each).is_settled for each in ids)

    def _routing(self, environment_id: str) -> Routing:
        snapshot = self._store.snapshot or Snapshot()
        entry = snapshot.by_id.get(environment_id)
        if entry is not None:
            return self.routing_of(entry)
        absent = self.routing_of(Entry(RawRecord("", ""), None))
        latest = self._log.latest
        is_out = latest is not None and self._log.share(environment_id, latest) is None
        gone = _DELETED if is_out else _BEING_DELETED
        traefiks = [self._live_on(known, environment_id, gone) for known in self._known.values()]
        return replace(absent, published=gone, live=_over_all(traefiks), traefiks=traefiks)

    def _absent_since(self, environment: Environment | None) -> datetime | None:
        """Since when the document has nothing of it, as far as known."""
        known = [self._log.began_at]
        if environment is not None:
            known += [environment.lifecycle.changed_at or environment.created_at]
        return max((at for at in known if at), default=None)

    def _tell_waiting(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    def _live_on(self, known: Known, environment_id: str, published: Condition) -> LiveOn:
        watched = Watched(
            known.sighting, known.served, self._log, known.refused_since, self._clock()
        )
        neighbours = self._neighbours(known, environment_id)
        return live_on(watched, environment_id, neighbours, published)

    def _neighbours(self, known: Known, environment_id: str) -> Sequence[Neighbour]:
        document = self._reconciler.document
        fragment = document.fragment(environment_id) if document else None
        if document is None or fragment is None or not known.neighbours:
            return ()
        lost = {each.claim for each in document.lost.get(environment_id, ())}
        return [
            neighbour
            for claim in fragment.claims
            if claim not in lost
            for neighbour in known.index.overlaps(
                claim,
                priority(claim.host, claim.path),
                claim.entrypoint in fragment.tls_entrypoints,
            )
        ]

    def _dated(
        self, condition: Condition, name: str, kind: Kind, otherwise: datetime | None
    ) -> Condition:
        return replace(condition, since=self._exceptions.since(name, kind) or otherwise)

    async def _live_count(self, known: Known) -> int | None:
        document, facts, latest = self._reconciler.document, known.sighting.facts, self._log.latest
        if document is None or latest is None or not facts.reached:
            return None
        run = self._log.get(facts.live_digest)
        if run is None:
            return 0 if facts.live_digest is None else None
        same = document.shares.keys() - self._log.changed(run, latest)
        count = 0
        for number, each in enumerate(same, start=1):
            count += self._is_live(known, each)
            if number % _COUNTED_AT_ONCE == 0:  # of ten thousand it takes its time
                await asyncio.sleep(0)
        return count

    def _note_run(self, known: Known, before: Run | None) -> None:
        """A Traefik runs another document: who became live with it, and how long it took."""
        facts, was_seen = known.sighting.facts, before is not None
        self._announcer.runs(facts, was_seen=was_seen)
        new, old = self._log.get(facts.live_digest), self._log.get(before and before.digest)
        known.served.run(self._log, old, new, self._clock())
        if new is not None:
            changed = sorted(self._log.changed(old, new))
            heard = changed if self._announcer.is_heard else ()
            live = [each for each in heard if self._is_live(known, each)]
            documents = self._log.between(old, new)
            self._announcer.lives(facts, documents, live, was_seen=was_seen)

    def _is_live(self, known: Known, environment_id: str) -> bool:
        return self._live_on(known, environment_id, _PUBLISHED).condition.status == "True"

    def _judge(self, known: Known) -> None:
        """Whether this Traefik refuses the newest document."""
        latest, facts, before = self._log.latest, known.sighting.facts, known.refused
        digest = latest.digest if latest else None
        is_live = facts.reached and digest is not None and facts.live_digest == digest
        if not (before and before.digest == digest and self._is_still_so(known, before)):
            since = refused_since(facts, known.sighting.since, digest, self._polls.pollers())
            known.refused = Refused(digest, since) if digest and since else None
            if latest is not None and known.refused:
                self._announcer.refuses_document(facts, latest)
            elif before and is_live:
                self._announcer.takes_document(facts)
        self._announcer.measure(facts, is_live=is_live, is_refused=known.refused is not None)

    def _is_still_so(self, known: Known, refused: Refused) -> bool:
        """Whoever else polls meanwhile: what was sure of this process stays so until it is live."""
        facts = known.sighting.facts
        is_same = facts.reached and known.sighting.since <= refused.since
        return is_same and facts.live_digest != refused.digest


def _over_all(traefiks: Sequence[LiveOn]) -> Condition:
    """The worst of all: false before unknown before true."""
    if not traefiks:
        return NO_TRAEFIK
    worst = min(traefiks, key=lambda each: _ORDER.index(each.condition.status))
    condition, since = worst.condition, worst.condition.since
    message = condition.message if len(traefiks) == 1 else f"{worst.url}: {condition.message}"
    if condition.status == "True":  # on all since it is on the last one
        since = max(each.condition.since for each in traefiks if each.condition.since)
    return replace(condition, message=message, since=since)
