"""What Prometheus counts: one registry for each daemon, nothing for the process as a whole."""

from __future__ import annotations

from collections import Counter as Tally

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector

CHANGE_TO_LIVE_BUCKETS_S = (
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
)  # fmt: skip
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Meters:
    """Counters, and gauges of what was observed. What can be computed is computed at a scrape.

    `traefik` labels an observed Traefik: its address, without user information. `requests` are
    answered ones by method, template of the path, and status.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.reloads_caused = Counter(
            "routebook_reloads_caused",
            "Publications that this Traefik was seen to load",
            ["traefik"],
            registry=self.registry,
        )
        self.change_to_live = Histogram(
            "routebook_change_to_live_seconds",
            "From a publication's cause to the sight of it in this Traefik",
            ["traefik"],
            buckets=CHANGE_TO_LIVE_BUCKETS_S,
            registry=self.registry,
        )
        self.live = self._gauge("routebook_live", "1: this Traefik serves the published document")
        self.traefik_up = self._gauge("routebook_traefik_up", "1: the API of this Traefik answers")
        self.document_refused = self._gauge(
            "routebook_document_refused", "1: this Traefik has the document and does not serve it"
        )
        self.writes = Counter(
            "routebook_writes",
            "Records that were written through the API",
            ["action"],
            registry=self.registry,
        )
        self.requests = Tally[tuple[str, str, int]]()

    def count_request(self, method: str, route: str, status: int) -> None:
        """One answered request. `route` must be of a bounded set: never a path as it came."""
        self.requests[method if method in _METHODS else "other", route, status] += 1

    def _gauge(self, name: str, documentation: str) -> Gauge:
        return Gauge(name, documentation, ["traefik"], registry=self.registry)
