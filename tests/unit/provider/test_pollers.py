"""Who polled: what is known of each connection, for how long, and how much at most."""

from __future__ import annotations

import asyncio
from typing import Any

from provider.pollers import GONE_MAX, LISTED_MAX, NAME_LENGTH_MAX, Pollers
from tests.unit.fakes import NOON, Clock


class Connection:
    """Stands in for the task of a connection; `end` ends it."""

    def add_done_callback(self, ended: Any) -> None:
        """Called by `end`."""
        self.end = lambda: ended(self)


class Stage:
    """Pollers under a clock that a test moves."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.pollers = Pollers(self.clock)

    def ask(self, connection: Any, user_agent: str = "Go", instance: str = "") -> bool:
        """One request."""
        return self.pollers.asked(connection, "10.0.0.1", user_agent, instance)


def test_a_poller_is_known_from_its_first_request_on() -> None:
    stage, connection = Stage(), Connection()
    assert stage.ask(connection, "Go-http-client/1.1", "edge-1") is True
    later = stage.clock.move(seconds=5)
    assert stage.ask(connection, "Go-http-client/1.1", "edge-1") is False
    stage.pollers.answered(connection, "one", held=True)
    (poller,) = stage.pollers.listed()
    assert (poller.remote, poller.user_agent, poller.instance) == (
        "10.0.0.1", "Go-http-client/1.1", "edge-1",
    )  # fmt: skip
    assert (poller.first_at, poller.last_at, poller.delivered_at) == (NOON, later, later)
    assert (poller.polls, poller.digest, poller.gone_at) == (2, "one", None)


def test_a_document_is_delivered_when_it_first_is() -> None:
    stage, connection = Stage(), Connection()
    stage.ask(connection)
    stage.pollers.answered(connection, "one", held=True)
    stage.clock.move(seconds=4)
    stage.pollers.answered(connection, "one", held=True)
    (poller,) = stage.pollers.listed()
    assert poller.delivered_at == NOON
    later = stage.clock.move(seconds=4)
    stage.pollers.answered(connection, "two", held=True)
    assert stage.pollers.listed()[0].delivered_at == later


def test_who_asks_not_to_be_held_is_looking() -> None:
    stage, connection = Stage(), Connection()
    stage.ask(connection)
    stage.pollers.answered(connection, "one", held=False)
    assert stage.pollers.listed()[0].is_looking


def test_names_are_bounded_and_cannot_steer_a_terminal() -> None:
    stage = Stage()
    stage.ask(kept := Connection(), "\x1b[31m\udc80" + "x" * 500, "a\nb")
    (poller,) = stage.pollers.listed()
    assert poller.user_agent == ("[31m" + "x" * 500)[:NAME_LENGTH_MAX]
    assert poller.instance == "ab"
    stage.ask(kept, instance="other\t" + "y" * 500)
    assert stage.pollers.listed()[0].instance == ("other" + "y" * 500)[:NAME_LENGTH_MAX]


def test_who_is_gone_is_listed_for_ten_minutes() -> None:
    stage, gone, alive = Stage(), Connection(), Connection()
    stage.ask(gone)
    stage.pollers.set_held(gone, True)
    stage.ask(alive)
    left_at = stage.clock.move(seconds=1)
    gone.end()
    assert [(p.gone_at, p.is_held) for p in stage.pollers.listed()] == [
        (None, False), (left_at, False),
    ]  # fmt: skip
    assert stage.pollers.connected == 1
    stage.clock.move(minutes=9, seconds=59)
    assert len(stage.pollers.listed()) == 2
    stage.clock.move(seconds=1)
    assert len(stage.pollers.listed()) == 1


def test_of_those_that_are_gone_the_last_twenty_are_kept() -> None:
    stage = Stage()
    for number in range(GONE_MAX + 5):
        stage.ask(connection := Connection(), instance=f"edge-{number}")
        connection.end()
    names = [poller.instance for poller in stage.pollers.listed()]
    assert names == [f"edge-{number}" for number in range(5, GONE_MAX + 5)]


def test_a_thousand_are_listed_at_most() -> None:
    stage, connections = Stage(), [Connection() for _ in range(LISTED_MAX + 5)]
    for connection in connections:
        stage.ask(connection)
    assert len(stage.pollers.listed()) == LISTED_MAX
    assert stage.pollers.connected == LISTED_MAX + 5


def test_the_oldest_poll_is_that_of_the_most_silent_one_alive() -> None:
    stage, silent, chatty, gone = Stage(), Connection(), Connection(), Connection()
    assert stage.pollers.oldest_poll_age_s() is None
    for connection in (gone, silent, chatty):
        stage.ask(connection)
        stage.clock.move(seconds=10)
    gone.end()
    assert stage.pollers.oldest_poll_age_s() == 20
    stage.pollers.set_held(silent, True)
    assert stage.pollers.oldest_poll_age_s() == 10


async def test_the_end_of_a_task_is_the_end_of_its_connection() -> None:
    stage = Stage()
    task = asyncio.create_task(asyncio.sleep(0))
    stage.ask(task)
    await task
    await asyncio.sleep(0)
    assert [poller.gone_at for poller in stage.pollers.listed()] == [NOON]
