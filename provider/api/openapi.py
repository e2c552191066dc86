"""The OpenAPI 3.1 document, made from the table of routes and the models."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from provider.api.openapi_bodies import EXAMPLES, add_bodies
from provider.api.problems import STATUS
from provider.api.requests import JSON_TYPE, MERGE_PATCH_TYPE
from provider.api.routes import Route
from provider.api.views import EnvironmentView, ProblemView
from registry.names import PROJECT_ID
from registry.schema import Environment

_REF = "#/components/schemas/"
_TYPES = {"patch": (MERGE_PATCH_TYPE, JSON_TYPE)}
_PATH: dict[str, dict[str, Any]] = {
    # No pattern: a broken record is read and deleted by whatever id or slug it claims to have.
    "ref": {
        "description": "the `environment_id` or the `slug`",
        "schema": {"type": "string", "minLength": 1},
        "example": "env-nightshift-dev",
    },
    "id": {
        "description": "the id of a workspace",
        "schema": {"type": "string", "pattern": PROJECT_ID},
        "example": "nightshift",
    },
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "`ETag` of the record as it was read, several of them, or `*` (RFC 9110)",
    "schema": {"type": "string"},
}
_ETAG = {
    "description": "the revision of the stored record; it does not cover `project`",
    "required": True,
    "schema": {"type": "string", "pattern": '^"[0-9a-f]{16}"$'},
}
_LOCATION = {
    "description": "the path of the new environment, by its id",
    "required": True,
    "schema": {"type": "string", "format": "uri-reference"},
}


def describe(routes: Iterable[Route], version: str) -> dict[str, Any]:
    """The description of these routes."""
    rows = tuple(routes)
    shown = (shape for row in rows for shape in (row.answer, row.dry))
    answers = {shape for shape in shown if isinstance(shape, type)} | {ProblemView}
    views = sorted(answers, key=lambda model: model.__name__)
    _, made = models_json_schema(
        [(Environment, "validation"), *((view, "serialization") for view in views)],
        ref_template=_REF + "{model}",
    )
    schemas = made["$defs"]
    add_bodies(schemas)
    paths: dict[str, dict[str, Any]] = {}
    for row in rows:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row, rows, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Routebook",
            "version": version,
            "description": "One catalogue of every dev, test and preview environment. Every error "
            "is `application/problem+json` (RFC 9457) with a stable `code`.",
        },
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _operation(row: Route, rows: Sequence[Route], schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": row.handler.__name__,
        "summary": (row.handler.__doc__ or "").strip().splitlines()[0],
        "x-access": row.access.value,
        "parameters": [*_path_parameters(row), *_query_parameters(row.query)],
        "responses": {str(row.status): _success(row, rows, schemas), **_failures(row)},
    }
    if row.dry is not None:
        operation["responses"]["200"] = _with_dry_run(
            operation["responses"].get("200"), _content(row.dry, schemas)
        )
    for status in row.also:
        operation["responses"][str(status)] = {"description": "done, and nothing to show"}
    if row.body is not None:
        content = _body_content(row.body)
        operation["requestBody"] = {
            "required": True,
            "content": {each: content for each in _TYPES.get(str(row.body), (JSON_TYPE,))},
        }
    if row.method in ("PUT", "PATCH", "DELETE"):
        operation["parameters"].append(_IF_MATCH)
    return operation


def _body_content(body: str | type[BaseModel]) -> dict[str, Any]:
    """A form of the record by name, or a model of its own; "ignored" is whatever JSON."""
    if body == "ignored":
        return {"schema": {}}
    if isinstance(body, str):
        name = f"Environment{body.title()}"
        return {"schema": {"$ref": _REF + name}, "example": EXAMPLES[name]}
    return {"schema": body.model_json_schema()}


def _success(row: Route, rows: Sequence[Route], schemas: dict[str, Any]) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "done" if row.answer is None else "the answer"}
    if row.answer is not None:
        success["content"] = {row.media: {"schema": _content(row.answer, schemas)}}
    if row.answer is EnvironmentView:
        success["headers"] = {"ETag": _ETAG}
        if row.status == 201:
            success["headers"]["Location"] = _LOCATION
            success["links"] = _links(row, rows)
    return success


def _content(shape: type[BaseModel] | dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """The schema of an answer: its own, or a reference to the components."""
    return shape if isinstance(shape, dict) else {"$ref": _REF + _name(schemas, shape)}


def _with_dry_run(success: dict[str, Any] | None, dry: dict[str, Any]) -> dict[str, Any]:
    """What 200 is, when it may be the answer to a dry run too: that one has no `ETag`."""
    if success is None:
        return {"description": "with `dry_run`", "content": {JSON_TYPE: {"schema": dry}}}
    made = success["content"][JSON_TYPE]["schema"]
    headers = {
        name: {**header, "required": False} for name, header in success.get("headers", {}).items()
    }
    return {
        **success,
        "description": f"{success['description']}; with `dry_run` what would change",
        "content": {JSON_TYPE: {"schema": {"anyOf": [made, dry]}}},
        **({"headers": headers} if headers else {}),
    }


def _links(row: Route, rows: Sequence[Route]) -> dict[str, Any]:
    """What can be done with what was made: every route of one environment."""
    reference = {"ref": "$response.body#/environment_id"}
    return {
        each.handler.__name__: {"operationId": each.handler.__name__, "parameters": reference}
        for each in rows
        if each.path == f"{row.path}/{{ref}}"
    }


def _failures(row: Route) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    # Every route refuses strangers, and query parameters that it does not know.
    every = ("host_not_allowed", "unauthenticated", "forbidden", "invalid_record")
    for code in (*every, *row.codes):
        by_status.setdefault(STATUS[code], []).append(code)
    content = {"application/problem+json": {"schema": {"$ref": f"{_REF}ProblemView"}}}
    return {
        str(status): {"description": ", ".join(sorted(set(codes))), "content": content}
        for status, codes in sorted(by_status.items())
    }


def _path_parameters(row: Route) -> list[dict[str, Any]]:
    parameters = [
        {"name": name, "in": "path", "required": True, **_PATH[name]}
        for name in re.findall(r"{(\w+)}", row.path)
    ]
    if row.method == "DELETE":
        # Examples are tried: this one is what the example of POST makes.
        parameters[0]["example"] = EXAMPLES["EnvironmentCreate"]["slug"]
    return parameters


def _query_parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    whole = model.model_json_schema()
    required = whole.get("required", ())
    return [
        {**_query_parameter(name, schema), "required": name in required}
        for name, schema in whole.get("properties", {}).items()
    ]


def _query_parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter cannot be null: it is there or not."""
    choices = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    rest = {key: value for key, value in schema.items() if key not in ("anyOf", "title")}
    described = {"description": rest.pop("description")} if "description" in rest else {}
    if rest.get("default") is None:
        rest.pop("default", None)
    only = {**rest, **(choices[0] if choices else {})}
    return {"name": name, "in": "query", **described, "schema": only}


def _name(schemas: dict[str, Any], model: type[BaseModel]) -> str:
    output = f"{model.__name__}-Output"
    return output if output in schemas else model.__name__
