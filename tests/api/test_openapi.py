"""/api/openapi.json: valid, complete, and true to what the daemon does."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from provider.api.openapi import describe
from provider.api.problems import STATUS
from provider.api.routes import ROUTES, Route
from tests.api.bodies import body, stored
from tests.api.steps import ALL, create
from tests.conftest import StartProcess
from tests.daemons import Daemon, Folders, call

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
DESCRIPTION = describe(ROUTES, "0")
SCHEMAS: dict[str, Any] = DESCRIPTION["components"]["schemas"]


def operation(route: Route) -> dict[str, Any]:
    """What the document says of a route."""
    described: dict[str, Any] = DESCRIPTION["paths"][route.path][route.method.lower()]
    return described


def example(method: str, path: str) -> dict[str, Any]:
    """The example of a request body."""
    content = DESCRIPTION["paths"][path][method]["requestBody"]["content"]
    given: dict[str, Any] = content["application/json"]["example"]
    return given


def test_it_is_valid_openapi_3_1() -> None:
    assert DESCRIPTION["openapi"].startswith("3.1.")
    assert list(OpenAPIV31SpecValidator(DESCRIPTION).iter_errors()) == []


async def test_it_is_served(daemon: Daemon) -> None:
    answer = await daemon.call("GET", "/api/openapi.json")
    assert answer.headers["Content-Type"].startswith("application/json")
    version = answer.value["info"]["version"]
    assert answer.value == describe(ROUTES, version)


@pytest.mark.parametrize("route", ROUTES, ids=[f"{route.method} {route.path}" for route in ROUTES])
def test_every_route_is_described(route: Route) -> None:
    described = operation(route)
    assert described["summary"]
    assert str(route.status) in described["responses"]
    assert {str(STATUS[code]) for code in route.codes} <= set(described["responses"])
    assert ("requestBody" in described) == (route.body is not None)
    named = {parameter["name"] for parameter in described["parameters"]}
    assert named >= {*re.findall(r"{(\w+)}", route.path), *route.query.model_fields}


@pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if "dry_run" in route.query.model_fields],
    ids=lambda route: route.handler.__name__,
)
def test_the_answer_to_a_dry_run_is_described_beside_that_of_the_write(route: Route) -> None:
    assert route.dry is not None
    success = operation(route)["responses"]["200"]
    schema = success["content"]["application/json"]["schema"]
    shown = [each.get("$ref", "") for each in schema.get("anyOf", [schema])]
    assert any(route.dry.__name__ in reference for reference in shown)
    assert not any(header.get("required") for header in success.get("headers", {}).values())


def test_every_write_of_the_catalogue_can_be_rehearsed() -> None:
    writes = {route.handler.__name__ for route in ROUTES if "store_unavailable" in route.codes}
    assert writes - {"login", "change_task"} == {
        route.handler.__name__ for route in ROUTES if route.dry
    }


def test_nothing_else_is_described() -> None:
    described = {(m.upper(), path) for path, item in DESCRIPTION["paths"].items() for m in item}
    assert described == {(route.method, route.path) for route in ROUTES}


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [operation(route)["operationId"] for route in ROUTES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("operation_id", "codes"),
    [
        ("create_environment", {"id_taken", "route_conflict"}),
        ("replace_environment", {"route_conflict", "edited_elsewhere"}),
        ("patch_environment", {"route_conflict", "edited_elsewhere", "quarantined"}),
        ("delete_environment", {"edited_elsewhere"}),
    ],
)
def test_a_write_describes_every_code_of_409(operation_id: str, codes: set[str]) -> None:
    route = next(each for each in ROUTES if each.handler.__name__ == operation_id)
    described = operation(route)["responses"]["409"]["description"]
    assert codes <= set(described.split(", "))


async def test_the_examples_are_taken(daemon: Daemon) -> None:
    await create(daemon, "nightshift-dev", environment_id="env-nightshift-dev")
    created = await daemon.call("POST", ALL, json=example("post", ALL))
    assert created.status == 201, created.value
    one = f"{ALL}/{{ref}}"
    for method in ("put", "patch"):
        path = f"{ALL}/env-nightshift-dev"
        answer = await daemon.call(method.upper(), path, json=example(method, one))
        assert answer.status == 200, answer.value


@pytest.mark.parametrize(
    ("part", "field", "values"),
    [
        ("Host", "hostname", ["a", "A_b.TEST.", "bücher.test", "例え。テスト", "::1", "[::1]"]),
        ("Host", "ip", ["10.0.0.1", "::", "::1", "2001:DB8::7", "::ffff:10.0.0.1"]),
        ("RouterSpec", "hostnames", ["*.a.test", "*.bücher.test", "a.test.", "[2001:db8::7]"]),
        ("RouterSpec", "entrypoints", ["web", "web-Secure_2"]),
        ("RouterSpec", "middlewares", ["auth", "team.auth@file", "A_1-b@kubernetescrd"]),
        ("RouterSpec", "path_prefix", ["/", "/a//b/", "/~a/b.c_d-e"]),
        ("TlsSpec", "domains", ["*.a.test", "a.test"]),
    ],
)
async def test_a_pattern_refuses_nothing_that_is_taken(
    daemon: Daemon, part: str, field: str, values: list[str]
) -> None:
    for number, value in enumerate(values):
        section: dict[str, Any] = {"service_url": "http://127.0.0.1:9001"}
        host: dict[str, Any] = {"hostname": "a.test"}
        in_list = "items" in str(SCHEMAS[part]["properties"][field])
        owner = {"Host": host, "RouterSpec": section, "TlsSpec": section.setdefault("tls", {})}
        owner[part][field] = [value] if in_list else value
        await create(daemon, f"dev-{number}", host=host, metadata={"router": section})
        assert all(re.search(pattern, value) for pattern in patterns(part, field)), value


def patterns(part: str, field: str) -> list[str]:
    """The patterns of a field, or of its items."""
    found = re.findall(r"'pattern': ('[^']*'|\"[^\"]*\")", str(SCHEMAS[part]["properties"][field]))
    assert found
    return [text[1:-1].replace("\\\\", "\\") for text in found]


def test_a_merge_patch_asks_for_nothing_and_removes_what_is_optional() -> None:
    patch = SCHEMAS["EnvironmentPatch"]
    assert "required" not in patch
    assert patch["additionalProperties"] is False
    null = {"type": "null"}
    removable = {n for n, field in patch["properties"].items() if null in field.get("anyOf", ())}
    assert removable >= {"description", "ports", "metadata"}
    assert removable.isdisjoint({"slug", "name", "host", "owner", "lifecycle", "health"})
    assert "required" not in SCHEMAS["HostPatch"]


@pytest.mark.timeout(300)
async def test_schemathesis_finds_nothing(
    folders: Folders, start_process: StartProcess, tmp_path: Path
) -> None:
    folders.hand_write(stored("nightshift-dev"))
    daemon = await start_process()
    run = await asyncio.create_subprocess_exec(
        *(Path(sys.executable).with_name("schemathesis"), "--no-color"),
        *("--config-file", str(CONFIGURATION)),
        *("run", f"{daemon.url}/api/openapi.json"),
        *("--checks", "all", "--max-examples", "25", "--continue-on-failure"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await run.communicate()
    assert run.returncode == 0, said.decode()
    assert "request_failed" not in daemon.said
    async with aiohttp.ClientSession(daemon.url) as session:
        health = await call(session, "GET", "/api/health")
        assert health.value["metrics"]["environments"]["total"] > 2, "it made real environments"
        assert (await call(session, "POST", ALL, json=body("still-alive"))).status == 201
