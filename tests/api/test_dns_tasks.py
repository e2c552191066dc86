"""Names in DNS: a task opens when one is missing, and closes when it is there."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.api.bodies import routed
from tests.api.steps import create
from tests.api.test_human_tasks import task, tasks
from tests.conftest import StartDaemon
from tests.daemons import Daemon, eventually
from tests.name_server import NameServer, Odd, name_server


@pytest.fixture
async def names() -> AsyncIterator[NameServer]:
    """A name server that knows nothing."""
    async with name_server({}) as server:
        yield server


@pytest.fixture
async def daemon(start_daemon: StartDaemon, names: NameServer) -> Daemon:
    """A daemon that asks it, every second."""
    return await start_daemon(f"--dns-server={names.address}", "--survey-s=1")


async def planned_without_dns(daemon: Daemon) -> object:
    """What `/api/health` counts."""
    health = (await daemon.call("GET", "/api/health")).value
    return health["metrics"]["environments"]["planned_without_dns"]


async def test_a_missing_name_is_a_task_until_the_record_is_made(
    daemon: Daemon, names: NameServer
) -> None:
    made = await create(daemon, "dev", **routed("app.test", state="planned"))
    names.zone["nightshift-dev.test"] = ["192.0.2.1"]

    async def named() -> None:
        about = {each["evidence"]["name"] for each in await tasks(daemon, "?kind=dns_missing")}
        assert about == {"app.test", "dev.test"}

    await eventually(named)
    assert await planned_without_dns(daemon) == 1

    names.zone["app.test"] = "dev.test"
    names.zone["dev.test"] = ["192.0.2.1"]

    async def closed() -> None:
        assert await tasks(daemon, "?kind=dns_missing") == []
        assert await planned_without_dns(daemon) == 0

    await eventually(closed)
    past = await tasks(daemon, f"?state=closed&environment={made['environment_id']}")
    assert {each["kind"] for each in past} >= {"dns_missing"}


async def test_a_name_server_that_does_not_answer_opens_and_closes_nothing(
    daemon: Daemon, names: NameServer
) -> None:
    names.zone["dev.test"] = Odd.REFUSE
    await create(daemon, "dev")
    names.zone["other.test"] = ["192.0.2.1"]
    await create(daemon, "other")

    async def asked() -> None:
        assert any(query.startswith("dev.test") for query in names.queries)
        assert await planned_without_dns(daemon) == 0

    await eventually(asked)
    assert await tasks(daemon, "?kind=dns_missing") == []

    del names.zone["dev.test"]
    shown = await task(daemon, "dns_missing")
    names.zone["dev.test"] = Odd.SERVFAIL
    names.queries.clear()

    async def asked_twice_more() -> None:
        assert sum(query.startswith("dev.test") for query in names.queries) > 4

    await eventually(asked_twice_more)
    assert await task(daemon, "dns_missing") == shown


async def test_a_name_that_leads_elsewhere_says_where_it_should(
    start_daemon: StartDaemon, names: NameServer
) -> None:
    daemon = await start_daemon(
        f"--dns-server={names.address}", "--survey-s=1", "--traefik-addresses=192.0.2.10"
    )
    names.zone |= {"app.test": ["192.0.2.99"], "dev.test": ["192.0.2.1"]}
    host = {"hostname": "dev.test", "ip": "192.0.2.1"}
    await create(daemon, "dev", host=host, **routed("app.test"))
    shown = await task(daemon, "dns_elsewhere")
    assert shown["action"] == "Point app.test to 192.0.2.10."
    names.zone["app.test"] = ["192.0.2.10"]
    await task(daemon, "dns_elsewhere", "closed")


async def test_an_environment_that_goes_takes_its_tasks_with_it(
    daemon: Daemon, names: NameServer
) -> None:
    await create(daemon, "dev")
    await task(daemon, "dns_missing")
    await daemon.call("DELETE", "/api/environments/dev")
    await task(daemon, "dns_missing", "closed")
