"""Records that vanish in an edit that also breaks one: which of them it was, nobody can say."""

from __future__ import annotations

import pytest

from registry.errors import NotFound, Quarantined
from tests.api.steps import ALL
from tests.conftest import StartDaemon
from tests.safety.desk import Desk
from tests.safety.records import Edited, record
from tests.safety.steps import until_routes

A, B, C = record("a"), record("b"), record("c")
NAMELESS = {"note": "which one was this?"}


async def test_a_vanished_record_stays_routed_while_a_broken_one_matches_none(desk: Desk) -> None:
    await desk.holds(A, B, C)
    await desk.found(NAMELESS, B)
    assert desk.routed() == {"env-a", "env-b", "env-c"}
    assert desk.faults() == [
        ("invalid_record", None),
        ("quarantined", "env-a"),
        ("quarantined", "env-c"),
    ]


async def test_it_says_why_it_is_still_there(desk: Desk) -> None:
    await desk.holds(A, B)
    await desk.found(NAMELESS, B)
    (error,) = desk.store.snapshot.entry("a").fault.errors
    assert "not in the file any more" in error.message
    with pytest.raises(Quarantined, match="PUT"):
        await desk.store.patch("a", {"name": "x"})


async def test_it_goes_when_the_broken_one_is_mended_as_another(desk: Desk) -> None:
    await desk.holds(A, B)
    await desk.found(NAMELESS, B)
    await desk.found(C, B)
    assert desk.routed() == {"env-b", "env-c"}
    assert desk.faults() == []


async def test_it_is_in_force_when_the_broken_one_was_it(desk: Desk) -> None:
    await desk.holds(A, B)
    await desk.found(NAMELESS, B)
    await desk.found({**A, "name": "mended"}, B)
    assert desk.names() == {"a": "mended", "b": "b"}
    assert desk.faults() == []


async def test_a_broken_record_that_has_its_match_keeps_no_other(desk: Desk) -> None:
    await desk.holds(A, B, C)
    await desk.found({**A, "name": 7}, B)
    assert desk.routed() == {"env-a", "env-b"}


async def test_it_outlives_writes_and_a_restart_and_is_written_nowhere(desk: Desk) -> None:
    store = await desk.holds(A, B)
    await desk.found(NAMELESS, B)
    await store.patch("b", {"name": "patched"})
    await desk.restart()
    assert desk.routed() == {"env-a", "env-b"}
    assert desk.folders.stored()[0] == NAMELESS
    assert [each.get("slug") for each in desk.folders.stored()] == [None, "b"]


async def test_a_put_writes_it_again(desk: Desk) -> None:
    store = await desk.holds(A, B)
    await desk.found(NAMELESS, B)
    await store.replace("a", {**A, "name": "again"})
    assert [each.get("name") for each in desk.folders.stored()] == [None, "b", "again"]
    assert desk.faults() == [("invalid_record", None)]


async def test_no_other_gets_its_slug_while_it_is_there(desk: Desk) -> None:
    await desk.holds(A, B)
    await desk.found(NAMELESS, B, record("c", slug="a"))
    slugs = [each.slug for each in desk.store.snapshot.environments]
    assert sorted(slugs) == sorted(set(slugs))
    assert "env-a" in desk.routed()


async def test_a_delete_ends_it(desk: Desk) -> None:
    store = await desk.holds(A, B)
    await desk.found(NAMELESS, B)
    await store.delete("a")
    with pytest.raises(NotFound):
        store.snapshot.entry("a")
    await desk.restart()
    assert desk.routed() == {"env-b"}


@pytest.mark.usefixtures("unwatched")
async def test_a_delete_of_it_is_published_at_once(
    start_daemon: StartDaemon, folders: Edited
) -> None:
    folders.write(A, B)
    daemon = await start_daemon()
    folders.write(NAMELESS, B)
    assert (await daemon.call("POST", ALL, json=C)).status == 201
    await until_routes(daemon, "a.test", "b.test", "c.test")
    assert (await daemon.call("DELETE", f"{ALL}/a")).status == 204
    await until_routes(daemon, "b.test", "c.test", timeout_s=2)
