"""Long polling: who is answered at once, who is held, and what ends a hold."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from provider.current import Current
from provider.departure import Departure
from provider.polls import Polls
from provider.publication import Publication, encode_publication

LONG_S, SHORT_S = 60.0, 0.02


class Connection:
    """Stands in for the task of a connection, which never ends by itself."""

    def add_done_callback(self, ended: Any) -> None:
        """Remembered, to be called by a test."""
        self.ended = ended


def publication(name: str, size_bytes: int = 0) -> Publication:
    """A publication of this digest."""
    return encode_publication((name.encode().ljust(size_bytes),), name)


class Stage:
    """A publication in force, and pollers of it."""

    def __init__(self, hold_s: float, first: str | None = "one") -> None:
        self.current = Current(Path("nowhere"))
        self.polls = Polls(self.current, hold_s)
        self.client = Departure()
        if first:
            self.publish(first)

    def publish(self, name: str, size_bytes: int = 0) -> None:
        """Show the next one."""
        self.current.publish(publication(name, size_bytes))

    async def poll(self, connection: Any, *, hold: bool = True, remote: str = "t1") -> str | None:
        """The digest that one request is answered with."""
        answer = await self.polls.next_document(connection, remote, self.client, hold=hold)
        return answer.digest if answer else None

    async def held(self, connection: Any, **more: Any) -> asyncio.Task[str | None]:
        """A request that is being held."""
        before = self.polls.held
        request = asyncio.create_task(self.poll(connection, **more))
        while self.polls.held == before:
            await asyncio.sleep(0)
            assert not request.done(), "it was answered at once"
        return request


async def test_before_anything_was_published_there_is_no_answer() -> None:
    assert await Stage(LONG_S, first=None).poll(Connection()) is None


async def test_the_first_request_of_a_connection_is_answered_at_once() -> None:
    stage = Stage(LONG_S)
    assert await stage.poll(Connection()) == "one"
    assert await stage.poll(Connection()) == "one"
    assert stage.polls.held == 0


async def test_a_later_one_is_held_until_there_is_something_new() -> None:
    stage, connection = Stage(LONG_S), Connection()
    await stage.poll(connection)
    request = await stage.held(connection)
    stage.publish("two")
    assert await request == "two"


async def test_a_connection_that_missed_something_is_answered_at_once() -> None:
    stage, connection = Stage(LONG_S), Connection()
    await stage.poll(connection)
    stage.publish("two")
    assert await stage.poll(connection) == "two"
    assert stage.polls.held == 0


async def test_a_hold_ends_with_what_is_newest() -> None:
    stage, connection = Stage(LONG_S), Connection()
    await stage.poll(connection)
    request = await stage.held(connection)
    stage.publish("two")
    stage.publish("three")
    assert await request == "three"
    request = await stage.held(connection)
    stage.publish("four")
    assert await request == "four"


async def test_when_nothing_comes_the_hold_ends_with_the_same_document() -> None:
    stage, connection = Stage(SHORT_S), Connection()
    await stage.poll(connection)
    request = await stage.held(connection)
    assert await request == "one"


async def test_a_hold_of_nothing_is_no_hold() -> None:
    stage, connection = Stage(0.0), Connection()
    assert [await stage.poll(connection) for _ in range(3)] == ["one"] * 3


async def test_who_asks_not_to_be_held_is_not() -> None:
    stage, connection = Stage(LONG_S), Connection()
    assert [await stage.poll(connection, hold=False) for _ in range(3)] == ["one"] * 3
    assert stage.polls.held == 0


async def test_what_was_had_without_holding_counts_as_had() -> None:
    stage, connection = Stage(LONG_S), Connection()
    await stage.poll(connection, hold=False)
    request = await stage.held(connection)
    stage.publish("two")
    assert await request == "two"


async def test_one_connection_does_not_answer_for_another() -> None:
    stage, one, two = Stage(LONG_S), Connection(), Connection()
    await stage.poll(one)
    request = await stage.held(one)
    assert await stage.poll(two) == "one"
    stage.publish("two")
    assert await request == "two"
    assert await stage.poll(two) == "two"


async def test_a_connection_that_went_back_to_an_older_document_is_served_it() -> None:
    stage, connection = Stage(LONG_S), Connection()
    await stage.poll(connection)
    stage.publish("two")
    await stage.poll(connection)
    stage.publish("one")
    assert await stage.poll(connection) == "one"


async def test_a_request_without_a_connection_is_never_held() -> None:
    stage = Stage(LONG_S)
    assert [await stage.poll(None) for _ in range(2)] == ["one", "one"]


async def test_closing_releases_every_held_request_with_the_present_document() -> None:
    stage, connections = Stage(LONG_S), [Connection() for _ in range(3)]
    for connection in connections:
        await stage.poll(connection)
    requests = [await stage.held(connection) for connection in connections]
    stage.current.close()
    assert await asyncio.gather(*requests) == ["one"] * 3


async def test_once_it_is_closing_nobody_is_held() -> None:
    stage, connection = Stage(LONG_S), Connection()
    await stage.poll(connection)
    stage.current.close()
    stage.publish("two")
    assert [await stage.poll(connection) for _ in range(3)] == ["two"] * 3


async def test_one_hang_up_is_let_go_and_changes_nothing() -> None:
    stage = Stage(LONG_S)
    with capture_logs() as logs:
        await hang_up(stage, "t1")
    assert logs == []


async def test_hang_ups_at_one_age_shorten_the_hold_and_are_told() -> None:
    stage = Stage(LONG_S)
    with capture_logs() as logs:
        for _ in range(2):
            await hang_up(stage, "t1")
    assert [(line["event"], line["remote"]) for line in logs] == [("poller_hung_up", "t1")]
    assert "ROUTEBOOK_HOLD_S" in logs[0]["advice"]
    again = Connection()
    await stage.poll(again)
    request = await stage.held(again)
    assert await request == "one", "it now ends by itself, long before a minute"


async def test_a_hold_is_shortened_for_its_address_alone() -> None:
    stage, hasty, patient = Stage(LONG_S), Connection(), Connection()
    for _ in range(2):
        await hang_up(stage, "t1")
    await stage.poll(hasty)
    await stage.poll(patient, remote="t2")
    waiting = await stage.held(patient, remote="t2")
    shortened = await stage.held(hasty)
    assert await shortened == "one"
    assert not waiting.done()
    stage.publish("two")
    assert await waiting == "two"


async def hang_up(stage: Stage, remote: str) -> None:
    """A held request whose client goes away, and its connection with it."""
    connection = Connection()
    await stage.poll(connection, remote=remote)
    request = await stage.held(connection, remote=remote)
    stage.client.come()
    assert await request == "one"
    stage.client = Departure()


async def test_answers_and_holds_are_counted() -> None:
    stage, connection = Stage(SHORT_S), Connection()
    for _ in range(3):
        await stage.poll(connection)
    assert (stage.polls.answered, stage.polls.held) == (3, 2)


async def test_a_connection_that_ended_is_forgotten() -> None:
    stage = Stage(LONG_S)
    for _ in range(5):
        await stage.poll(Connection())
    assert stage.polls.pollers() == ()


async def test_met_is_called_at_the_first_request_of_a_connection_alone() -> None:
    stage, connection, met = Stage(SHORT_S), Connection(), []
    stage.polls.met = lambda: met.append("met")
    for _ in range(3):
        await stage.poll(connection)
    assert met == ["met"]
    await stage.poll(Connection())
    assert met == ["met", "met"]


async def test_a_poller_is_held_while_its_request_is() -> None:
    stage, connection = Stage(LONG_S), Connection()
    await stage.poll(connection)
    request = await stage.held(connection)
    assert [(p.is_held, p.digest, p.polls) for p in stage.polls.pollers()] == [(True, "one", 2)]
    assert (stage.polls.holding, stage.polls.oldest_poll_age_s()) == (1, 0)
    stage.publish("two")
    await request
    assert [(p.is_held, p.digest, p.polls) for p in stage.polls.pollers()] == [(False, "two", 2)]
    assert stage.polls.holding == 0


async def test_what_a_client_hung_up_on_was_not_delivered() -> None:
    stage, connection = Stage(LONG_S), Connection()
    await stage.poll(connection)
    request = await stage.held(connection)
    stage.client.come()
    stage.publish("two")
    await request
    assert [poller.digest for poller in stage.polls.pollers()] == ["one"]


async def test_who_gets_nothing_since_nothing_was_published_is_known_all_the_same() -> None:
    stage, connection = Stage(LONG_S, first=None), Connection()
    await stage.poll(connection)
    assert [(p.remote, p.digest) for p in stage.polls.pollers()] == [("t1", None)]


LARGE_BYTES = 10_000_000


async def given_a_large_one(stage: Stage, connection: Connection) -> None:
    """It has a document that a Traefik takes seconds to take in."""
    stage.publish("large", LARGE_BYTES)
    assert await stage.poll(connection) == "large"


async def test_a_large_document_is_not_followed_by_the_next_before_it_is_taken_in() -> None:
    stage, connection = Stage(LONG_S), Connection()
    await given_a_large_one(stage, connection)
    stage.publish("larger", LARGE_BYTES)
    request = asyncio.create_task(stage.poll(connection))
    done, _ = await asyncio.wait([request], timeout=SHORT_S)
    assert not done
    stage.publish("largest", LARGE_BYTES)
    stage.current.closing.set()
    assert await request == "largest", "the newest, when its time comes"


async def test_who_is_new_who_looks_and_who_hung_up_do_not_wait_for_that() -> None:
    stage, connection = Stage(LONG_S), Connection()
    await given_a_large_one(stage, connection)
    stage.publish("larger", LARGE_BYTES)
    assert await stage.poll(Connection()) == "larger"
    assert await stage.poll(connection, hold=False) == "larger"
    await given_a_large_one(stage, connection)
    stage.publish("larger", LARGE_BYTES)
    stage.client.come()
    assert await stage.poll(connection) == "larger"


async def test_what_it_has_is_given_again_at_once_when_its_hold_is_over() -> None:
    stage, connection = Stage(SHORT_S), Connection()
    await given_a_large_one(stage, connection)
    assert await stage.poll(connection) == "large"
