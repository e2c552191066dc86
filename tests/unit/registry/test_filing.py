"""Groups after swaps are those that would be made anew."""

from __future__ import annotations

import random

import pytest

from registry.filing import filed, refiled, swapped


def first(item: str) -> str:
    """The group of an item."""
    return item[0]


@pytest.mark.parametrize("swaps", [1, 8, 9, 40])
@pytest.mark.parametrize("seed", range(5))
def test_few_swaps_and_many_lead_to_the_groups_of_all_items(seed: int, swaps: int) -> None:
    chance = random.Random(seed)
    items = [f"{chance.choice('abc')}{number}" for number in range(100)]
    old = chance.sample(items, swaps)
    new = [chance.choice([None, f"{item[0]}-new-{item}"]) for item in old]
    pairs = [*zip(old, new, strict=True), (None, "a-added"), (None, "d-added")]
    after = swapped(items, pairs)
    assert after is not None
    by_old = dict(zip(old, new, strict=True))
    left = [by_old.get(item, item) for item in items]
    assert after == (*filter(None, left), "a-added", "d-added")
    assert refiled(filed(items, first), pairs, first) == filed(after, first)


@pytest.mark.parametrize("swaps", [1, 40])
def test_what_is_not_there_cannot_be_swapped(swaps: int) -> None:
    items = [f"a{number}" for number in range(100)]
    pairs = [(item, f"a-new-{item}") for item in items[: swaps - 1]]
    assert swapped(items, [*pairs, ("a-nobody", "a-new")]) is None
    assert refiled(filed(items, first), [*pairs, ("a-nobody", "a-new")], first) is None


def test_whoever_goes_to_another_group_has_no_known_place_there() -> None:
    items = ["a1", "b1"]
    assert refiled(filed(items, first), [("a1", "b2")], first) is None
