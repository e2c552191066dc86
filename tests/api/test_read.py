"""GET /api/environments/{ref}, /api/projects: one environment by id or slug, its workspace."""

from __future__ import annotations

import json

import pytest

from tests.api.steps import ALL, create, read, refused
from tests.daemons import Daemon


async def test_an_environment_is_read_by_its_id_and_by_its_slug(daemon: Daemon) -> None:
    created = await create(daemon, "nightshift-dev")
    by_id = await daemon.call("GET", f"{ALL}/{created['environment_id']}")
    by_slug = await daemon.call("GET", f"{ALL}/nightshift-dev")
    assert by_id.value == by_slug.value == created
    assert by_id.headers["ETag"] == by_slug.headers["ETag"]


async def test_the_workspace_is_hydrated_as_it_is_now(daemon: Daemon) -> None:
    await create(daemon, "shop", project_id="storefront")
    spec = daemon.folders.projects / "storefront" / "project.json"
    spec.write_text('{"id": "storefront", "name": "The new shop"}')
    assert (await read(daemon, "shop"))["project"]["name"] == "The new shop"


async def test_the_etag_covers_the_record_and_not_the_workspace(daemon: Daemon) -> None:
    await create(daemon, "shop", project_id="storefront")
    before = await daemon.call("GET", f"{ALL}/shop")
    spec = daemon.folders.projects / "storefront" / "project.json"
    spec.write_text('{"id": "storefront", "name": "The new shop"}')
    after = await daemon.call("GET", f"{ALL}/shop")
    assert after.value != before.value
    assert after.headers["ETag"] == before.headers["ETag"]


@pytest.mark.parametrize("ref", ["nobody", "%00", "%ED%A0%80", "a%2Fb", "x" * 3000, "Å"])
async def test_an_unknown_id_or_slug_is_404(daemon: Daemon, ref: str) -> None:
    refused(await daemon.call("GET", f"{ALL}/{ref}"), 404, "not_found")


async def test_an_unknown_path_is_a_404_problem(daemon: Daemon) -> None:
    problem = refused(await daemon.call("GET", "/api/environment"), 404, "not_found")
    assert "/api/openapi.json" in problem["detail"]


async def test_another_method_is_405_with_those_that_are_allowed(daemon: Daemon) -> None:
    answer = await daemon.call("POST", f"{ALL}/any", json={})
    refused(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "DELETE, GET, HEAD, PATCH, PUT"


async def test_an_unknown_query_parameter_is_refused(daemon: Daemon) -> None:
    await create(daemon, "dev")
    problem = refused(await daemon.call("GET", f"{ALL}/dev?expand=1"), 422, "invalid_record")
    assert problem["errors"] == [{"pointer": "/expand", "message": "unknown query parameter"}]


async def test_workspaces_are_listed_by_id(daemon: Daemon) -> None:
    answer = await daemon.call("GET", "/api/projects")
    assert [project["id"] for project in answer.value["projects"]] == ["nightshift", "storefront"]


async def test_a_broken_workspace_is_not_listed_and_not_found(daemon: Daemon) -> None:
    (daemon.folders.projects / "storefront" / "project.json").write_text("{")
    answer = await daemon.call("GET", "/api/projects")
    assert [project["id"] for project in answer.value["projects"]] == ["nightshift"]
    problem = refused(await daemon.call("GET", "/api/projects/storefront"), 404, "not_found")
    assert "projects/storefront/project.json" in problem["detail"]


async def test_a_workspace_is_shown_without_values_and_further_keys(daemon: Daemon) -> None:
    answer = await daemon.call("GET", "/api/projects/nightshift")
    assert answer.value["env_vars"][0]["name"] == "DATABASE_URL"
    assert b"never-shown" not in answer.content
    assert b"budget" not in answer.content


@pytest.mark.parametrize("ref", ["nobody", "a%2F..%2Fnightshift", "%00", "NIGHTSHIFT"])
async def test_an_unknown_workspace_is_404(daemon: Daemon, ref: str) -> None:
    refused(await daemon.call("GET", f"/api/projects/{ref}"), 404, "not_found")


async def test_an_environment_whose_workspace_vanished_is_faulty_not_gone(daemon: Daemon) -> None:
    await create(daemon, "shop", project_id="storefront")
    (daemon.folders.projects / "storefront" / "project.json").unlink()
    created = await create(daemon, "dev")
    assert created["slug"] == "dev"
    shop = await read(daemon, "shop")
    assert shop["project"] is None
    assert shop["fault"]["code"] == "unknown_project"
    assert shop["fault"]["errors"][0]["pointer"] == "/project_id"


async def test_no_value_of_a_variable_is_hydrated_whatever_its_key(daemon: Daemon) -> None:
    variable = {"name": "TOKEN", "value": "s3cret", "default": "s3cret", "example": "s3cret"}
    spec = {"id": "storefront", "name": "Storefront", "env_vars": [variable]}
    (daemon.folders.projects / "storefront" / "project.json").write_text(json.dumps(spec))
    answer = await daemon.call("GET", "/api/projects/storefront")
    assert answer.value["env_vars"] == [
        {"name": "TOKEN", "description": None, "required": False, "secret": False}
    ]


@pytest.mark.parametrize(
    "scope", ["[" * 500 + "]" * 500, '{"\\ud800": 1}'], ids=["deep", "surrogate key"]
)
async def test_an_odd_workspace_breaks_no_list(daemon: Daemon, scope: str) -> None:
    await create(daemon, "shop", project_id="storefront")
    spec = daemon.folders.projects / "storefront" / "project.json"
    spec.write_text(f'{{"id": "storefront", "name": "Storefront", "scope": {scope}}}')
    assert (await daemon.call("GET", ALL)).status == 200
    assert (await daemon.call("GET", "/api/projects")).status == 200
