"""Workspaces on disk: read again when they change, and only what may be shown is taken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from registry.errors import UnknownProject
from registry.workspaces import Workspaces
from tests.file_times import save_in_the_time_of_before


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of two workspaces."""
    for project_id in ("nightshift", "storefront"):
        put(tmp_path, project_id)
    return tmp_path


def put(folder: Path, project_id: str, **changes: Any) -> Path:
    """Write a workspace, by rename as editors do."""
    spec = folder / project_id / "project.json"
    spec.parent.mkdir(exist_ok=True)
    new = spec.with_suffix(".new")
    new.write_text(json.dumps({"id": project_id, "name": project_id.title(), **changes}))
    return new.replace(spec)


def refusal(folder: Path, project_id: str) -> UnknownProject:
    """The error for a workspace that is none."""
    with pytest.raises(UnknownProject) as raised:
        Workspaces(folder).get(project_id)
    (fault,) = raised.value.errors
    assert fault.pointer == "/project_id"
    assert fault.message == raised.value.detail
    return raised.value


def test_a_workspace_is_read_by_its_id(folder: Path) -> None:
    assert Workspaces(folder).get("nightshift").name == "Nightshift"


def test_the_same_file_is_parsed_once(folder: Path) -> None:
    workspaces = Workspaces(folder)
    assert workspaces.get("nightshift") is workspaces.get("nightshift")


def test_a_changed_file_is_read_again(folder: Path) -> None:
    workspaces = Workspaces(folder)
    workspaces.get("nightshift")
    put(folder, "nightshift", name="Renamed")
    assert workspaces.get("nightshift").name == "Renamed"


def test_a_file_that_was_rewritten_in_place_is_read_again(folder: Path) -> None:
    workspaces = Workspaces(folder)
    workspaces.get("nightshift")
    spec = folder / "nightshift" / "project.json"
    save_in_the_time_of_before(spec, spec.read_text().replace("Nightshift", "Dayshift!!"))
    assert workspaces.get("nightshift").name == "Dayshift!!"


def test_a_workspace_may_break_vanish_and_come_back(folder: Path) -> None:
    workspaces = Workspaces(folder)
    good = workspaces.get("nightshift")
    put(folder, "nightshift", name=7)
    with pytest.raises(UnknownProject, match="/name"):
        workspaces.get("nightshift")
    (folder / "nightshift" / "project.json").unlink()
    with pytest.raises(UnknownProject, match="is not there"):
        workspaces.get("nightshift")
    put(folder, "nightshift")
    assert workspaces.get("nightshift") == good


def test_a_missing_workspace_is_refused_with_near_names(folder: Path) -> None:
    error = refusal(folder, "nightshft")
    assert error.facts["near"] == ["nightshift"]
    assert "did you mean nightshift?" in error.detail


def test_without_near_names_none_is_suggested(folder: Path) -> None:
    error = refusal(folder, "zzz")
    assert error.facts["near"] == []
    assert "did you mean" not in error.detail


@pytest.mark.parametrize(
    "project_id",
    ["../nightshift", "nightshift/..", "/etc", "", ".", "..", "Night", "a\0b", "x" * 65],
)
def test_an_id_is_never_a_path(folder: Path, project_id: str) -> None:
    assert "cannot name a workspace" in refusal(folder / "nightshift", project_id).detail


def test_a_newline_ends_no_id(folder: Path) -> None:
    assert "cannot name a workspace" in refusal(folder, "nightshift\n").detail


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "cannot be read"),
        ("", "cannot be read"),
        ('{"id": "nightshift", "name": "a", "name": "b"}', "stands twice"),
        ("[]", "not a valid workspace"),
        ('{"id": "nightshift"}', "/name: Field required"),
        ('{"id": "nightshift", "name": "n", "contacts": [{"role": "x"}]}', "/contacts/0/name"),
        ('{"id": "other", "name": "n"}', "the folder and the id must agree"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_broken_workspace_says_what_is_wrong(folder: Path, text: str, reason: str) -> None:
    (folder / "nightshift" / "project.json").write_text(text)
    detail = refusal(folder, "nightshift").detail
    assert reason in detail
    assert detail.startswith("projects/nightshift/project.json")


def test_a_workspace_that_is_not_text_or_no_file_says_so(folder: Path) -> None:
    (folder / "nightshift" / "project.json").write_bytes(b"\xff\xfe")
    assert "cannot be read" in refusal(folder, "nightshift").detail
    (folder / "odd" / "project.json").mkdir(parents=True)
    assert "cannot be read" in refusal(folder, "odd").detail


def test_further_keys_are_allowed_and_not_hydrated(folder: Path) -> None:
    put(
        folder,
        "nightshift",
        budget=1,
        repositories=[{"name": "n", "url": "https://git.test/n", "token": "hidden"}],
        contacts=[{"name": "Ines", "phone": "hidden"}],
        smoke_tests=[{"name": "up", "url": "http://n.test/", "password": "hidden"}],
    )
    shown = Workspaces(folder).get("nightshift").model_dump_json()
    assert "hidden" not in shown
    assert "budget" not in shown


def test_no_value_or_default_of_a_variable_is_ever_hydrated(folder: Path) -> None:
    secret = {"value": "hidden", "default": "hidden", "example": "hidden"}
    put(folder, "nightshift", env_vars=[{"name": "DATABASE_URL", "secret": True, **secret}])
    (variable,) = Workspaces(folder).get("nightshift").env_vars
    assert variable.model_dump() == {
        "name": "DATABASE_URL",
        "description": None,
        "required": False,
        "secret": True,
    }


def test_the_ids_are_those_of_the_folders_with_a_spec(folder: Path) -> None:
    (folder / "empty").mkdir()
    (folder / "Not An Id").mkdir()
    (folder / "Not An Id" / "project.json").write_text("{}")
    (folder / "broken").mkdir()
    (folder / "broken" / "project.json").write_text("{")
    (folder / "file.json").write_text("{}")
    assert Workspaces(folder).ids() == ["broken", "nightshift", "storefront"]


def test_without_a_folder_there_are_no_workspaces(tmp_path: Path) -> None:
    workspaces = Workspaces(tmp_path / "none")
    assert workspaces.ids() == []
    with pytest.raises(UnknownProject):
        workspaces.get("nightshift")
