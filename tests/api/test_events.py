"""`/api/events`: what is said of each change, to whom, and how a stream ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from provider.api import events
from provider.events import WAITING_MAX, Event
from registry.event_stream import EventKind
from registry.snapshot import Snapshot
from tests.access.callers import bearer, book_of, everybody
from tests.api.bodies import body, routed, stored
from tests.api.steps import ALL, create, metric, refused, until_routed
from tests.api.streams import DEADLINE_S, Stream, streaming
from tests.conftest import StartDaemon
from tests.daemons import Daemon, Folders, eventually

PLANTED = "planted-value-of-a-record"


@pytest.fixture
async def stream(daemon: Daemon) -> AsyncIterator[Stream]:
    """A stream of a daemon with an empty catalogue."""
    async with streaming(daemon) as opened:
        yield opened


async def test_a_create_an_update_and_a_deletion_are_told_with_author_and_pointers(
    daemon: Daemon, stream: Stream
) -> None:
    created = await create(daemon, "dev", description=PLANTED)
    event = await stream.next()
    boot, _, number = event.id.rpartition("-")
    assert (event.kind, bool(boot), number.isdecimal()) == ("environment", True, True)
    told = event.data
    assert (told["environment"], told["slug"]) == (created["environment_id"], "dev")
    assert (told["action"], told["actor"], told["source"]) == ("created", "local", "api")
    assert (told["revision"], told["changed"]) == (1, [])
    await daemon.call("PATCH", f"{ALL}/dev", json={"description": f"not {PLANTED}"})
    told = await stream.until("environment", action="updated")
    assert told["changed"] == ["/description", "/updated_at"]
    await daemon.call("DELETE", f"{ALL}/dev")
    told = await stream.until("environment", action="deleted")
    assert (told["slug"], told["revision"]) == ("dev", 3)


async def test_events_carry_no_values_of_a_record(daemon: Daemon, stream: Stream) -> None:
    await create(daemon, "dev", description=PLANTED, metadata={"note": PLANTED})
    await daemon.call("PATCH", f"{ALL}/dev", json={"metadata": {"note": f"not {PLANTED}"}})
    await daemon.call("DELETE", f"{ALL}/dev")
    for _ in range(3):
        assert PLANTED not in json.dumps((await stream.next()).data)


async def test_a_hand_edit_is_told_as_one(daemon: Daemon, stream: Stream) -> None:
    daemon.folders.hand_write(stored("dev", **routed("dev.test")))
    told = await stream.until("environment")
    assert (told["action"], told["source"]) == ("created", "hand edit")
    told = await stream.until("published")
    assert told["routes"] == 1
    assert told["environments"] == ["env-dev"]


async def test_a_publication_names_whose_part_changed(daemon: Daemon, stream: Stream) -> None:
    one = await create(daemon, "one", **routed("one.test"))
    told = await stream.until("published")
    assert (told["routes"], told["environments"]) == (1, [one["environment_id"]])
    two = await create(daemon, "two", **routed("two.test"))
    told = await stream.until("published")
    assert (told["routes"], told["environments"]) == (2, [two["environment_id"]])
    health = await daemon.call("GET", "/api/health")
    assert told["digest"] == health.value["metrics"]["router"]["digest"]


async def test_what_traefik_cannot_see_is_a_change_and_no_publication(
    daemon: Daemon, stream: Stream
) -> None:
    await create(daemon, "one", **routed("one.test"))
    await stream.until("published")
    await daemon.call("PATCH", f"{ALL}/one", json={"health": {"status": "healthy"}})
    await create(daemon, "two", **routed("two.test"))
    kinds = [(await stream.next()).kind for _ in range(3)]
    assert kinds == ["environment", "environment", "published"]


async def test_a_lost_claim_is_a_conflict_until_it_is_not(daemon: Daemon, stream: Stream) -> None:
    older = stored("older", **routed("dev.test"))
    younger = stored("younger", **routed("dev.test"), created_at="2026-02-01T00:00:00Z")
    daemon.folders.hand_write(older, younger)
    told = await stream.until("conflict")
    assert (told["environment"], told["holder"]) == ("env-younger", "env-older")
    assert (told["host"], told["path_prefix"]) == ("dev.test", "/")
    assert told["entrypoint"] == "websecure"
    daemon.folders.hand_write(older, {**younger, **routed("other.test")})
    told = await stream.until("conflict_resolved")
    assert (told["environment"], told["holder"]) == ("env-younger", "env-older")


async def test_a_broken_record_is_quarantined_until_it_is_mended(
    daemon: Daemon, stream: Stream
) -> None:
    good = stored("dev", **routed("dev.test"))
    daemon.folders.hand_write(good)
    await until_routed(daemon, "dev.test")
    daemon.folders.hand_write({**good, "name": 7})
    told = await stream.until("quarantined")
    assert (told["environment"], told["code"]) == ("env-dev", "invalid_record")
    assert "/name" in told["message"]
    daemon.folders.hand_write(good)
    assert (await stream.until("mended"))["environment"] == "env-dev"


async def test_a_reconnect_begins_with_reset(daemon: Daemon) -> None:
    async with streaming(daemon, headers={"Last-Event-ID": "some-1"}) as stream:
        reset = await stream.next()
        assert reset.kind == "reset"
        assert "read everything anew" in reset.data["reason"]
        await create(daemon, "dev")
        assert (await stream.next()).kind == "environment"


async def test_a_first_connection_begins_with_nothing(daemon: Daemon, stream: Stream) -> None:
    await create(daemon, "dev")
    assert (await stream.next()).kind == "environment"


async def test_the_headers_keep_caches_and_proxies_from_holding_it_back(stream: Stream) -> None:
    headers = stream.response.headers
    assert headers["Content-Type"] == "text/event-stream"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Accel-Buffering"] == "no"


@pytest.mark.parametrize("by", ["slug", "environment_id"])
async def test_one_environment_can_be_asked_for_by_slug_or_id(daemon: Daemon, by: str) -> None:
    mine = await create(daemon, "mine")
    async with streaming(daemon, f"?environment={mine[by]}") as stream:
        await create(daemon, "other", **routed("other.test"))
        await daemon.call("PATCH", f"{ALL}/mine", json=routed("mine.test"))
        first, second = await stream.next(), await stream.next()
    assert (first.kind, first.data["slug"]) == ("environment", "mine")
    assert (second.kind, second.data["environments"]) == ("published", [mine["environment_id"]])


async def test_an_environment_that_is_yet_to_come_can_be_asked_for(daemon: Daemon) -> None:
    async with streaming(daemon, "?environment=dev") as stream:
        await create(daemon, "other", **routed("other.test"))
        await create(daemon, "dev", **routed("dev.test"))
        kinds = [(await stream.next()).kind for _ in range(2)]
        await daemon.call("DELETE", f"{ALL}/dev")
        kinds += [(await stream.next()).kind for _ in range(2)]
    assert kinds == ["environment", "published"] * 2


async def test_kinds_can_be_asked_for(daemon: Daemon) -> None:
    async with streaming(daemon, "?kind=published,live") as stream:
        await create(daemon, "planned")
        await create(daemon, "dev", **routed("dev.test"))
        assert (await stream.next()).kind == "published"


async def test_a_wrong_query_is_refused(daemon: Daemon) -> None:
    for query in ("?kind=nonsense", "?kind=", "?kind=live,", "?kind=live&kind=reset", "?odd=1"):
        refused(await daemon.call("GET", f"/api/events{query}"), 422, "invalid_record")


async def test_a_silent_stream_is_pinged(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "PING_S", 0.01)
    async with streaming(daemon) as stream, asyncio.timeout(DEADLINE_S):
        assert await stream.response.content.readline() == b": ping\r\n"


def test_a_filter_keeps_what_may_be_about_its_environment() -> None:
    query = events.EventsQuery(environment="dev")
    wanted = events.Wanted(query, Snapshot())

    def passes(kind: EventKind, **data: Any) -> bool:
        return wanted(Event("x-1", kind, data))

    assert passes("reset", reason="why")
    assert passes("published", environments=None), "it is not known whose part changed"
    assert not passes("published", environments=["env-1"])
    assert not passes("environment", environment="env-2", slug="other")
    assert passes("environment", environment="env-1", slug="dev")
    assert passes("published", environments=["env-0", "env-1"]), "its id is known by now"
    assert passes("live", traefik="t", environments=["env-1"])
    assert passes("conflict", environment="env-2", holder="env-1")
    assert not passes("conflict", environment="env-2", holder="env-3")


async def test_head_ends_at_once(daemon: Daemon) -> None:
    answer = await daemon.call("HEAD", "/api/events")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/event-stream")


async def test_stopping_the_daemon_ends_an_open_stream_whole(daemon: Daemon) -> None:
    async with streaming(daemon) as stream:
        await daemon._running.aclose()
        # Cut off, as it is when the shutdown has to cancel it, this would raise.
        assert await stream.rest() == b""


async def test_no_more_than_a_hundred_streams_are_open(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "STREAMS_MAX", 2)
    async with AsyncExitStack() as opened:
        for _ in range(2):
            await opened.enter_async_context(streaming(daemon))
        answer = await daemon.call("GET", "/api/events")
        refused(answer, 429, "slow_down")
        assert int(answer.headers["Retry-After"]) > 0

    async def there_is_room_again() -> None:
        async with daemon.session.get("/api/events") as response:
            assert response.status == 200

    await eventually(there_is_room_again)


async def test_more_changes_at_once_than_fit_are_one_reset(daemon: Daemon) -> None:
    records = [body(f"dev-{number}") for number in range(WAITING_MAX + 5)]
    async with streaming(daemon) as stream:
        answer = await daemon.call("POST", f"{ALL}:apply", json={"environments": records})
        assert answer.status == 200, answer.content
        assert (await stream.next()).kind == "reset"
        assert (await stream.next()).data["slug"] == f"dev-{WAITING_MAX + 1}"


async def test_a_revoked_token_ends_its_stream_and_no_other(
    folders: Folders, start_daemon: StartDaemon
) -> None:
    book = book_of(folders.data)
    secret, token = book.create_token("viewer", "lost")
    other = book.create_token("operator", "kept")[0]
    daemon = await start_daemon()
    async with (
        streaming(daemon, headers=bearer(secret)) as stream,
        streaming(daemon, headers=bearer(other)) as kept,
    ):
        book.revoke(token.id)
        # What happens after the revocation is not told any more, whenever it is noticed.
        await daemon.call("POST", ALL, json=stored("dev"), headers=bearer(other))
        assert await stream.rest() == b""
        assert (await kept.next()).kind == "environment"


async def test_the_first_account_ends_the_streams_of_open_mode(
    daemon: Daemon, folders: Folders
) -> None:
    async with streaming(daemon) as stream:
        everybody(folders.data)
        assert await stream.rest() == b""


async def test_a_stream_that_its_client_left_is_given_up(daemon: Daemon) -> None:
    async with streaming(daemon):
        assert await metric(daemon, "routebook_event_streams") == 1

    async def nobody_is_left() -> None:
        assert await metric(daemon, "routebook_event_streams") == 0

    await eventually(nobody_is_left)
