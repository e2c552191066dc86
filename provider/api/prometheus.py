"""`/metrics`: the meters, and the gauges that are computed when somebody asks."""

from __future__ import annotations

from collections.abc import Iterator

from aiohttp import web
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from provider.api.surface import SURFACE, Surface
from provider.followups.tasks import counts
from provider.metrics import count_states
from provider.render.routes import count_published
from registry.snapshot import Snapshot


async def metrics(request: web.Request) -> web.Response:
    """The metrics in Prometheus' text format, or as OpenMetrics for who asks for it."""
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    body = encode(request.app[SURFACE].meters.registry)
    headers = {"Content-Type": content_type, "Cache-Control": "no-store"}
    return web.Response(body=body, headers=headers)


class SurfaceCollector(Collector):
    """Computes at each scrape what the surface knows."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface

    def collect(self) -> Iterator[Metric]:
        """One family after the other."""
        yield from self._of_the_catalogue()
        yield from self._of_the_tasks()
        yield from self._of_the_document()
        yield from self._of_the_polls()
        yield from self._of_the_requests()
        streams = self._surface.events.subscribers
        yield GaugeMetricFamily("routebook_event_streams", "Open streams of events", streams)

    def _of_the_catalogue(self) -> Iterator[Metric]:
        snapshot = self._surface.store.snapshot or Snapshot()
        states = GaugeMetricFamily(
            "routebook_environments", "Environments in force, by lifecycle state", labels=["state"]
        )
        for state, count in count_states(snapshot.environments).items():
            states.add_metric([state], count)
        yield states
        yield GaugeMetricFamily(
            "routebook_quarantined",
            "Stored records that are not in force as written",
            len(snapshot.faults),
        )

    def _of_the_tasks(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "routebook_human_tasks", "Open human tasks, by severity", labels=["severity"]
        )
        for severity, count in counts(self._surface.ledger.tasks)["by_severity"].items():
            family.add_metric([severity], count)
        yield family

    def _of_the_document(self) -> Iterator[Metric]:
        reconciler = self._surface.reconciler
        document = reconciler.document
        yield CounterMetricFamily(
            "routebook_documents_published",
            "Documents that were published since the start",
            reconciler.publications,
        )
        if document is not None:
            routes = count_published(document)
            yield GaugeMetricFamily("routebook_routes", "Routes in the document", routes)
            yield GaugeMetricFamily(
                "routebook_conflicts", "Routes that were lost to another", len(document.conflicts)
            )

    def _of_the_polls(self) -> Iterator[Metric]:
        polls = self._surface.polls
        yield CounterMetricFamily("routebook_polls", "Answered polls", polls.answered)
        yield CounterMetricFamily("routebook_held_polls", "Polls that were held", polls.held)
        yield GaugeMetricFamily("routebook_polls_held", "Polls held right now", polls.holding)
        yield GaugeMetricFamily(
            "routebook_pollers", "Connections that have polled and are alive", polls.connected
        )
        age_s = polls.oldest_poll_age_s()
        if age_s is not None:
            yield GaugeMetricFamily(
                "routebook_oldest_poll_age_seconds",
                "Age of the last poll of the connection that was silent longest",
                age_s,
            )

    def _of_the_requests(self) -> Iterator[Metric]:
        family = CounterMetricFamily(
            "routebook_http_requests",
            "Answered requests, by the template of their path",
            labels=["method", "route", "status"],
        )
        for (method, route, status), count in self._surface.meters.requests.items():
            family.add_metric([method, route, str(status)], count)
        yield family
