"""/traefik/config as a long poll: what is held, what releases it, and what never waits.

`hold_s` is a minute where a test must not pass by the hold's end: the deadlines are shorter.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from structlog.testing import capture_logs

from tests.api.bodies import routed
from tests.api.steps import create, until_routed
from tests.conftest import StartDaemon
from tests.daemons import Answer, Daemon, call, eventually

CONFIG = "/traefik/config"
HELD_FOR_A_MINUTE = ("--hold-s", "60")
DEADLINE_S = 20.0


@pytest.fixture
async def patient(start_daemon: StartDaemon) -> Daemon:
    """A daemon that holds a poll for a minute."""
    return await start_daemon(*HELD_FOR_A_MINUTE)


async def poll(session: aiohttp.ClientSession, query: str = "") -> Answer:
    """One poll; long before the hold's end, or not at all."""
    async with asyncio.timeout(DEADLINE_S):
        return await call(session, "GET", CONFIG + query)


async def holds(daemon: Daemon) -> int:
    """How many polls were held so far."""
    answer = await daemon.call("GET", "/api/health")
    return int(answer.value["metrics"]["router"]["polls_held"])


@asynccontextmanager
async def held(daemon: Daemon, count: int = 1) -> AsyncIterator[list[asyncio.Task[Answer]]]:
    """This many connections that had the document, each with a second poll that is held."""
    before = await holds(daemon)
    sessions = [await daemon.connect() for _ in range(count)]
    for session in sessions:
        await poll(session)
    tasks = [asyncio.create_task(poll(session)) for session in sessions]

    async def all_are_held() -> None:
        assert await holds(daemon) == before + count

    await eventually(all_are_held)
    assert not any(task.done() for task in tasks)
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_poll_is_held_until_there_is_a_change(patient: Daemon) -> None:
    async with held(patient) as tasks:
        await create(patient, "dev", **routed("dev.test"))
        answer = await tasks[0]
    assert answer.status == 200
    assert b"dev.test" in answer.content


async def test_one_change_releases_every_connection_with_the_same_bytes(patient: Daemon) -> None:
    async with held(patient, count=5) as tasks:
        await create(patient, "dev", **routed("dev.test"))
        answers = await asyncio.gather(*tasks)
    assert [answer.status for answer in answers] == [200] * 5
    assert len({answer.content for answer in answers}) == 1


async def test_the_first_poll_of_a_connection_is_answered_at_once(patient: Daemon) -> None:
    for _ in range(3):
        assert (await poll(await patient.connect())).status == 200
    assert await holds(patient) == 0


async def test_a_change_between_two_polls_is_answered_at_once(patient: Daemon) -> None:
    traefik = await patient.connect()
    await poll(traefik)
    await create(patient, "dev", **routed("dev.test"))
    await until_routed(patient, "dev.test")
    assert b"dev.test" in (await poll(traefik)).content
    assert await holds(patient) == 0


async def test_each_connection_is_told_of_what_it_has_not_had(patient: Daemon) -> None:
    early, late = await patient.connect(), await patient.connect()
    await poll(early)
    await create(patient, "dev", **routed("dev.test"))
    await until_routed(patient, "dev.test")
    assert b"dev.test" in (await poll(late)).content
    assert b"dev.test" in (await poll(early)).content
    assert await holds(patient) == 0


async def test_hold_0_is_never_held(patient: Daemon) -> None:
    traefik = await patient.connect()
    for _ in range(3):
        assert (await poll(traefik, "?hold=0")).status == 200
    assert await holds(patient) == 0


async def test_a_poll_that_was_not_held_counts_as_had(patient: Daemon) -> None:
    traefik = await patient.connect()
    await poll(traefik, "?hold=0")
    waiting = asyncio.create_task(poll(traefik))

    async def is_held() -> None:
        assert await holds(patient) == 1

    await eventually(is_held)
    await create(patient, "dev", **routed("dev.test"))
    assert b"dev.test" in (await waiting).content


async def test_an_unchanged_document_is_sent_again_when_the_hold_ends(
    start_daemon: StartDaemon,
) -> None:
    daemon = await start_daemon("--hold-s", "0.05")
    traefik = await daemon.connect()
    first, second = await poll(traefik), await poll(traefik)
    assert (second.status, second.content) == (200, first.content)
    assert await holds(daemon) == 1


async def test_without_a_hold_every_poll_is_answered_at_once(start_daemon: StartDaemon) -> None:
    daemon = await start_daemon("--hold-s", "0")
    traefik = await daemon.connect()
    for _ in range(3):
        assert (await poll(traefik)).status == 200


async def test_a_write_that_traefik_cannot_see_releases_nobody(patient: Daemon) -> None:
    async with held(patient) as tasks:
        await create(patient, "planned")
        await create(patient, "dev", **routed("dev.test"))
        assert b"dev.test" in (await tasks[0]).content


async def test_shutdown_releases_held_polls_with_the_current_document(patient: Daemon) -> None:
    current = (await poll(await patient.connect())).content
    async with held(patient, count=3) as tasks:
        await patient.stop()
        answers = await asyncio.gather(*tasks)
    assert [answer.status for answer in answers] == [200] * 3
    assert {answer.content for answer in answers} == {current}


async def test_a_client_that_hangs_up_again_is_logged_with_advice_and_held_shorter(
    patient: Daemon,
) -> None:
    with capture_logs() as logs:

        async def hang_up_until_it_is_told() -> None:
            async with held(patient) as tasks:
                tasks[0].cancel()
            assert "poller_hung_up" in [entry["event"] for entry in logs]

        await eventually(hang_up_until_it_is_told)
    entry = next(entry for entry in logs if entry["event"] == "poller_hung_up")
    assert "pollTimeout" in entry["advice"]
    assert 0 < entry["hold_s"] < DEADLINE_S
    traefik = await patient.connect()
    first, second = await poll(traefik), await poll(traefik)
    assert second.content == first.content


async def test_a_client_that_hangs_up_disturbs_no_other(patient: Daemon) -> None:
    async with held(patient, count=2) as tasks:
        tasks[0].cancel()
        await create(patient, "dev", **routed("dev.test"))
        assert b"dev.test" in (await tasks[1]).content
    assert (await poll(await patient.connect())).status == 200
