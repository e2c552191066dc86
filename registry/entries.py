"""One record of the catalogue: its text, what of it is in force, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass

from registry.schema import Environment
from registry.values import value


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record's text begins: a source (a file's name) and line and column from 1."""

    source: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}"


@value()
class RawRecord:
    """A record as its engine holds it: JSON text, and the engine's key for it in this revision.

    `laid_out` says that the text has the white space of its place already.
    """

    key: str
    text: str
    place: Place | None = None
    laid_out: bool = False


@dataclass(frozen=True, slots=True)
class PlacedError:
    """One fault of a record: pointer, reason, and the place in the source where it has one."""

    pointer: str
    message: str
    place: Place | None = None

    def __str__(self) -> str:
        return ": ".join(str(part) for part in (self.place, self.pointer, self.message) if part)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a stored record is not in force as written. `code` is one of the registry's codes."""

    code: str
    errors: tuple[PlacedError, ...]
    environment_id: str | None = None
    slug: str | None = None


@value(eq=False)
class Entry:
    """One record of the catalogue; compared by identity.

    `environment` is what is in force: the record, or while `fault` is set its last good version
    (None when there never was one). `wanting` names the keys that a hand-made record lacks.
    `lingering` is a record that is stored no more, kept while another cannot be told from it.
    """

    raw: RawRecord
    environment: Environment | None
    fault: Fault | None = None
    wanting: tuple[str, ...] = ()
    lingering: bool = False
