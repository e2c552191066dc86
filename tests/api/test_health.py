"""/api/health, /healthz, /readyz: the counts, and each problem."""

from __future__ import annotations

from typing import Any

import pytest

from provider.settings import WrongSetting, read_settings
from tests.api.bodies import routed, stored
from tests.api.steps import ALL, create, problems, until_problem, until_routed
from tests.conftest import StartDaemon
from tests.daemons import Daemon, eventually

LONG_AGO = {"checked_at": "2025-01-05T09:00:00Z"}


async def metrics(daemon: Daemon, section: str = "environments") -> dict[str, Any]:
    """One section of the metrics."""
    answer = await daemon.call("GET", "/api/health")
    assert answer.status == 200, answer.content
    return dict(answer.value["metrics"][section])


async def test_an_empty_catalogue_is_in_good_health(daemon: Daemon) -> None:
    answer = await daemon.call("GET", "/api/health")
    assert answer.value["status"] == "ok"
    assert answer.value["problems"] == []
    assert set(answer.value["metrics"]) == {"environments", "router", "human_tasks"}
    counts = answer.value["metrics"]["environments"]
    assert set(counts) >= {
        "total", "by_state", "by_health", "stale_health_checks", "planned_without_dns",
        "routed", "quarantined", "conflicted", "certificates_expiring",
    }  # fmt: skip
    assert counts["total"] == 0


async def test_every_state_and_health_is_counted_also_at_zero(daemon: Daemon) -> None:
    await create(daemon, "a", lifecycle={"state": "active"}, health={"status": "degraded"})
    await create(daemon, "b", lifecycle={"state": "active"}, health={"status": "healthy"})
    await create(daemon, "c")
    counts = await eventually(lambda: metrics_of(daemon, total=3))
    assert counts["by_state"] == {"planned": 1, "active": 2, "maintenance": 0, "retired": 0}
    assert counts["by_health"] == {
        "unknown": 1, "healthy": 1, "degraded": 1, "maintenance": 0, "offline": 0,
    }  # fmt: skip


async def metrics_of(daemon: Daemon, **expected: Any) -> dict[str, Any]:
    """The counts; asserts that these are among them."""
    counts = await metrics(daemon)
    assert {key: counts[key] for key in expected} == expected
    return counts


async def test_a_check_is_stale_by_age_or_when_it_never_was(daemon: Daemon) -> None:
    await create(daemon, "fresh", lifecycle={"state": "active"}, health={"status": "healthy"})
    await create(daemon, "never", lifecycle={"state": "maintenance"})
    old = {"status": "healthy", **LONG_AGO}
    await create(daemon, "old", lifecycle={"state": "active"}, health=old)
    await create(daemon, "planned", health=old)
    await create(daemon, "retired", lifecycle={"state": "retired"}, health=old)
    assert (await metrics(daemon))["stale_health_checks"] == 2


async def test_the_age_of_a_stale_check_is_a_setting(start_daemon: StartDaemon) -> None:
    daemon = await start_daemon("--stale-health-s", "1e8")
    old = {"status": "healthy", **LONG_AGO}
    await create(daemon, "old", lifecycle={"state": "active"}, health=old)
    assert (await metrics(daemon))["stale_health_checks"] == 0


def test_an_age_of_millennia_is_no_setting() -> None:
    with pytest.raises(WrongSetting, match="stale"):
        read_settings(["--stale-health-s", "1e12"], environ={})


async def test_routed_quarantined_and_conflicted_are_counted(daemon: Daemon) -> None:
    daemon.folders.hand_write(
        stored("a", created_at="2025-01-01T00:00:00Z", **routed("shop.test", "a.test")),
        stored("b", **routed("shop.test")),
        stored("c", **routed("c.test")),
        stored("bad", name=7),
    )
    await until_routed(daemon, "shop.test", "c.test")
    await eventually(lambda: metrics_of(daemon, total=3, routed=2, quarantined=1, conflicted=1))
    assert (await daemon.call("GET", "/api/health")).value["status"] == "degraded"


async def test_while_no_name_server_answers_that_count_is_unknown(daemon: Daemon) -> None:
    await create(daemon, "planned")

    async def unknown() -> None:
        assert (await metrics(daemon))["planned_without_dns"] is None

    await eventually(unknown)


async def test_a_conflict_names_its_loser_claim_and_holder(daemon: Daemon) -> None:
    daemon.folders.hand_write(
        stored("a", created_at="2025-01-01T00:00:00Z", host={"hostname": "x.test"}, **routed()),
        stored("b", host={"hostname": "x.test"}, **routed()),
    )
    problem = await until_problem(daemon, "route_conflict", "env-b")
    assert "x.test/ on websecure is held by env-a (a)" in problem["detail"]
    assert "hostnames of its own" in problem["detail"]


async def test_problems_go_when_they_are_mended(daemon: Daemon) -> None:
    daemon.folders.hand_write(stored("dev", name=7))
    await until_problem(daemon, "invalid_record", "env-dev")
    daemon.folders.hand_write(stored("dev"))

    async def is_well() -> None:
        assert await problems(daemon) == []

    await eventually(is_well)


async def test_what_is_published_is_shown(daemon: Daemon) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    document = await until_routed(daemon, "dev.test")
    router = await metrics(daemon, "router")
    assert f"routebook-{router['digest']}" in document["http"]["middlewares"]
    assert router["routers"] == 1
    body = await daemon.call("GET", "/traefik/config?hold=0")
    assert router["document_bytes"] == len(body.content)
    assert router["published_at"].endswith("Z")


async def test_polls_are_counted(daemon: Daemon) -> None:
    before = (await metrics(daemon, "router"))["polls"]
    for _ in range(3):
        await daemon.call("GET", "/traefik/config?hold=0")
    assert (await metrics(daemon, "router"))["polls"] == before + 3


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_running_daemon_is_alive_and_ready(daemon: Daemon, path: str) -> None:
    answer = await daemon.call("GET", path)
    assert (answer.status, answer.value) == (200, {"status": "ok"})


async def test_a_write_counts_at_once(daemon: Daemon) -> None:
    await create(daemon, "dev")
    assert (await metrics(daemon))["total"] == 1
    await daemon.call("DELETE", f"{ALL}/dev")
    assert (await metrics(daemon))["total"] == 0
