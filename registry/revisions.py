"""Revisions: what changed in a record, when, by whom and from where; as values and as lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic_core import to_json

from registry.fields import instant_text, parse_instant
from registry.names import json_pointer
from registry.schema import Environment

Source = Literal["api", "hand edit", "revert", "found", "probe"]
Document = Mapping[str, Any]
Difference = tuple[str, Environment | None, Environment | None]
BY_US: tuple[Source, ...] = ("api", "revert", "probe")


@dataclass(frozen=True, slots=True)
class Author:
    """Who makes a change, and by which way."""

    actor: str
    source: Source


@dataclass(frozen=True, slots=True)
class Revision:
    """One change of one record. `revision` counts over the whole catalogue, from 1.

    `before` is None for a creation, `after` for a deletion. `tags` are the entity tags of those
    of the two that are there; empty where nobody knows them yet.
    """

    revision: int
    at: datetime
    author: Author
    environment_id: str
    before: Document | None
    after: Document | None
    tags: tuple[str, ...] = ()

    @property
    def action(self) -> str:
        """created, updated or deleted."""
        if self.before is None:
            return "created"
        return "deleted" if self.after is None else "updated"

    def view(self) -> dict[str, Any]:
        """The revision as the API shows it: what changed, by pointer."""
        return {
            "revision": self.revision,
            "at": instant_text(self.at),
            "actor": self.author.actor,
            "source": self.author.source,
            "action": self.action,
            "environment_id": self.environment_id,
            "changes": list(changes_between(self.before or {}, self.after or {})),
        }


def changes_between(
    before: Any, after: Any, path: tuple[str | int, ...] = ()
) -> Iterator[dict[str, Any]]:
    """Each value that differs: `{pointer, before, after}`; a key that is not there is left out."""
    if isinstance(before, dict | Mapping) and isinstance(after, dict | Mapping):
        for key in dict.fromkeys((*before, *after)):
            if key not in before:
                yield {"pointer": json_pointer((*path, key)), "after": after[key]}
            elif key not in after:
                yield {"pointer": json_pointer((*path, key)), "before": before[key]}
            else:
                yield from changes_between(before[key], after[key], (*path, key))
    elif before != after or type(before) is not type(after):
        yield {"pointer": json_pointer(path), "before": before, "after": after}


def to_line(revision: Revision) -> bytes:
    """One line of JSON, with its newline."""
    row = {
        "revision": revision.revision,
        "at": instant_text(revision.at),
        "actor": revision.author.actor,
        "source": revision.author.source,
        "environment_id": revision.environment_id,
        **({"tags": revision.tags} if revision.tags else {}),
        "before": revision.before,
        "after": revision.after,
    }
    return to_json(row) + b"\n"


def from_line(line: bytes) -> Revision | None:
    """The revision of a line; None when the line is torn."""
    if not line.endswith(b"\n"):
        return None
    try:
        row = json.loads(line)
        return Revision(
            revision=int(row["revision"]),
            at=parse_instant(row["at"]),
            author=Author(row["actor"], row["source"]),
            environment_id=row["environment_id"],
            before=row["before"],
            after=row["after"],
            tags=tuple(row.get("tags", ())),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def differences(
    known: Mapping[str, Environment], found: Iterable[Environment]
) -> Iterator[tuple[str, Document | None, Document | None]]:
    """Each environment that differs between two states: id, before, after."""
    left = dict(known)
    for environment in found:
        before = left.pop(environment.environment_id, None)
        if before is environment:
            continue
        if before is None:
            yield environment.environment_id, None, environment.document
        elif before.revision != environment.revision:
            yield environment.environment_id, before.document, environment.document
    for environment_id, environment in left.items():
        yield environment_id, environment.document, None


def apart(
    known: Mapping[str, Environment], found: Mapping[str, Environment]
) -> Iterator[Difference]:
    """The records of `found` that are new or not as known, by what they say: id, before, after."""
    for environment_id, environment in found.items():
        before = known.get(environment_id)
        if before is environment:
            continue
        if before is None or before.revision != environment.revision:
            yield environment_id, before, environment
