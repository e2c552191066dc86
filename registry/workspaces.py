"""Workspaces on disk: `projects/<id>/project.json`, read again whenever a file changes."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

from pydantic import ValidationError

from registry.errors import FieldError, UnknownProject
from registry.json_text import JsonFault, parse
from registry.names import PROJECT_ID
from registry.project_spec import ProjectDefinition
from registry.schema import field_errors

_Signature = tuple[int, int, int]


class Workspaces:
    """The folder of workspaces. Reads are cheap: a `stat`, and a parse only after a change."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[_Signature, ProjectDefinition | str]] = {}

    def ids(self) -> list[str]:
        """The ids of the workspaces that have a spec file, sorted; broken ones included."""
        if not self._folder.is_dir():
            return []
        names = (path.parent.name for path in self._folder.glob("*/project.json"))
        return sorted(name for name in names if _is_id(name))

    def get(self, project_id: str) -> ProjectDefinition:
        """The workspace as it is on disk now. Raises UnknownProject, with near names."""
        outcome = self._read(project_id)
        if isinstance(outcome, ProjectDefinition):
            return outcome
        near = difflib.get_close_matches(project_id, self.ids(), n=3, cutoff=0.5)
        hint = f"; did you mean {', '.join(near)}?" if near and project_id not in near else ""
        detail = outcome + hint
        raise UnknownProject(detail, [FieldError("/project_id", detail)], near=near)

    def _read(self, project_id: str) -> ProjectDefinition | str:
        if not _is_id(project_id):
            return f"{project_id!r} cannot name a workspace"
        path = self._folder / project_id / "project.json"
        try:
            status = path.stat()
        except OSError:
            return f"no workspace {project_id!r}: projects/{project_id}/project.json is not there"
        signature = (status.st_ino, status.st_mtime_ns, status.st_size)
        known = self._known.get(project_id)
        if known is None or known[0] != signature:
            known = self._known[project_id] = (signature, _parse(project_id, path))
        return known[1]


def _is_id(name: str) -> bool:
    return re.match(PROJECT_ID, name) is not None and not name.endswith("\n")


def _parse(project_id: str, path: Path) -> ProjectDefinition | str:
    where = f"projects/{project_id}/project.json"
    try:
        project = ProjectDefinition.model_validate(parse(path.read_text("utf-8")))
    except ValidationError as error:
        reasons = "; ".join(f"{fault.pointer}: {fault.message}" for fault in field_errors(error))
        return f"{where} is not a valid workspace: {reasons}"
    except (JsonFault, OSError, UnicodeDecodeError) as error:
        return f"{where} cannot be read: {error}"
    if project.id != project_id:
        return f"{where} says id {project.id!r}; the folder and the id must agree"
    return project
