"""What a daemon works on: a folder with a catalogue and a workspace, and its records."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry.schema import Environment

OLD = "2026-01-01T00:00:00Z"
UPSTREAM = "http://10.0.0.1:9000"
TOKEN = "description"
"""The field that tests write their tokens into."""


@dataclass(frozen=True)
class Folder:
    """The data and projects folders below `root`."""

    root: Path

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.root / "data"

    @property
    def catalogue(self) -> Path:
        """The catalogue file."""
        return self.data / "environments.json"

    @property
    def projects(self) -> Path:
        """The folder of workspaces."""
        return self.root / "projects"

    @property
    def history(self) -> Path:
        """The history file."""
        return self.data / "state" / "history.jsonl"

    @property
    def flags(self) -> tuple[str, ...]:
        """The settings of a daemon over these folders."""
        return f"--data={self.data}", f"--projects={self.projects}"

    def make(self, *records: dict[str, Any]) -> Folder:
        """A catalogue with these records, and the one workspace that they belong to."""
        self.data.mkdir(parents=True)
        self.catalogue.write_text(text_of(records), "utf-8")
        spec = self.projects / "lab" / "project.json"
        spec.parent.mkdir(parents=True)
        contact = {"name": "Ada Byron", "role": "owner"}
        spec.write_text(json.dumps({"id": "lab", "name": "Lab", "contacts": [contact]}), "utf-8")
        return self

    def stored(self) -> dict[str, dict[str, Any]]:
        """The catalogue's records by id, in the model's form; no id stands there twice."""
        records = json.loads(self.catalogue.read_text("utf-8"))["environments"]
        documents = [Environment.model_validate(each).document for each in records]
        by_id = {each["environment_id"]: each for each in documents}
        assert len(by_id) == len(documents), "one id stands twice in the catalogue"
        return by_id

    def lines(self) -> list[dict[str, Any]]:
        """Every line of the history, oldest first."""
        rotated = self.history.with_name("history.1.jsonl")
        files = [path for path in (rotated, self.history) if path.exists()]
        return [json.loads(line) for path in files for line in path.read_text().splitlines()]

    def leftovers(self) -> list[str]:
        """Names of files in the data folder that are neither the catalogue nor its lock."""
        names = (path.name for path in self.data.iterdir() if path.is_file())
        return sorted(set(names) - {"environments.json", ".environments.json.lock"})

    def late(self) -> list[str]:
        """Texts of the saves that were kept aside."""
        return [path.read_text("utf-8") for path in self.data.glob("*.late")]


def record(slug: str, token: str = "as made", *, routed: bool = False) -> dict[str, Any]:
    """A whole stored record with the id `env-<slug>` and the token in its description."""
    router = {"hostnames": [f"{slug}.test"], "service_url": UPSTREAM}
    written = {
        "environment_id": f"env-{slug}",
        "project_id": "lab",
        "slug": slug,
        "name": f"Lab {slug}",
        TOKEN: token,
        "host": {"hostname": f"{slug}.test"},
        "owner": {"name": "Ada Byron"},
        "lifecycle": {"state": "active"},
        "health": {"status": "unknown"},
        "metadata": {"router": router} if routed else {},
        "created_at": OLD,
        "updated_at": OLD,
    }
    return Environment.model_validate(written).document


def text_of(records: Any) -> str:
    """The catalogue's text with these records, in the form that the daemon writes."""
    whole = {"version": 1, "environments": list(records)}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def tokens(records: dict[str, dict[str, Any]]) -> dict[str, str]:
    """The token of each record, by id."""
    return {environment_id: each[TOKEN] for environment_id, each in records.items()}
