"""Two records that claim one id or slug: who keeps it, and that no route is lost over it."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from registry.errors import IdTaken, NotFound, SlugTaken
from tests.safety.desk import Desk
from tests.safety.records import record

A, B = record("a"), record("b")
SAME_ID = record("copy", environment_id="env-a")
SAME_SLUG = record("a", environment_id="env-copy", host={"hostname": "copy.test"}, name="copy")
SLUG_OF_AN_ID = record("copy", slug="env-a")
ID_OF_A_SLUG = record("copy", environment_id="a")
COPIES = [
    (SAME_ID, "id_taken", "env-a"),
    (SAME_SLUG, "slug_taken", "env-copy"),
    (SLUG_OF_AN_ID, "slug_taken", "env-copy"),
    (ID_OF_A_SLUG, "id_taken", "a"),
]


@pytest.mark.parametrize(("copy", "code", "claimed"), COPIES)
async def test_the_incumbent_stays_wherever_the_copy_stands(
    desk: Desk, copy: dict[str, Any], code: str, claimed: str
) -> None:
    await desk.holds(A, B)
    for order in permutations((A, B, copy)):
        await desk.found(*order)
        assert desk.names() == {"a": "a", "b": "b"}
        assert desk.routed() == {"env-a", "env-b"}
        assert desk.faults() == [(code, claimed)]


@pytest.mark.parametrize(("copy", "code", "claimed"), COPIES)
async def test_the_incumbent_stays_over_a_restart(
    desk: Desk, copy: dict[str, Any], code: str, claimed: str
) -> None:
    await desk.holds(A, B)
    await desk.stop()
    desk.folders.write(copy, B, A)
    await desk.start()
    assert desk.names() == {"b": "b", "a": "a"}
    assert desk.faults() == [(code, claimed)]


async def test_of_two_that_nobody_knew_the_first_in_the_file_is_in_force(desk: Desk) -> None:
    await desk.holds(SAME_ID, A, B)
    assert desk.names() == {"copy": "copy", "b": "b"}
    assert desk.faults() == [("id_taken", "env-a")]


async def test_the_fault_names_the_other_and_its_place(desk: Desk) -> None:
    await desk.holds(A, B)
    await desk.found(A, B, SAME_SLUG)
    fault = desk.store.snapshot.faults[0]
    (error,) = fault.errors
    assert (error.pointer, error.place.line) == ("/slug", 4)
    assert "'env-a'" in error.message


async def test_the_copys_text_survives_writes_and_a_put_under_a_free_name_mends_it(
    desk: Desk,
) -> None:
    store = await desk.holds(A, B)
    await desk.found(A, B, SAME_ID)
    await store.patch("b", {"name": "patched"})
    assert desk.folders.stored()[2] == SAME_ID
    with pytest.raises(IdTaken):
        await store.replace("copy", SAME_ID)
    await store.replace("copy", {**SAME_ID, "environment_id": "env-copy"})
    assert desk.faults() == []
    assert desk.routed() == {"env-a", "env-b", "env-copy"}
    assert [each["environment_id"] for each in desk.folders.stored()] == [
        "env-a",
        "env-b",
        "env-copy",
    ]


async def test_a_delete_under_its_own_slug_removes_the_copy_alone(desk: Desk) -> None:
    store = await desk.holds(A, B)
    await desk.found(A, B, SAME_ID)
    await store.delete("copy")
    assert desk.folders.stored() == [A, B]
    assert desk.faults() == []


async def test_a_deleted_incumbent_does_not_come_back_as_its_identical_copy(desk: Desk) -> None:
    store = await desk.holds(A, B)
    await desk.found(A, A, B)
    assert desk.faults() == [("id_taken", "env-a")]
    await store.delete("env-a")
    await store.load()
    with pytest.raises(NotFound):
        store.snapshot.entry("env-a")
    assert desk.folders.stored() == [B]


async def test_the_api_gives_nobody_a_name_that_a_broken_record_claims(desk: Desk) -> None:
    store = await desk.holds(A, B)
    await desk.found(A, B, record("new", name=7))
    with pytest.raises(SlugTaken):
        await store.create(record("other", slug="new"))
    with pytest.raises(IdTaken):
        await store.create(record("other", environment_id="env-new"))


async def test_a_swap_of_slugs_is_no_conflict(desk: Desk) -> None:
    await desk.holds(A, B)
    await desk.found({**A, "slug": "b"}, {**B, "slug": "a"})
    assert desk.names() == {"b": "a", "a": "b"}
    assert desk.faults() == []


async def test_a_broken_copy_leaves_the_good_record_in_force(desk: Desk) -> None:
    await desk.holds(A, B)
    await desk.found(A, {**A, "name": 7}, B)
    assert desk.routed() == {"env-a", "env-b"}
    assert desk.faults() == [("invalid_record", "env-a")]


async def test_two_broken_copies_of_one_record_do_not_darken_its_route(desk: Desk) -> None:
    await desk.holds(A, B)
    await desk.found({**A, "name": 7}, {**A, "name": 8}, B)
    assert desk.routed() == {"env-a", "env-b"}
    assert len(desk.store.snapshot.environments) == 2


@pytest.mark.parametrize("taker", [SAME_SLUG, {**B, "slug": "a"}])
async def test_no_two_in_force_have_one_slug_while_one_of_them_is_broken(
    desk: Desk, taker: dict[str, Any]
) -> None:
    await desk.holds(A, B)
    await desk.found({**A, "name": 7}, *([B] if taker is SAME_SLUG else []), taker)
    slugs = [each.slug for each in desk.store.snapshot.environments]
    assert sorted(slugs) == sorted(set(slugs))
    assert "env-a" in desk.routed()
