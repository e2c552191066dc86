"""What is wrong with a folder, as editors and CI read it: one finding a place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from registry.codec import located
from registry.entries import Entry, PlacedError
from registry.errors import FieldError

_STILL_SERVED = {
    "unknown_project",
    "invalid_workspace",
    "certificate_expired",
    "certificate_expiring",
    "certificate_not_for_host",
    "key_readable",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault, or a warning, and where to mend it; `environment` is the id or slug it is about.

    `file` is a path from the current folder. Texts hold what the files hold, control characters
    too.
    """

    file: str
    line: int
    column: int
    pointer: str
    message: str
    code: str
    environment: str | None = None
    is_warning: bool = False

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}"
        return ": ".join(part for part in (place, self.pointer, self.message) if part)

    @property
    def is_left_out(self) -> bool:
        """Whether the document lacks what this is about."""
        return self.code not in _STILL_SERVED

    def as_json(self) -> dict[str, Any]:
        """The finding as JSON values; warnings stand in a list of their own."""
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "pointer": self.pointer,
            "message": self.message,
            "code": self.code,
            "environment": self.environment,
        }

    def as_warning(self) -> Finding:
        """The same, as no fault."""
        return replace(self, is_warning=True)


def finding_of(
    error: PlacedError, folder: Path, code: str, environment: str | None = None
) -> Finding:
    """A fault that knows its place, in a file of this folder."""
    place = error.place
    assert place is not None, "what was read from a file has a place in it"
    return Finding(
        file=str(folder / place.source),
        line=place.line,
        column=place.column,
        pointer=error.pointer,
        message=error.message,
        code=code,
        environment=environment,
    )


def finding_in(entry: Entry, folder: Path, pointer: str, message: str, code: str) -> Finding:
    """A fault of a record in force, at the value that the pointer names or the object around it."""
    environment_id = entry.environment.environment_id if entry.environment else None
    return finding_of(
        located(entry.raw, FieldError(pointer, message)), folder, code, environment_id
    )
