"""Request bodies in the OpenAPI document: what POST, PUT and PATCH take, made from the record.

A pattern is a necessary condition: what it refuses, the validator refuses too. What a schema
cannot say (names that are taken, workspaces that exist, fields that agree) is 409 or 422.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from registry.changes import READ_ONLY_KEYS

Schema = dict[str, Any]

_REF = "#/components/schemas/"
_NULL: Schema = {"type": "null"}

_NAME = r"(\[?[0-9A-Fa-f:.]+\]?|([A-Za-z0-9_.-]|[^\x00-\x7f])+)"
_PATTERN = rf"^(\*\.)?{_NAME}$"
_FILE = r"^[^.\/\\\x00][^\\\x00]*$"
_ADDRESS = r"^([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]*:[0-9A-Fa-f.]*)$"
_NECESSARY: Mapping[tuple[str, str], str] = {
    ("Host", "hostname"): f"^{_NAME}$",
    ("Host", "ip"): _ADDRESS,
    ("RouterSpec", "hostnames"): _PATTERN,
    ("RouterSpec", "entrypoints"): r"^[A-Za-z0-9_-]{1,64}$",
    ("RouterSpec", "middlewares"): r"^[A-Za-z0-9_.-]+(@[a-z]+)?$",
    ("RouterSpec", "path_prefix"): r"^\/[A-Za-z0-9._~\/-]*$",
    ("RouterSpec", "port"): r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
    ("TlsSpec", "cert_file"): _FILE,
    ("TlsSpec", "key_file"): _FILE,
    ("TlsSpec", "domains"): _PATTERN,
}
_CONSOLE: Schema = {"name": "console", "port": 9001, "protocol": "http"}
_EXAMPLES: Mapping[tuple[str, str], Any] = {
    ("Environment", "environment_id"): "env-nightshift-dev",
    ("Environment", "ports"): [_CONSOLE],
    ("Host", "hostname"): "devbox-1.test",
    ("Host", "ip"): "192.0.2.7",
    ("RouterSpec", "hostnames"): ["nightshift-dev.test", "*.nightshift-dev.test"],
    ("RouterSpec", "entrypoints"): ["web", "websecure"],
    ("RouterSpec", "service_url"): "http://127.0.0.1:9001",
    ("RouterSpec", "server_urls"): ["http://127.0.0.1:9001", "http://127.0.0.1:9002"],
    ("RouterSpec", "port"): _CONSOLE["name"],
    ("RouterSpec", "path_prefix"): "/reports",
    ("RouterSpec", "middlewares"): ["team-auth@file"],
    ("TlsSpec", "cert_file"): "nightshift-dev.crt",
    ("TlsSpec", "key_file"): "nightshift-dev.key",
    ("TlsSpec", "domains"): ["nightshift-dev.test"],
}
# A router leads somewhere: one of these is given, and not null.
_UPSTREAM: list[Schema] = [
    {"required": ["service_url"], "properties": {"service_url": {"type": "string"}}},
    {"required": ["server_urls"], "properties": {"server_urls": {"type": "array", "minItems": 1}}},
    {"required": ["port"], "properties": {"port": {"type": "string"}}},
]
# What has a default in a new record, and may be null there too.
_DEFAULTED_PARTS = ("lifecycle", "health")
_DEFAULTED = ("environment_id", "owner")

_NEW: Schema = {
    "project_id": "nightshift",
    "slug": "nightshift-preview",
    "name": "Nightshift preview",
    "host": {"hostname": "devbox-1.test", "provider": "compose", "ip": "127.0.0.1"},
    "ports": [_CONSOLE],
    "lifecycle": {"state": "active"},
    "metadata": {"router": {"hostnames": ["nightshift-preview.test"], "port": "console"}},
}
EXAMPLES: Mapping[str, Schema] = {
    "EnvironmentCreate": _NEW,
    "EnvironmentReplace": {
        **_NEW,
        "environment_id": "env-nightshift-dev",
        "slug": "nightshift-dev",
        "name": "Nightshift dev",
        "owner": {"name": "Ines Okafor", "email": "ines@nightshift.example", "role": "owner"},
        "health": {"status": "healthy", "checked_at": "2026-11-23T09:30:00Z"},
        "metadata": {"router": {"hostnames": ["nightshift-dev.test"], "port": "console"}},
    },
    "EnvironmentPatch": {"health": {"status": "healthy", "notes": "Self-test OK"}},
}


def add_bodies(schemas: dict[str, Schema]) -> None:
    """Add the schemas of all bodies to the components, and the patterns to their parts."""
    for (part, field), pattern in _NECESSARY.items():
        _narrow(schemas[part]["properties"][field], pattern)
    for (part, field), example in _EXAMPLES.items():
        _input(schemas, part)["properties"][field]["examples"] = [example]
    schemas["RouterSpec"]["anyOf"] = _UPSTREAM
    record = _input(schemas, "Environment")
    schemas["EnvironmentCreate"] = _created(record, schemas)
    schemas["EnvironmentReplace"] = _replaced(record)
    schemas["EnvironmentPatch"] = {
        **_taking_what_was_read(_patched(record, schemas)),
        "description": "A JSON merge patch (RFC 7396) of the record: null takes a field away.",
    }


def _narrow(schema: Schema, pattern: str) -> None:
    """Put the pattern on the text in this schema: itself, an alternative, or a list's items."""
    if schema.get("type") == "string":
        schema["pattern"] = pattern
    for inner in (*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else ())):
        _narrow(inner, pattern)


def _created(record: Schema, schemas: dict[str, Schema]) -> Schema:
    """What POST takes: what has a default may be missing, also inside lifecycle and health."""
    properties = dict(record["properties"])
    for name in _DEFAULTED:
        properties[name] = {"anyOf": [properties[name], _NULL]}
    for name in _DEFAULTED_PARTS:
        part = _input(schemas, name.title())
        schemas[f"{name.title()}Create"] = _asking_nothing(part)
        properties[name] = {"anyOf": [{"$ref": f"{_REF}{name.title()}Create"}, _NULL]}
    made_up = {*_DEFAULTED, *_DEFAULTED_PARTS}
    required = [name for name in record["required"] if name not in made_up]
    return {
        **_taking_what_was_read({**record, "properties": properties, "required": required}),
        "description": "A new environment: id, owner, state, health and times have defaults.",
    }


def _replaced(record: Schema) -> Schema:
    required = [name for name in record["required"] if name != "environment_id"]
    return {
        **_taking_what_was_read({**record, "required": required}),
        "description": "The record whole; `environment_id`, when given, is the one it has.",
    }


def _taking_what_was_read(record: Schema) -> Schema:
    """With the keys that a reading has beside the record: whatever they hold is ignored."""
    ignored: Schema = {key: {"description": "ignored in a body"} for key in READ_ONLY_KEYS}
    return {**record, "properties": {**record["properties"], **ignored}}


def _patched(record: Schema, schemas: dict[str, Schema]) -> Schema:
    """The merge patch of an object: nothing is required, null removes what is optional."""
    required = record.get("required", ())
    properties = {
        name: _patched_field(field, schemas, removable=name not in required)
        for name, field in record["properties"].items()
    }
    return {**_asking_nothing(record), "properties": properties}


def _patched_field(field: Schema, schemas: dict[str, Schema], *, removable: bool) -> Schema:
    shown: Schema = {key: field[key] for key in ("title", "examples") if key in field}
    choices = [
        _patched_part(choice, schemas) for choice in field.get("anyOf", [field]) if choice != _NULL
    ]
    if removable:
        choices.append(_NULL)
    return {**shown, **(choices[0] if len(choices) == 1 else {"anyOf": choices})}


def _patched_part(choice: Schema, schemas: dict[str, Schema]) -> Schema:
    """An object is patched in its turn; a list or a plain value is replaced."""
    if "$ref" not in choice:
        return choice
    part = choice["$ref"].removeprefix(_REF)
    name = f"{part.removesuffix('-Input')}Patch"
    if name not in schemas:
        schemas[name] = _patched(schemas[part], schemas)
    return {"$ref": _REF + name}


def _asking_nothing(part: Schema) -> Schema:
    return {key: value for key, value in part.items() if key not in ("required", "anyOf")}


def _input(schemas: dict[str, Schema], name: str) -> Schema:
    """A model's schema for input; pydantic adds a suffix where it has one for output too."""
    return schemas.get(f"{name}-Input") or schemas[name]
