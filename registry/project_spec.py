"""The workspace spec, `projects/<id>/project.json`: the part of it that is hydrated."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Any, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from registry.fields import ProjectId, Text, Title
from registry.schema import Owner, check_open_part


def _free(value: Any) -> Any:
    check_open_part(value, "")
    return value


Free = Annotated[Any, AfterValidator(_free)]


class SpecPart(BaseModel):
    """An object of a workspace spec: further keys are allowed in the file, and dropped here."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class Repository(SpecPart):
    """Where the source is."""

    name: Title
    url: Text | None = None
    branch: Text | None = None


class Contact(SpecPart):
    """A person of the workspace."""

    name: Title
    email: Text | None = None
    slack: Text | None = None
    role: Text | None = None


class EnvVar(SpecPart):
    """A variable that the workspace needs; a value or default in the file is never read."""

    name: Title
    description: Text | None = None
    required: bool = False
    secret: bool = False


class SmokeTest(SpecPart):
    """A check that an environment works: a command for a person, a URL, or both."""

    name: Title
    command: Text | None = None
    url: Text | None = None


class ProjectDefinition(SpecPart):
    """A workspace, as environments show it."""

    id: ProjectId
    name: Title
    description: Text | None = None
    scope: Free = None
    repositories: Sequence[Repository] = ()
    contacts: Sequence[Contact] = ()
    runtime: Free = None
    toolchain: Free = None
    env_vars: Annotated[Sequence[EnvVar], Field(max_length=1000)] = ()
    smoke_tests: Sequence[SmokeTest] = ()

    @cached_property
    def document(self) -> dict[str, Any]:
        """The workspace as JSON values. Not to be changed."""
        return self.model_dump(mode="json")

    def default_owner(self) -> Owner | None:
        """The first contact whose role is owner or maintainer, else the first; None without any."""
        leading = [c for c in self.contacts if (c.role or "").lower() in ("owner", "maintainer")]
        contact = next(iter(leading or self.contacts), None)
        return None if contact is None else Owner(**contact.model_dump())


class Projects(Protocol):
    """What the store asks of the workspaces."""

    def get(self, project_id: str) -> ProjectDefinition:
        """The workspace as it is now. Raises UnknownProject when it is missing or broken."""
        ...
