"""Whether anything but the time is another than at the last survey."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from provider.followups.world import World, is_as_before
from provider.observe.facts import RouterFact
from tests.records import environment
from tests.unit.provider.followups.worlds import NOW, dns, pair, traefik, world

FAULT = RouterFact("a@http", "", 1, "disabled", ("web",))


@pytest.fixture
def before() -> World:
    """What the last survey saw."""
    return world(environment(), dns=dns(a_test=["192.0.2.1"]), traefiks=(traefik(),))


def test_what_was_looked_at_again_and_says_the_same_is_as_before(before: World) -> None:
    later = NOW + timedelta(minutes=1)
    seen = {name: replace(fact, looked_at=later) for name, fact in before.dns.items()}
    traefiks = tuple(replace(each, looked_at=later, surveyed_at=later) for each in before.traefiks)
    assert is_as_before(replace(before, now=later, dns=seen, traefiks=traefiks), before)


def test_a_name_without_an_answer_is_as_one_that_nobody_asked_for(before: World) -> None:
    assert is_as_before(replace(before, dns=before.dns | dns(b_test="failed")), before)


@pytest.mark.parametrize(
    "change",
    [
        {"snapshot": world(environment()).snapshot},
        {"document": None},
        {"dns": dns(a_test=["192.0.2.2"])},
        {"dns": dns(a_test="absent")},
        {"dns": {}},
        {"own": {"env-a": pair("a.test")}},
        {"traefiks": (traefik(FAULT),)},
        {"traefiks": ()},
        {"projects": {"nightshift": None}},
        {"checks": object()},
    ],
    ids=lambda change: next(iter(change)),
)
def test_anything_else_is_another_world(before: World, change: dict[str, Any]) -> None:
    assert not is_as_before(replace(before, **change), before)
