"""`/api/health`, `/healthz`, `/readyz`: what callers without a right learn from them."""

from __future__ import annotations

import pytest

from tests.access.callers import everybody
from tests.api.steps import until_problem
from tests.conftest import StartDaemon
from tests.daemons import Daemon, Folders, eventually
from tests.safety.records import record

STRANGERS = ("stranger", "garbage", "disabled", "expired", "revoked")


async def degraded(daemon: Daemon, **who: dict[str, str]) -> None:
    """Asserts that health has noticed a broken record."""
    assert (await daemon.call("GET", "/api/health", **who)).value["status"] == "degraded"


async def test_without_accounts_local_callers_see_everything(daemon: Daemon) -> None:
    answer = await daemon.call("GET", "/api/health")
    assert set(answer.value) == {"status", "metrics", "problems"}
    assert set(answer.value["metrics"]) >= {"environments", "router", "human_tasks"}


@pytest.mark.parametrize("caller", STRANGERS)
async def test_with_accounts_strangers_see_the_status_alone(
    folders: Folders, start_daemon: StartDaemon, caller: str
) -> None:
    who = everybody(folders.data)[caller]
    daemon = await start_daemon()
    answer = await daemon.call("GET", "/api/health", headers=who)
    assert answer.value == {"status": "ok"}
    folders.hand_write(record("dev", name=7))
    await eventually(lambda: degraded(daemon, headers=who))
    answer = await daemon.call("GET", "/api/health", headers=who)
    assert answer.value == {"status": "degraded"}


@pytest.mark.parametrize("caller", ["viewer", "operator", "viewer login"])
async def test_who_may_read_sees_everything(
    folders: Folders, start_daemon: StartDaemon, caller: str
) -> None:
    who = everybody(folders.data)[caller]
    daemon = await start_daemon()
    answer = await daemon.call("GET", "/api/health", headers=who)
    assert set(answer.value) == {"status", "metrics", "problems"}


async def test_traefiks_token_reads_the_status_alone(
    folders: Folders, start_daemon: StartDaemon
) -> None:
    who = everybody(folders.data)["traefik"]
    daemon = await start_daemon()
    assert (await daemon.call("GET", "/api/health", headers=who)).value == {"status": "ok"}


async def test_the_probes_of_an_orchestrator_are_open_and_say_nothing(
    folders: Folders, start_daemon: StartDaemon
) -> None:
    everybody(folders.data)
    daemon = await start_daemon()
    for path in ("/healthz", "/readyz"):
        answer = await daemon.call("GET", path)
        assert (answer.status, answer.value) == (200, {"status": "ok"})


async def test_the_first_account_closes_health_to_strangers_at_once(
    daemon: Daemon, folders: Folders
) -> None:
    folders.hand_write(record("dev", name=7))
    await until_problem(daemon, "invalid_record", "env-dev")
    everybody(folders.data)
    assert (await daemon.call("GET", "/api/health")).value == {"status": "degraded"}
