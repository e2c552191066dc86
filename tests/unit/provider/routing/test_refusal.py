"""When it is sure that a Traefik does not take the newest document."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from provider.pollers import Poller
from provider.routing.refusal import REFUSED_AFTER, is_traefik, refused_since
from tests.unit.fakes import NOON
from tests.unit.provider.routing.scene import AWAY, here

LONG_AGO = NOON - timedelta(hours=1)
GO = "Go-http-client/1.1"


def at(seconds: float) -> datetime:
    """So long after noon."""
    return NOON + timedelta(seconds=seconds)


def poller(digest: str | None = "new", given: float | None = 0, **changes: Any) -> Poller:
    """A Traefik that keeps its connection, and was given this at this time."""
    facts: dict[str, Any] = {
        "remote": "10.0.0.1",
        "user_agent": GO,
        "instance": "",
        "first_at": LONG_AGO,
        "last_at": NOON,
        "polls": 5,
        "digest": digest,
        "delivered_at": None if given is None else at(given),
    }
    return Poller(**{**facts, **changes})


def refused(
    looked: float, *pollers: Poller, digest: str | None = "old", since: float = -60
) -> datetime | None:
    """Since when a Traefik refuses the document `new`."""
    return refused_since(here(digest, looked_at=at(looked)), at(since), "new", pollers)


def test_it_is_sure_ten_seconds_after_it_was_given() -> None:
    assert refused(9.9, poller()) is None
    assert refused(10, poller()) == NOON + REFUSED_AFTER


def test_one_that_runs_it_or_is_away_refuses_nothing() -> None:
    assert refused(60, poller(), digest="new") is None
    assert refused_since(AWAY, LONG_AGO, "new", [poller()]) is None
    assert refused_since(here("old", looked_at=at(60)), LONG_AGO, None, [poller()]) is None


def test_it_is_not_sure_while_a_traefik_that_polls_was_not_given_it() -> None:
    assert refused(60, poller(), poller("old")) is None
    assert refused(60, poller(), poller(None, None)) is None
    assert refused(60) is None


def test_the_last_one_that_was_given_it_counts() -> None:
    assert refused(12, poller(), poller(given=9)) is None
    assert refused(19, poller(), poller(given=9)) == at(19)


def test_one_that_connects_anew_for_every_poll_counts_from_its_first() -> None:
    gone = [poller(given=n, polls=1, gone_at=at(n)) for n in range(0, 10, 2)]
    assert refused(10, *gone) == at(10)
    assert refused(10.1, *gone, poller(given=10, polls=1)) == at(10)


def test_a_process_that_was_not_watched_for_so_long_may_have_started_anew() -> None:
    assert refused(12, poller(), since=5) is None
    assert refused(15, poller(), since=5) == at(15)


def test_people_who_look_have_no_say() -> None:
    curl = poller("old", user_agent="curl/8", polls=1)
    looking = poller("old", is_looking=True)
    assert refused(10, poller(), curl, looking) == at(10)
    assert refused(60, poller(user_agent="curl/8", polls=1)) is None


def test_one_that_left_with_an_earlier_document_has_no_say() -> None:
    assert refused(10, poller(), poller("old", gone_at=NOON)) == at(10)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"polls": 1}, True),
        ({"polls": 1, "user_agent": "curl/8"}, False),
        ({"polls": 1, "user_agent": "curl/8", "instance": "edge"}, True),
        ({"polls": 2, "user_agent": "other"}, True),
        ({"is_looking": True}, False),
    ],
)
def test_what_looks_like_a_traefik(changes: dict[str, Any], expected: bool) -> None:
    assert is_traefik(poller(**changes)) is expected
