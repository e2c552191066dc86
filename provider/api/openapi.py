"""The OpenAPI 3.1 document, made from the table of routes and the models."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from provider.api.problems import STATUS
from provider.api.requests import JSON_TYPE, MERGE_PATCH_TYPE
from provider.api.routes import Route
from provider.api.views import ProblemView
from registry.changes import READ_ONLY_KEYS
from registry.schema import Environment

_REF = "#/components/schemas/"
_TYPES = {"patch": (MERGE_PATCH_TYPE, JSON_TYPE)}
_DEFAULTED = {"environment_id", "owner", "lifecycle", "health"}


def describe(routes: Iterable[Route], version: str) -> dict[str, Any]:
    """The description of these routes."""
    rows = tuple(routes)
    answers = {r.answer for r in rows if isinstance(r.answer, type)} | {ProblemView}
    views = sorted(answers, key=lambda model: model.__name__)
    _, made = models_json_schema(
        [(Environment, "validation"), *((view, "serialization") for view in views)],
        ref_template=_REF + "{model}",
    )
    schemas = made["$defs"]
    record = _named(schemas, "Environment")
    schemas |= {
        "EnvironmentCreate": _created(record),
        "EnvironmentReplace": _replaced(record),
        "EnvironmentPatch": {"type": "object", "description": "JSON merge patch (RFC 7396)"},
    }
    paths: dict[str, dict[str, Any]] = {}
    for row in rows:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Routebook", "version": version},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _operation(row: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": row.handler.__name__,
        "summary": (row.handler.__doc__ or "").strip().splitlines()[0],
        "x-access": row.access.value,
        "parameters": [*_path_parameters(row), *_query_parameters(row.query)],
        "responses": {str(row.status): _success(row, schemas), **_failures(row)},
    }
    if row.body is not None:
        schema = _body_schema(row.body)
        types = _TYPES.get(str(row.body), (JSON_TYPE,))
        operation["requestBody"] = {
            "required": True,
            "content": {each: {"schema": schema} for each in types},
        }
    if row.method in ("PUT", "PATCH", "DELETE"):
        operation["parameters"].append(
            {
                "name": "If-Match",
                "in": "header",
                "required": False,
                "description": "the ETag of the record as it was read",
                "schema": {"type": "string"},
            }
        )
    return operation


def _body_schema(body: str | type[BaseModel]) -> dict[str, Any]:
    if isinstance(body, str):
        return {"$ref": f"{_REF}Environment{body.title()}"}
    return body.model_json_schema()


def _success(row: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "done" if row.answer is None else "the answer"}
    if isinstance(row.answer, dict):
        success["content"] = {JSON_TYPE: {"schema": row.answer}}
    elif row.answer is not None:
        name = _name(schemas, row.answer)
        success["content"] = {JSON_TYPE: {"schema": {"$ref": _REF + name}}}
    return success


def _failures(row: Route) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for code in (
        "host_not_allowed",
        "unauthenticated",
        "forbidden",
        *(["invalid_record"] if row.query else []),
        *row.codes,
    ):
        by_status.setdefault(STATUS[code], []).append(code)
    content = {"application/problem+json": {"schema": {"$ref": f"{_REF}ProblemView"}}}
    return {
        str(status): {"description": ", ".join(sorted(set(codes))), "content": content}
        for status, codes in sorted(by_status.items())
    }


def _path_parameters(row: Route) -> list[dict[str, Any]]:
    schema = {"type": "string", "minLength": 1}
    return [
        {"name": name, "in": "path", "required": True, "schema": schema}
        for name in re.findall(r"{(\w+)}", row.path)
    ]


def _query_parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    properties = model.model_json_schema().get("properties", {})
    return [
        {"name": name, "in": "query", "required": False, "schema": _query_schema(schema)}
        for name, schema in properties.items()
    ]


def _query_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter cannot be null: it is there or not."""
    choices = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    rest = {key: value for key, value in schema.items() if key not in ("anyOf", "default", "title")}
    return {**rest, **(choices[0] if choices else {})}


def _created(record: dict[str, Any]) -> dict[str, Any]:
    """What POST takes: what has a default may be missing, also inside lifecycle and health."""
    required = [name for name in record["required"] if name not in _DEFAULTED]
    return {**_replaced(record), "required": required}


def _replaced(record: dict[str, Any]) -> dict[str, Any]:
    properties = {**record["properties"], **{key: {} for key in READ_ONLY_KEYS}}
    required = [name for name in record["required"] if name != "environment_id"]
    return {**record, "properties": properties, "required": required}


def _named(schemas: dict[str, Any], name: str) -> dict[str, Any]:
    """A model's schema for input; pydantic adds a suffix where it has one for output too."""
    found: dict[str, Any] = schemas.get(f"{name}-Input") or schemas[name]
    return found


def _name(schemas: dict[str, Any], model: type[BaseModel]) -> str:
    output = f"{model.__name__}-Output"
    return output if output in schemas else model.__name__
