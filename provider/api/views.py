"""What the API shows: shapes of answers, as models for the OpenAPI document and as JSON values."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from provider.health_overlay import CheckedAt, shown_document
from registry.entries import Entry, Fault, PlacedError
from registry.errors import UnknownProject
from registry.project_spec import ProjectDefinition
from registry.schema import Environment
from registry.workspaces import Workspaces


class View(BaseModel):
    """An answer's shape."""

    model_config = ConfigDict(extra="forbid")


class PlacedErrorView(View):
    """One fault, with its place in the file where it has one."""

    pointer: str
    message: str
    file: str | None
    line: int | None
    column: int | None


class FaultView(View):
    """Why the stored record is not in force as written."""

    code: str
    errors: list[PlacedErrorView]


class ConditionView(View):
    """One condition: whether it is so, why, since when, and of which document."""

    status: Literal["True", "False", "Unknown"]
    reason: str
    message: str
    since: str | None
    digest: str | None


class LiveOnView(ConditionView):
    """Whether one Traefik, by the URL of its API, serves an environment."""

    traefik: str


class ShortRoutingView(View):
    """The conditions of an environment in short: null is not known.

    After a write that waited, with what each known Traefik says.
    """

    valid: bool | None
    accepted: bool | None
    published: bool | None
    live: bool | None
    reason: str
    message: str
    traefiks: list[LiveOnView] | None = None


class NotLiveView(ShortRoutingView):
    """An environment of a batch that is not live, and why."""

    environment_id: str


class BatchRoutingView(View):
    """After a write of several that waited: whether all that are to be served are.

    `not_live` names 100 at most.
    """

    live: bool
    reason: str
    message: str
    not_live: list[NotLiveView]


class EnvironmentView(Environment):
    """An environment with its hydrated workspace; `fault` while the stored record is broken."""

    project: ProjectDefinition | None
    fault: FaultView | None = None
    routing: ShortRoutingView | None = None


class ListedView(Environment):
    """An environment in a list: its workspace stands beside the list."""

    fault: FaultView | None = None
    routing: ShortRoutingView | None = None


class ListView(View):
    """A page of environments, and each of their workspaces once."""

    environments: list[ListedView]
    projects: dict[str, ProjectDefinition]
    total: int
    next: str | None


class ProjectsView(View):
    """All valid workspaces."""

    projects: list[ProjectDefinition]


class FieldErrorView(View):
    """One place that is wrong."""

    pointer: str
    message: str


class ProblemView(BaseModel):
    """A problem document (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldErrorView] | None = None


class StatusView(BaseModel):
    """Whether something is so."""

    status: str


def environment_view(entry: Entry, workspaces: Workspaces, checked_at: CheckedAt) -> dict[str, Any]:
    """One environment as JSON, hydrated."""
    environment = entry.environment
    project = project_of(environment.project_id, workspaces) if environment else None
    return {**listed_view(entry, checked_at), "project": project}


def listed_view(entry: Entry, checked_at: CheckedAt) -> dict[str, Any]:
    """One environment as JSON, as lists show it, with the time of its last check."""
    environment = entry.environment
    document = shown_document(environment, checked_at(environment)) if environment else {}
    if entry.fault is not None:
        document["fault"] = fault_view(entry.fault)
    return document


def fault_view(fault: Fault) -> dict[str, Any]:
    """A fault as JSON."""
    return {"code": fault.code, "errors": [_placed(error) for error in fault.errors]}


def project_of(project_id: str, workspaces: Workspaces) -> dict[str, Any] | None:
    """A workspace as JSON; None when there is none by this id."""
    try:
        return workspaces.get(project_id).document
    except UnknownProject:
        return None


def _placed(error: PlacedError) -> dict[str, Any]:
    place = error.place
    return {
        "pointer": error.pointer,
        "message": error.message,
        "file": place.source if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
    }
