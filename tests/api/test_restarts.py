"""Stopping, dying and starting again: what Traefik sees meanwhile, and what is kept."""

from __future__ import annotations

import asyncio
import gzip
import json
import signal
import threading
from datetime import datetime

import aiohttp
import pytest

from provider.auth.book import AccountBook
from registry.history import History
from registry.store import utc_now
from tests.api.bodies import body, routed, stored
from tests.api.steps import ALL, create, read, refused, until_problem, until_routed
from tests.conftest import StartDaemon, StartProcess
from tests.daemons import Answer, DaemonProcess, Folders, call, eventually

AT_ONCE = "/traefik/config?hold=0"


async def published(session: aiohttp.ClientSession, host: str) -> bytes:
    """The document, once it has a route of this host."""

    async def shows() -> bytes:
        answer = await call(session, "GET", AT_ONCE)
        assert host.encode() in answer.content
        return answer.content

    shown: bytes = await eventually(shows)
    return shown


async def kept_by(start_daemon: StartDaemon, folders: Folders) -> bytes:
    """The document of a daemon that ran over one routed record, and was stopped."""
    folders.hand_write(stored("dev", **routed("dev.test")))
    daemon = await start_daemon()
    await until_routed(daemon, "dev.test")
    content = (await daemon.call("GET", AT_ONCE)).content
    await daemon.stop()
    return content


@pytest.mark.parametrize("now", ["{", "", None], ids=["unreadable", "empty", "removed"])
async def test_the_kept_document_is_served_right_after_a_restart(
    folders: Folders, start_daemon: StartDaemon, now: str | None
) -> None:
    kept = await kept_by(start_daemon, folders)
    folders.catalogue.unlink() if now is None else folders.catalogue.write_text(now)
    daemon = await start_daemon()
    assert (await daemon.call("GET", AT_ONCE)).content == kept
    assert (await daemon.call("GET", "/readyz")).status == 200
    await until_problem(daemon, "catalogue_unreadable", None)
    assert (await daemon.call("GET", AT_ONCE)).content == kept
    listed = json.loads((await daemon.call("GET", ALL)).content)
    assert [each["slug"] for each in listed["environments"]] == ["dev"]
    refused(await daemon.call("POST", ALL, json=body()), 409, "catalogue_unreadable")


async def test_what_was_edited_while_it_was_down_is_published(
    folders: Folders, start_daemon: StartDaemon
) -> None:
    await kept_by(start_daemon, folders)
    folders.hand_write(stored("dev", **routed("new.test")))
    await until_routed(await start_daemon(), "new.test")


@pytest.mark.parametrize("kept", [b"", b"{}", b'{"http":{"routers":{}}}', b"\xff"])
async def test_a_kept_document_that_is_not_whole_is_not_served(
    folders: Folders, start_daemon: StartDaemon, kept: bytes
) -> None:
    served = await kept_by(start_daemon, folders)
    file = folders.data / "state" / "document.json.gz"
    whole = file.read_bytes()
    evil = gzip.compress(served.replace(b"dev.test", b"evl.test"))
    for damaged in (kept, whole[:-1], whole[:-40] + bytes(40), evil):
        file.write_bytes(damaged)
        folders.catalogue.write_text("{")
        daemon = await start_daemon()
        refused(await daemon.call("GET", AT_ONCE), 503, "not_ready")
        await daemon.stop()


async def test_environments_outlive_a_restart(folders: Folders, start_daemon: StartDaemon) -> None:
    first = await start_daemon()
    created = await create(first, "dev", **routed("dev.test"))
    etag = (await first.call("GET", f"{ALL}/dev")).headers["ETag"]
    await first.stop()
    second = await start_daemon()
    assert await eventually(lambda: read(second, "dev")) == created
    assert (await second.call("GET", f"{ALL}/dev")).headers["ETag"] == etag


async def test_an_acknowledged_write_and_its_document_outlive_a_kill(
    start_process: StartProcess,
) -> None:
    process = await start_process()
    async with aiohttp.ClientSession(process.url) as session:
        created = await call(session, "POST", ALL, json=body("dev", **routed("dev.test")))
        assert created.status == 201
        document = await published(session, "dev.test")
    await process.stop(signal.SIGKILL)
    async with aiohttp.ClientSession((await start_process()).url) as session:
        assert (await call(session, "GET", AT_ONCE)).content == document
        await published(session, "dev.test")
        assert (await call(session, "GET", created.headers["Location"])).value == created.value


async def held_polls(process: DaemonProcess, count: int) -> list[asyncio.Task[Answer]]:
    """Polls that this daemon holds, each on a connection of its own."""

    async def second_poll(session: aiohttp.ClientSession) -> Answer:
        async with session:
            return await call(session, "GET", "/traefik/config")

    sessions = [aiohttp.ClientSession(process.url) for _ in range(count)]
    for session in sessions:
        assert (await call(session, "GET", "/traefik/config")).status == 200
    tasks = [asyncio.create_task(second_poll(session)) for session in sessions]
    async with aiohttp.ClientSession(process.url) as session:

        async def all_are_held() -> None:
            health = await call(session, "GET", "/api/health")
            assert health.value["metrics"]["router"]["polls_held"] == count

        await eventually(all_are_held)
    return tasks


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_soon_and_held_polls_get_the_document(
    start_process: StartProcess, number: signal.Signals
) -> None:
    process = await start_process("--hold-s", "60")
    tasks = await held_polls(process, 3)
    # It takes a good second; without the release it would take the hold, a minute.
    assert await process.stop(number, timeout_s=5) == 0
    answers = await asyncio.gather(*tasks)
    assert [answer.status for answer in answers] == [200] * 3
    assert all(b"routebook-" in answer.content for answer in answers)
    assert "event=stopped" in process.said


async def test_a_second_daemon_on_one_folder_refuses(
    folders: Folders, start_process: StartProcess
) -> None:
    first = await start_process()
    second = await start_process(listening=False)
    assert await second.ended() == 1
    assert f"another Routebook serves {folders.data}" in second.said
    async with aiohttp.ClientSession(first.url) as session:
        assert (await call(session, "GET", "/readyz")).status == 200


async def test_a_folder_is_free_again_after_a_kill(start_process: StartProcess) -> None:
    first = await start_process()
    await first.stop(signal.SIGKILL)
    second = await start_process()
    assert await second.stop() == 0


def slow_to_open(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Histories open once this is set."""
    slow, opened = threading.Event(), History.open

    def open_slowly(history: History, now: datetime) -> None:
        slow.wait(30)
        opened(history, now)

    monkeypatch.setattr(History, "open", open_slowly)
    return slow


async def test_the_kept_document_is_served_while_the_rest_waits_for_a_slow_disk(
    folders: Folders, start_daemon: StartDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = await kept_by(start_daemon, folders)
    slow = slow_to_open(monkeypatch)
    daemon = await start_daemon()
    try:
        assert (await daemon.call("GET", AT_ONCE)).content == whole
        reading = asyncio.create_task(daemon.call("GET", f"{ALL}/dev"))
        assert (await daemon.call("GET", "/readyz")).status == 200
        assert not reading.done()
    finally:
        slow.set()
    assert (await reading).status == 200


async def test_a_token_that_is_revoked_while_its_request_waits_for_a_start_does_nothing(
    folders: Folders, start_daemon: StartDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    await kept_by(start_daemon, folders)
    book = AccountBook(folders.data, utc_now)
    secret, token = book.create_token("operator", "deploy")
    slow = slow_to_open(monkeypatch)
    daemon = await start_daemon()
    headers = {"Authorization": f"Bearer {secret}"}
    try:
        writing = asyncio.create_task(daemon.call("DELETE", f"{ALL}/dev", headers=headers))
        assert (await daemon.call("GET", "/readyz")).status == 200
        await asyncio.wait({writing}, timeout=0.2)
        assert not writing.done()
        book.revoke(token.id)
    finally:
        slow.set()
    assert (await writing).status == 401
    assert len(folders.stored()) == 1


async def test_who_waits_for_a_start_is_answered_when_the_daemon_stops(
    folders: Folders, start_daemon: StartDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    await kept_by(start_daemon, folders)
    slow = slow_to_open(monkeypatch)
    daemon = await start_daemon()
    reading = asyncio.create_task(daemon.call("GET", f"{ALL}/dev"))
    writing = asyncio.create_task(daemon.call("DELETE", f"{ALL}/dev"))
    assert (await daemon.call("GET", "/readyz")).status == 200
    await asyncio.wait({reading, writing}, timeout=0.2)
    try:
        await daemon.stop()
    finally:
        slow.set()
    for answer in (await reading, await writing):
        refused(answer, 503, "not_ready")
        assert answer.headers["Retry-After"] == "5"
    assert len(folders.stored()) == 1
