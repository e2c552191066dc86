"""What can be wrong with one record of a hand edit, and how each fault is to be told."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.safety.records import record

GOOD, BAD = record("good"), record("bad", name="Bad as it was good")


@dataclass(frozen=True)
class Kind:
    """One fault: the text that stands in the place of BAD, and what is said of it.

    `at` is the text that the line and column point to; none is the beginning of the record.
    """

    name: str
    text: str
    code: str
    pointer: str
    at: str = ""
    environment: str | None = "env-bad"

    @property
    def file(self) -> str:
        """The whole catalogue: GOOD, and the broken record in place of BAD."""
        return (
            f'{{\n  "version": 1,\n  "environments": [\n    {json.dumps(GOOD)},\n    {self.text}]}}'
        )

    @property
    def place(self) -> tuple[int, int]:
        """Line and column of the fault in that file."""
        start = self.file.index(self.text)
        offset = self.file.index(self.at, start) if self.at else start
        before = self.file[:offset]
        return before.count("\n") + 1, offset - before.rfind("\n")


def _text(**changes: Any) -> str:
    # Not as we would write it: what is kept to the letter shows.
    return json.dumps({**BAD, **changes}, indent=3, separators=(" ,", ":   "))


def _without(key: str) -> str:
    return json.dumps({name: value for name, value in BAD.items() if name != key}, indent=1)


_ROUTER = {"router": {"service_url": "http://10.0.0.1:9000", "entrypoints": ["web", "traefik"]}}

KINDS = (
    Kind("a wrong value", _text(name=7), "invalid_record", "/name", at="7 ,"),
    Kind("a missing part", _without("lifecycle"), "invalid_record", "/lifecycle"),
    Kind("an unknown key", _text(nmae="x"), "invalid_record", "/nmae", at='"x"\n'),
    Kind("a wrong router", _text(metadata=_ROUTER), "invalid_record",
         "/metadata/router/entrypoints/1", at='"traefik"'),
    Kind("a wrong id", _text(environment_id="Env Bad"), "invalid_record", "/environment_id",
         at='"Env Bad"', environment="Env Bad"),
    Kind("a wrong slug", _text(slug="Bad!"), "invalid_record", "/slug", at='"Bad!"'),
    Kind("a key twice", _text()[:-1] + ',"name": "x"}', "duplicate_key", ""),
    Kind("an unknown workspace", _text(project_id="nowhere"), "unknown_project", "/project_id",
         at='"nowhere"'),
    Kind("the id of another", _text(environment_id="env-good"), "id_taken", "/environment_id",
         at='"env-good"', environment="env-good"),
    Kind("the slug of another", _text(slug="good"), "slug_taken", "/slug", at='"good"'),
    Kind("no object", '"bad"', "invalid_record", "", environment=None),
)  # fmt: skip


def kinds() -> list[Any]:
    """All kinds as parameters."""
    return [pytest.param(kind, id=kind.name) for kind in KINDS]
