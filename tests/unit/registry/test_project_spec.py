"""Whom a workspace names as the owner of its environments."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from pydantic import ValidationError

from registry.project_spec import ProjectDefinition


def owner(*contacts: tuple[str, str | None]) -> str | None:
    """The name of the default owner, of contacts given as name and role."""
    people = [{"name": name, "role": role} for name, role in contacts]
    project = ProjectDefinition.model_validate({"id": "p", "name": "P", "contacts": people})
    found = project.default_owner()
    return None if found is None else found.name


@pytest.mark.parametrize("role", ["owner", "maintainer", "Owner", "MAINTAINER"])
def test_the_first_owner_or_maintainer_is_the_owner(role: str) -> None:
    assert owner(("Tom", "developer"), ("Ines", role), ("Mika", "owner")) == "Ines"


def test_else_it_is_the_first_contact() -> None:
    assert owner(("Tom", None), ("Ines", "developer")) == "Tom"


def test_without_contacts_there_is_none() -> None:
    assert owner() is None


def test_the_owner_has_the_whole_contact() -> None:
    contact = {"name": "Ines", "email": "i@n.test", "slack": "@i", "role": "owner"}
    project = ProjectDefinition.model_validate({"id": "p", "name": "P", "contacts": [contact]})
    found = project.default_owner()
    assert found is not None
    assert asdict(found) == contact


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "../p"},
        {"name": " "},
        {"contacts": {}},
        {"contacts": [{"name": ""}]},
        {"env_vars": [{"name": "A", "required": "yes"}]},
        {"env_vars": [{"name": "A"}] * 1001},
        {"description": "x" * 2001},
    ],
)
def test_what_is_hydrated_is_checked(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ProjectDefinition.model_validate({"id": "p", "name": "P", **changes})


def test_runtime_toolchain_and_scope_are_free() -> None:
    free = {"runtime": {"python": ["3.11"]}, "toolchain": "make", "scope": None}
    assert ProjectDefinition.model_validate({"id": "p", "name": "P", **free}).runtime == {
        "python": ["3.11"]
    }
