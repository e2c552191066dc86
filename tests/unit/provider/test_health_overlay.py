"""A newer time of a check is shown, and not taken back as a change."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from provider.health_overlay import as_stored, shown_document
from registry.schema import Environment
from tests.api.bodies import stored

SEEN = datetime(2026, 11, 24, 12, 0, 5, tzinfo=UTC)
STORED = "2026-11-23T08:00:00Z"


def environment(checked_at: str | None = STORED) -> Environment:
    health = {"status": "healthy", "notes": "by hand", "checked_at": checked_at}
    return Environment.model_validate(stored("a", health=health))


def test_the_newer_time_is_shown_and_the_record_stays() -> None:
    record = environment()
    revision = record.revision
    shown = shown_document(record, SEEN)
    assert shown["health"]["checked_at"] == "2026-11-24T12:00:05Z"
    assert shown["health"]["notes"] == "by hand"
    assert record.document["health"]["checked_at"] == STORED
    assert record.revision == revision


@pytest.mark.parametrize("known", [STORED, None])
@pytest.mark.parametrize("sent", ["2026-11-24T12:00:05Z", "2026-11-24T13:00:05+01:00"])
def test_a_time_that_was_shown_is_taken_as_the_stored_one(known: str | None, sent: str) -> None:
    body = {"name": "A", "health": {"status": "degraded", "checked_at": sent}}
    taken = as_stored(body, environment(known), SEEN)
    assert taken == {"name": "A", "health": {"status": "degraded", "checked_at": known}}
    assert body["health"] == {"status": "degraded", "checked_at": sent}


def test_a_time_that_was_shown_a_survey_ago_too() -> None:
    body = {"health": {"checked_at": "2026-11-24T11:59:05Z"}}
    assert as_stored(body, environment(), SEEN) == {"health": {"checked_at": STORED}}


@pytest.mark.parametrize(
    "body",
    [
        {"health": {"checked_at": "2026-11-24T12:00:06Z"}},
        {"health": {"checked_at": "2026-11-22T08:00:00Z"}},
        {"health": {"checked_at": None}},
        {"health": {"checked_at": 7}},
        {"health": {"checked_at": "soon"}},
        {"health": {"status": "healthy"}},
        {"health": None},
        {"health": ["checked_at"]},
        {"name": "A"},
        [],
        None,
    ],
)
def test_everything_else_is_left_as_it_is(body: Any) -> None:
    assert as_stored(body, environment(), SEEN) == body
    assert as_stored(body, environment(), None) == body
