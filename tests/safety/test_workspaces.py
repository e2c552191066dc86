"""A workspace that vanishes or breaks: its environments are faulty, not gone."""

from __future__ import annotations

import shutil

import pytest

from registry.errors import Quarantined, UnknownProject
from tests.safety.desk import Desk
from tests.safety.records import record

OURS, THEIRS = record("ours"), record("theirs", project_id="storefront")


@pytest.fixture
async def desk(desk: Desk) -> Desk:
    """A store over an environment of each workspace; then one workspace vanishes."""
    await desk.holds(OURS, THEIRS)
    shutil.rmtree(desk.folders.projects / "storefront")
    await desk.store.load()
    return desk


async def test_its_environments_are_faulty_and_stay_routed(desk: Desk) -> None:
    assert desk.faults() == [("unknown_project", "env-theirs")]
    assert desk.routed() == {"env-ours", "env-theirs"}
    (error,) = desk.store.snapshot.entry("theirs").fault.errors
    assert error.pointer == "/project_id"
    assert "storefront" in error.message
    assert (error.place.source, error.place.line) == ("environments.json", 3)


async def test_they_stay_over_a_restart(desk: Desk) -> None:
    await desk.restart()
    assert desk.faults() == [("unknown_project", "env-theirs")]
    assert desk.routed() == {"env-ours", "env-theirs"}


async def test_others_are_written_and_they_are_not_patched(desk: Desk) -> None:
    await desk.store.patch("ours", {"name": "patched"})
    with pytest.raises(Quarantined):
        await desk.store.patch("theirs", {"name": "patched"})
    with pytest.raises(UnknownProject):
        await desk.store.replace("theirs", THEIRS)
    assert desk.folders.stored()[1] == THEIRS


async def test_a_put_into_another_workspace_mends_one(desk: Desk) -> None:
    await desk.store.replace("theirs", {**THEIRS, "project_id": "nightshift"})
    assert desk.faults() == []


async def test_a_delete_removes_one(desk: Desk) -> None:
    await desk.store.delete("theirs")
    assert desk.folders.stored() == [OURS]
    assert desk.faults() == []


async def test_an_edit_of_one_waits_until_the_workspace_is_back(desk: Desk) -> None:
    await desk.found(OURS, {**THEIRS, "name": "edited"})
    assert desk.names()["theirs"] == "theirs"
    spec = desk.folders.projects / "storefront" / "project.json"
    spec.parent.mkdir()
    spec.write_text('{"id": "storefront", "name": "Back"}')
    await desk.store.load()
    assert desk.names()["theirs"] == "edited"
    assert desk.faults() == []


async def test_a_new_record_of_it_is_left_out_alone(desk: Desk) -> None:
    await desk.found(OURS, THEIRS, record("new", project_id="storefront"), record("good"))
    assert desk.routed() == {"env-ours", "env-theirs", "env-good"}
    assert desk.faults() == [("unknown_project", "env-theirs"), ("unknown_project", "env-new")]


async def test_a_workspace_that_no_longer_parses_is_as_one_that_vanished(desk: Desk) -> None:
    (desk.folders.projects / "nightshift" / "project.json").write_text("{")
    await desk.store.load()
    assert desk.routed() == {"env-ours", "env-theirs"}
    assert ("unknown_project", "env-ours") in desk.faults()
