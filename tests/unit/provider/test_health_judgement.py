"""What probes in a row make of a status."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider.health_judgement import Standing, flip, judged
from provider.observe.plumbing import ProbeFact
from registry.schema import Environment, HealthStatus
from tests.api.bodies import stored

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
URL = "http://a.test/health"


def environment(status: str = "healthy", url: str = URL, state: str = "active") -> Environment:
    return Environment.model_validate(
        stored("a", health={"status": status, "url": url}, lifecycle={"state": state})
    )


def after(
    answers: Sequence[bool | None],
    status: str = "healthy",
    known: dict[str, Standing] | None = None,
    state: str = "active",
) -> dict[str, Standing]:
    """The standings after these answers about a record that nobody writes."""
    record, standings = environment(status, state=state), known or {}
    for number, is_good in enumerate(answers):
        fact = ProbeFact("env-a", URL, NOW + timedelta(minutes=number), is_good)
        standings = judged(standings, [record], {"env-a": fact})
    return standings


def flipped(
    answers: Sequence[bool | None], status: HealthStatus = "healthy", state: str = "active"
) -> str:
    standing = after(answers, status, state=state).get("env-a")
    return (flip(standing, status) if standing else None) or "as it was"


@pytest.mark.parametrize(
    ("status", "answers", "becomes"),
    [
        ("unknown", [True], "as it was"),
        ("unknown", [True, True], "healthy"),
        ("unknown", [False, False], "as it was"),
        ("unknown", [False, False, False], "offline"),
        ("offline", [True], "as it was"),
        ("offline", [True, True], "healthy"),
        ("offline", [True, False, True], "as it was"),
        ("offline", [False] * 9, "as it was"),
        ("healthy", [False, False], "as it was"),
        ("healthy", [False, False, True, False, False], "as it was"),
        ("healthy", [False, False, False], "offline"),
        ("healthy", [False, None, False, None, False], "offline"),
        ("degraded", [True] * 9, "as it was"),
        ("degraded", [False, False, False], "offline"),
        ("maintenance", [True] * 9, "as it was"),
        ("maintenance", [False] * 9, "as it was"),
        ("unknown", [None] * 9, "as it was"),
    ],
)
def test_two_good_answers_or_three_bad_ones_in_a_row_flip_a_status(
    status: HealthStatus, answers: list[bool | None], becomes: str
) -> None:
    assert flipped(answers, status) == becomes


@pytest.mark.parametrize("is_good", [True, False])
def test_an_environment_in_maintenance_is_checked_and_never_flipped(is_good: bool) -> None:
    standing = after([is_good] * 9, "healthy", state="maintenance")["env-a"]
    assert flip(standing, "healthy") is None
    assert standing.checked_at == NOW + timedelta(minutes=8)


def test_a_check_is_an_answer_that_agrees_with_the_status() -> None:
    assert after([True, True])["env-a"].checked_at == NOW + timedelta(minutes=1)
    assert after([True, False, False])["env-a"].checked_at == NOW
    assert after([True, None])["env-a"].checked_at == NOW


def test_what_somebody_wrote_gets_a_count_of_its_own() -> None:
    known = after([False, False], "healthy")
    known = after([False], "degraded", known)
    assert flip(known["env-a"], "degraded") is None
    assert flip(after([False, False], "degraded", known)["env-a"], "degraded") == "offline"


def test_another_url_begins_anew() -> None:
    known = after([True, False, False])
    record = environment(url="http://b.test/")
    fact = ProbeFact("env-a", "http://b.test/", NOW, False)
    standing = judged(known, [record], {"env-a": fact})["env-a"]
    assert (standing.streak, standing.checked_at) == (1, None)
    assert judged(known, [record], {}) == {}


def test_an_answer_of_the_url_before_says_nothing_of_the_new_one() -> None:
    record = environment(url="http://b.test/")
    assert judged({}, [record], {"env-a": ProbeFact("env-a", URL, NOW, True)}) == {}


def test_nothing_is_kept_of_a_record_that_went() -> None:
    assert judged(after([True]), [], {}) == {}


def test_what_was_not_looked_at_keeps_its_standing() -> None:
    known = after([True, False])
    assert judged(known, [environment()], {}) == known


@given(st.lists(st.sampled_from([True, False, None]), max_size=60))
def test_a_flapping_service_flips_no_more_often_than_its_streaks_allow(
    answers: list[bool | None],
) -> None:
    standings: dict[str, Standing] = {}
    status: HealthStatus = "unknown"
    since_flip: list[bool] = []
    for is_good in answers:
        fact = ProbeFact("env-a", URL, NOW, is_good)
        standings = judged(standings, [environment(status)], {"env-a": fact})
        since_flip += [] if is_good is None else [is_good]
        standing = standings.get("env-a")
        wanted = flip(standing, status) if standing else None
        if wanted is not None:
            needed = [True, True] if wanted == "healthy" else [False, False, False]
            assert since_flip[-len(needed) :] == needed
            assert wanted != status
            status, since_flip = wanted, []
