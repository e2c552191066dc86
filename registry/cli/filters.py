"""Filters of the verbs that list: what they take, and that a name which is none is an error."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from registry.client import Client
from registry.errors import NotFound, UnknownProject

Project = Annotated[str | None, typer.Option("--project-id", "--project", help="of this workspace")]
State = Annotated[
    Literal["planned", "active", "maintenance", "retired"] | None,
    typer.Option(help="in this lifecycle state"),
]
Health = Annotated[
    Literal["unknown", "healthy", "degraded", "maintenance", "offline"] | None,
    typer.Option(help="of this health status"),
]
RouteState = Annotated[Literal["published", "lost"] | None, typer.Option(help="held, or not")]
TaskState = Annotated[
    Literal["open", "dismissed", "closed", "all"], typer.Option(help="what became of it")
]
Severity = Annotated[Literal["high", "medium", "low"] | None, typer.Option(help="this grave")]


def refuse_unknown(
    client: Client, *, ref: str | None = None, project_id: str | None = None
) -> None:
    """Of filters that found nothing: raises NotFound or UnknownProject where a name is none."""
    if ref is not None:
        client.read(ref)
    if project_id is not None:
        try:
            client.project(project_id)
        except NotFound as error:
            raise UnknownProject(error.detail) from error
