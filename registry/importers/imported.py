"""What an importer makes: records, and in words what could not be carried over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic import ValidationError

from registry.names import derived_environment_id
from registry.schema import Environment, field_errors
from registry.upstream import hostnames_of

Record: TypeAlias = dict[str, Any]
Claim: TypeAlias = tuple[str, str, str]

# What creating a record adds to it; the owner comes from its workspace, which is not known here.
_DEFAULTS: Mapping[str, Any] = {
    "owner": {"name": "a contact of the workspace"},
    "health": {},
    "lifecycle": {},
}
_ENTRYPOINT = "websecure"


@dataclass(frozen=True, slots=True)
class Imported:
    """Bodies for `POST /api/environments`, and sentences on what they lack.

    Each sentence begins with a place of the imported file, as `services.web: …`.
    """

    records: tuple[Record, ...]
    left_out: tuple[str, ...]


class Unusable(ValueError):
    """The record that was made breaks a rule of the catalogue; the words say which."""


def completed(record: Mapping[str, Any]) -> Environment:
    """The record as it will be once created. Raises Unusable."""
    whole = {
        "environment_id": derived_environment_id(record["project_id"], record["slug"]),
        **_DEFAULTS,
        **record,
    }
    whole["health"] = {"status": "unknown", **whole["health"]}
    whole["lifecycle"] = {"state": "planned", **whole["lifecycle"]}
    try:
        return Environment.model_validate(whole)
    except ValidationError as error:
        faults = field_errors(error)
        raise Unusable("; ".join(f"{each.pointer}: {each.message}" for each in faults)) from error


def claims_of(environment: Environment) -> frozenset[Claim]:
    """Host, path and entrypoint of each route of the record, whatever its state."""
    router = environment.router
    if router is None:
        return frozenset()
    return frozenset(
        (host, router.path, entrypoint)
        for host in hostnames_of(router, environment.host)
        for entrypoint in router.entrypoints or [_ENTRYPOINT]
    )
