"""Workspaces on disk: `projects/<id>/project.json`, read again whenever a file changes."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from registry.codec import located
from registry.entries import Place, PlacedError, RawRecord
from registry.errors import FieldError, UnknownProject
from registry.json_text import JsonFault, line_column, parse
from registry.names import PROJECT_ID
from registry.project_spec import ProjectDefinition
from registry.schema import field_errors

_Signature = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Broken:
    """A workspace that is none: the reason in words, and each fault at its place in the file."""

    detail: str
    errors: tuple[PlacedError, ...] = ()


class Workspaces:
    """The folder of workspaces. Reads are cheap: a `stat`, and a parse only after a change."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[_Signature, ProjectDefinition | _Broken]] = {}

    def ids(self) -> list[str]:
        """The ids of the workspaces that have a spec file, sorted; broken ones included."""
        return sorted(name for name in self._names() if _is_id(name))

    def get(self, project_id: str) -> ProjectDefinition:
        """The workspace as it is on disk now. Raises UnknownProject, with near names."""
        outcome = self._read(project_id)
        if isinstance(outcome, ProjectDefinition):
            return outcome
        near = difflib.get_close_matches(project_id, self.ids(), n=3, cutoff=0.5)
        hint = f"; did you mean {', '.join(near)}?" if near and project_id not in near else ""
        detail = outcome.detail + hint
        raise UnknownProject(detail, [FieldError("/project_id", detail)], near=near)

    def faults(self) -> Iterator[PlacedError]:
        """What is wrong with the files of workspaces, used or not, by folder.

        Sources are names below this folder. Nothing is said of hidden folders.
        """
        for name in sorted(self._names()):
            outcome = self._read(name)
            if isinstance(outcome, _Broken) and not name.startswith("."):
                yield from outcome.errors or [_begins(name, outcome.detail)]

    def _names(self) -> Iterator[str]:
        if self._folder.is_dir():
            yield from (path.parent.name for path in self._folder.glob("*/project.json"))

    def _read(self, project_id: str) -> ProjectDefinition | _Broken:
        if not _is_id(project_id):
            return _Broken(f"{project_id!r} cannot name a workspace")
        path = f"{self._folder}/{project_id}/project.json"
        try:
            status = os.stat(path)  # noqa: PTH116  # with each answer; a path costs five times as much
        except OSError:
            return _Broken(
                f"no workspace {project_id!r}: projects/{project_id}/project.json is not there"
            )
        signature = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        known = self._known.get(project_id)
        if known is None or known[0] != signature:
            known = self._known[project_id] = (signature, _parse(project_id, Path(path)))
        return known[1]


def _is_id(name: str) -> bool:
    return re.match(PROJECT_ID, name) is not None and not name.endswith("\n")


def _parse(project_id: str, path: Path) -> ProjectDefinition | _Broken:
    where, text = f"projects/{project_id}/project.json", ""
    try:
        text = path.read_bytes().decode("utf-8")
        project = ProjectDefinition.model_validate(parse(text))
    except ValidationError as error:
        errors = field_errors(error)
        reasons = "; ".join(f"{fault.pointer}: {fault.message}" for fault in errors)
        placed = _placed(project_id, text, errors)
        return _Broken(f"{where} is not a valid workspace: {reasons}", placed)
    except JsonFault as error:
        place = Place(_source(project_id), *line_column(text, error.offset))
        return _Broken(f"{where} cannot be read: {error}", (PlacedError("", str(error), place),))
    except (OSError, UnicodeDecodeError) as error:
        reason = f"cannot be read: {error}"
        return _Broken(f"{where} {reason}", (_begins(project_id, reason),))
    if project.id != project_id:
        reason = f"says id {project.id!r}; the folder and the id must agree"
        placed = _placed(project_id, text, [FieldError("/id", reason)])
        return _Broken(f"{where} {reason}", placed)
    return project


def _placed(name: str, text: str, errors: Iterable[FieldError]) -> tuple[PlacedError, ...]:
    raw = RawRecord("", text, Place(_source(name), 1, 1))
    return tuple(located(raw, error) for error in errors)


def _begins(name: str, reason: str) -> PlacedError:
    """A fault of a whole file."""
    return PlacedError("", reason, Place(_source(name), 1, 1))


def _source(name: str) -> str:
    return f"{name}/project.json"
