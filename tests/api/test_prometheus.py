"""`/metrics`: the counts as Prometheus reads them, each with its row in the documentation."""

from __future__ import annotations

import asyncio

from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as open_metrics_families,
)
from prometheus_client.parser import text_string_to_metric_families

from tests.api.bodies import routed, stored
from tests.api.steps import ALL, create, metric, until_problem, until_routed
from tests.api.test_long_poll import held, poll
from tests.conftest import StartDaemon
from tests.daemons import ROOT, Answer, Daemon

PAGE = (ROOT / "docs" / "metrics.md").read_text()
CONFIG = "/traefik/config"


async def scraped(daemon: Daemon, **headers: str) -> Answer:
    """One scrape."""
    answer = await daemon.call("GET", "/metrics", headers=headers)
    assert answer.status == 200
    return answer


async def test_every_metric_has_its_row(daemon: Daemon) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    await poll(await daemon.connect())
    text = (await scraped(daemon)).content.decode()
    families = {family.name for family in text_string_to_metric_families(text)}
    assert {"routebook_documents_published", "routebook_live", "routebook_routes"} <= families
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            name = line.split()[2]
            assert f"| `{name}" in PAGE or name.endswith("_created"), name


async def test_every_row_is_a_metric(start_daemon: StartDaemon) -> None:
    daemon = await start_daemon("--hold-s", "60")
    await create(daemon, "dev", **routed("dev.test"))
    await until_routed(daemon, "dev.test")
    # A connection that is alive, for the age of its poll.
    async with held(daemon):
        text = (await scraped(daemon)).content.decode()
    rows = [line.split("`")[1].partition("{")[0] for line in PAGE.splitlines() if "| `" in line]
    assert len(rows) > 15
    for name in rows:
        assert f"# TYPE {name} " in text, name


async def test_it_is_prometheus_text_and_open_metrics_for_who_asks(daemon: Daemon) -> None:
    plain = await scraped(daemon)
    assert plain.headers["Content-Type"].startswith("text/plain; version=")
    asked = "application/openmetrics-text; version=1.0.0"
    other = await scraped(daemon, Accept=asked)
    assert other.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert len(list(open_metrics_families(other.content.decode()))) > 15
    assert (await daemon.call("HEAD", "/metrics")).status == 200


async def test_the_catalogue_and_the_document_are_counted(daemon: Daemon) -> None:
    older = stored("older", **routed("dev.test", "a.test"))
    younger = stored("younger", **routed("dev.test"), created_at="2026-02-01T00:00:00Z")
    daemon.folders.hand_write(older, younger, stored("planned"), stored("broken", name=7))
    await until_problem(daemon, "invalid_record", "env-broken")
    await until_routed(daemon, "dev.test")
    assert await metric(daemon, "routebook_environments", state="active") == 2
    assert await metric(daemon, "routebook_environments", state="planned") == 1
    assert await metric(daemon, "routebook_environments", state="retired") == 0
    assert await metric(daemon, "routebook_quarantined") == 1
    assert await metric(daemon, "routebook_conflicts") == 1
    routes = await daemon.call("GET", "/api/routes?state=published")
    assert await metric(daemon, "routebook_routes") == routes.value["total"] == 2


async def test_writes_through_the_api_are_counted_and_hand_edits_are_not(daemon: Daemon) -> None:
    published = await metric(daemon, "routebook_documents_published_total")
    await create(daemon, "dev", **routed("dev.test"))
    await daemon.call("PATCH", f"{ALL}/dev", json={"name": "new"})
    await daemon.call("POST", f"{ALL}/dev/revert", json={"revision": 1})
    await until_routed(daemon, "dev.test")
    [record] = daemon.folders.stored()
    daemon.folders.hand_write(record, stored("by-hand", **routed("by-hand.test")))
    await until_routed(daemon, "by-hand.test")
    await daemon.call("DELETE", f"{ALL}/dev")
    counts = {
        action: await metric(daemon, "routebook_writes_total", action=action)
        for action in ("created", "updated", "deleted")
    }
    assert counts == {"created": 1, "updated": 2, "deleted": 1}
    assert published is not None
    assert (await metric(daemon, "routebook_documents_published_total") or 0) >= published + 2


async def test_requests_are_counted_by_template_and_never_by_path(daemon: Daemon) -> None:
    await create(daemon, "secret-name")
    await daemon.call("GET", f"{ALL}/secret-name")
    await daemon.call("GET", f"{ALL}/secret-missing")
    await daemon.call("GET", "/secret/path")
    await daemon.call("PURGE", "/secret/path")
    await daemon.call("DELETE", "/healthz")
    text = (await scraped(daemon)).content.decode()
    assert "secret" not in text
    assert "PURGE" not in text
    one = "/api/environments/{ref}"
    for method, route, status in (
        ("GET", one, "200"),
        ("GET", one, "404"),
        ("GET", "none", "404"),
        ("other", "none", "404"),
        ("DELETE", "none", "405"),
        ("POST", ALL, "201"),
    ):
        labels = {"method": method, "route": route, "status": status}
        assert await metric(daemon, "routebook_http_requests_total", **labels) == 1, labels


async def test_polls_are_counted_and_those_that_are_held_now(start_daemon: StartDaemon) -> None:
    daemon = await start_daemon("--hold-s", "60")
    assert await metric(daemon, "routebook_pollers") == 0
    assert await metric(daemon, "routebook_oldest_poll_age_seconds") is None
    async with held(daemon, count=2) as tasks:
        assert await metric(daemon, "routebook_polls_held") == 2
        assert await metric(daemon, "routebook_held_polls_total") == 2
        assert await metric(daemon, "routebook_polls_total") == 2
        assert await metric(daemon, "routebook_pollers") == 2
        assert await metric(daemon, "routebook_oldest_poll_age_seconds") == 0
        await create(daemon, "dev", **routed("dev.test"))
        await asyncio.gather(*tasks)
        assert await metric(daemon, "routebook_polls_held") == 0
        assert await metric(daemon, "routebook_polls_total") == 4


async def test_health_says_who_polled(daemon: Daemon) -> None:
    traefik = await daemon.connect()
    headers = {"User-Agent": "Go-http-client/1.1"}
    await traefik.get(f"{CONFIG}?instance=edge-1&hold=0", headers=headers)
    router = (await daemon.call("GET", "/api/health")).value["metrics"]["router"]
    [poller] = router["pollers"]
    assert (poller["instance"], poller["remote"]) == ("edge-1", "127.0.0.1")
    assert (poller["user_agent"], poller["digest"]) == ("Go-http-client/1.1", router["digest"])
    assert (poller["polls"], poller["held"], poller["gone_at"]) == (1, False, None)
    assert poller["since"] == poller["last_poll_at"]
