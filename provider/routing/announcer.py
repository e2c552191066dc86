"""What is said of a Traefik when it changes: in the log, as events, and in metrics."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import structlog

from provider.document_log import LoggedDocument
from provider.events import Events
from provider.meters import Meters
from provider.observe.facts import RouterFact, TraefikFacts

NAMED_MAX = 100

_log = structlog.get_logger()
_REFUSED_ADVICE = "see that Traefik's log; a maxResponseBodySize may be too small"


class Announcer:
    """Says each change once. No more than 100 environments are named in one event."""

    def __init__(self, events: Events, meters: Meters) -> None:
        self._events, self._meters = events, meters

    def runs(self, facts: TraefikFacts, *, was_seen: bool) -> None:
        """It runs another document; `was_seen` says that we saw which one it ran before."""
        _log.info("traefik_runs", traefik=facts.url, digest=facts.live_digest or "none of ours")
        if was_seen and facts.live_digest is not None:
            self._meters.reloads_caused.labels(facts.url).inc()

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens to events."""
        return self._events.subscribers > 0

    def lives(
        self,
        facts: TraefikFacts,
        documents: Sequence[LoggedDocument],
        environments: Sequence[str],
        *,
        was_seen: bool,
    ) -> None:
        """What became live with these documents, of which it runs the last one."""
        now_s = time.monotonic()
        late = [now_s - each.changed_at_s for each in documents] if was_seen else []
        for seconds in late:
            self._meters.change_to_live.labels(facts.url).observe(seconds)
        self._events.publish(
            "live",
            {
                "traefik": facts.url,
                "digest": facts.live_digest,
                "environments": list(environments[:NAMED_MAX]),
                "environments_total": len(environments),
                "seconds": round(late[-1], 3) if late else None,
            },
        )

    def refuses_routers(self, facts: TraefikFacts, faults: Iterable[RouterFact]) -> None:
        """Routers of ours that it does not plainly run, with its own words: the first 100."""
        every = list(faults)
        if len(every) > NAMED_MAX:
            _log.warning("routers_refused", traefik=facts.url, routers=len(every), named=NAMED_MAX)
        for fault in every[:NAMED_MAX]:
            words = "; ".join(fault.errors)
            _log.warning("router_refused", traefik=facts.url, router=fault.name, reason=words)
            self._refused(
                facts,
                facts.live_digest,
                [fault.service.removesuffix("@http")],
                router=fault.name,
                reason=f"router_{fault.status}",
                message=words,
            )

    def refuses_document(self, facts: TraefikFacts, document: LoggedDocument) -> None:
        """It was given a document and does not run it: an alarm."""
        _log.error(
            "document_refused", traefik=facts.url, digest=document.digest, next=_REFUSED_ADVICE
        )
        self._refused(
            facts,
            document.digest,
            sorted(document.changed)[:NAMED_MAX],
            reason="document_refused",
            message=f"fetched, and not live 10 seconds later; {_REFUSED_ADVICE}",
        )

    def takes_document(self, facts: TraefikFacts) -> None:
        """It does not refuse any more."""
        _log.info("document_taken", traefik=facts.url, digest=facts.live_digest)

    def measure(self, facts: TraefikFacts, *, is_live: bool, is_refused: bool) -> None:
        """Its gauges."""
        self._meters.live.labels(facts.url).set(is_live)
        self._meters.traefik_up.labels(facts.url).set(facts.reached)
        self._meters.document_refused.labels(facts.url).set(is_refused)

    def _refused(
        self, facts: TraefikFacts, digest: str | None, environments: Sequence[str], **more: str
    ) -> None:
        named = {"traefik": facts.url, "digest": digest, "environments": list(environments)}
        self._events.publish("refused", {**named, **more})
