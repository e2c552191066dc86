"""A hand edit that drops most routes is held back until a person confirms it."""

from __future__ import annotations

import pytest

from registry.engines.protocol import Loaded
from registry.errors import CatalogueUnreadable, EditHeld
from tests.api.steps import ALL, read, refused, until_problem
from tests.conftest import StartDaemon
from tests.safety.conftest import Log
from tests.safety.desk import Desk
from tests.safety.records import Edited, keyless, record, several
from tests.safety.steps import CONFIRM, until_fine, until_routes

HELD = [(10, 6), (10, 10), (11, 6), (20, 11), (2, 2), (3, 3), (9, 9)]
PASSED = [(10, 5), (11, 5), (20, 10), (9, 8), (2, 1), (1, 1), (3, 2), (12, 0)]
RETIRED = {"lifecycle": {"state": "retired"}}


@pytest.mark.parametrize(("routed", "dropped"), HELD)
async def test_an_edit_that_drops_too_many_is_held(desk: Desk, routed: int, dropped: int) -> None:
    records = several(routed)
    await desk.holds(*records)
    await desk.found(*records[dropped:])
    assert desk.store.held is not None
    assert len(desk.store.held.dropped) == dropped
    assert len(desk.routed()) == routed


@pytest.mark.parametrize(("routed", "dropped"), PASSED)
async def test_an_edit_that_drops_fewer_is_in_force(desk: Desk, routed: int, dropped: int) -> None:
    records = several(routed)
    await desk.holds(*records)
    await desk.found(*records[dropped:], record("new"))
    assert desk.store.held is None
    assert len(desk.routed()) == routed - dropped + 1


@pytest.mark.parametrize("change", [RETIRED, {"lifecycle": {"state": "planned"}}, {"metadata": {}}])
async def test_a_record_that_stays_without_a_route_is_dropped_too(
    desk: Desk, change: dict[str, object]
) -> None:
    records = several(10)
    await desk.holds(*records)
    await desk.found(*({**each, **change} for each in records[:6]), *records[6:])
    assert len(desk.store.held.dropped) == 6
    assert len(desk.routed()) == 10


async def test_records_without_a_route_do_not_count(desk: Desk) -> None:
    unrouted = [record(f"u{number}", **RETIRED) for number in range(20)]
    await desk.holds(*several(10), *unrouted)
    await desk.found(*several(10))
    assert desk.store.held is None
    await desk.found(*several(10)[6:], *unrouted)
    assert desk.store.held is not None


async def test_broken_records_are_not_dropped(desk: Desk) -> None:
    records = several(10)
    await desk.holds(*records)
    await desk.found(*({**each, "name": 7} for each in records))
    assert desk.store.held is None
    assert len(desk.routed()) == 10


async def test_deletes_through_the_api_are_never_held(desk: Desk) -> None:
    store = await desk.holds(*several(10))
    for each in several(10):
        await store.delete(each["slug"])
    await store.load()
    assert store.held is None
    assert desk.routed() == set()


async def test_writes_are_refused_while_an_edit_is_held_and_the_file_stays(desk: Desk) -> None:
    store = await desk.holds(*several(2))
    await store.patch("s00", {"name": "second"})
    desk.passes(minutes=20)
    await desk.found(record("new"))
    text = desk.folders.buffer()
    for write in (
        store.create(record("other")),
        store.replace("s00", record("s00", name="x")),
        store.patch("s00", {"name": "x"}),
        store.delete("s00"),
        store.revert("s00", 1),
    ):
        with pytest.raises(EditHeld, match="routebook confirm"):
            await write
    assert desk.folders.buffer() == text
    assert desk.names() == {"s00": "second", "s01": "s01"}


async def test_mending_the_file_releases_it(desk: Desk) -> None:
    records = several(10)
    store = await desk.holds(*records)
    await desk.found(*records[6:])
    await desk.found(*records[5:])
    assert store.held is None
    assert len(desk.routed()) == 5
    await store.patch("s09", {"name": "patched"})


async def test_confirm_lets_it_through_and_later_edits_are_judged_anew(desk: Desk) -> None:
    records = several(14)
    store = await desk.holds(*records)
    await desk.found(*records[10:])
    assert await store.confirm() == [each["environment_id"] for each in records[:10]]
    assert len(desk.routed()) == 4
    assert store.held is None
    await desk.found()
    assert store.held is not None
    assert len(desk.routed()) == 4


async def test_confirm_lets_an_edit_with_a_hand_made_record_through(desk: Desk) -> None:
    store = await desk.holds(*several(2))
    await desk.found(keyless("new"))
    await store.confirm()
    assert store.held is None
    assert desk.names() == {"new": "new"}


async def test_a_confirm_that_fails_lets_no_later_edit_through(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = several(10)
    store = await desk.holds(*records)
    await desk.found(*records[6:])
    load = desk.engine.load

    async def load_before_it_breaks() -> Loaded:
        loaded = await load()
        desk.folders.save("{")
        return loaded

    with monkeypatch.context() as patch:
        patch.setattr(desk.engine, "load", load_before_it_breaks)
        with pytest.raises(CatalogueUnreadable):
            await store.confirm()
    await desk.found()
    assert store.held is not None
    assert len(desk.routed()) == 10


async def test_it_is_held_over_a_restart_and_while_nobody_looked(desk: Desk) -> None:
    await desk.holds(*several(2))
    await desk.found(record("new"))
    await desk.restart()
    assert desk.store.held is not None
    assert desk.routed() == {"env-s00", "env-s01"}
    desk.folders.write(*several(2))
    await desk.restart()
    await desk.stop()
    desk.folders.write(record("new"))
    await desk.start()
    assert desk.store.held is not None
    await desk.store.confirm()
    assert desk.routed() == {"env-new"}
    await desk.restart()
    assert desk.store.held is None


async def test_health_the_log_and_refusals_name_the_command(
    start_daemon: StartDaemon, folders: Edited, log: Log
) -> None:
    folders.write(*several(2))
    daemon = await start_daemon()
    await until_routes(daemon, "s00.test", "s01.test")
    folders.write(record("new"))
    problem = await until_problem(daemon, "edit_held", None)
    held = refused(await daemon.call("POST", ALL, json=record("other")), 409, "edit_held")
    said = [line for line in log.lines if "edit_held" in line]
    for told in (problem["detail"], held["detail"], *said):
        assert "2 of 2 routed environments (env-s00, env-s01)" in told
        assert "`routebook confirm`" in told
    assert said
    await until_routes(daemon, "s00.test", "s01.test")
    assert (await read(daemon, "s00"))["name"] == "s00"


async def test_traefik_goes_on_being_served_over_a_restart_until_confirm(
    start_daemon: StartDaemon, folders: Edited
) -> None:
    folders.write(*several(2))
    first = await start_daemon()
    await until_routes(first, "s00.test", "s01.test")
    await first.stop()
    folders.write(record("new"))
    second = await start_daemon()
    await until_problem(second, "edit_held", None)
    await until_routes(second, "s00.test", "s01.test")
    answer = await second.call("POST", CONFIRM, json={})
    assert answer.value == {"confirmed": ["env-s00", "env-s01"]}
    assert (await read(second, "new"))["slug"] == "new"
    await until_fine(second)


@pytest.mark.usefixtures("unwatched")
async def test_a_confirmed_edit_is_published_at_once(
    start_daemon: StartDaemon, folders: Edited
) -> None:
    folders.write(*several(2))
    daemon = await start_daemon()
    await until_routes(daemon, "s00.test", "s01.test")
    folders.write(record("new"))
    refused(await daemon.call("POST", ALL, json=record("other")), 409, "edit_held")
    await daemon.call("POST", CONFIRM, json={})
    await until_routes(daemon, "new.test", timeout_s=2)
