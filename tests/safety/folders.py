"""The folders that a daemon works on, and how to wait for one that looks at them."""

from __future__ import annotations

import asyncio
import inspect
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.safety.records import WORKSPACES, text_of


async def eventually(check: Callable[[], Any], timeout_s: float = 10.0) -> Any:
    """What `check` (sync or async) returns, once it returns without an AssertionError."""
    deadline_s = time.monotonic() + timeout_s
    while True:
        try:
            outcome = check()
            return await outcome if inspect.isawaitable(outcome) else outcome
        except AssertionError:
            if time.monotonic() > deadline_s:
                raise
        await asyncio.sleep(0.01)


@dataclass(frozen=True)
class Folders:
    """The data and projects folders."""

    data: Path
    projects: Path

    @classmethod
    def made_in(cls, root: Path) -> Folders:
        """An empty catalogue and two workspaces."""
        folders = cls(root / "data", root / "projects")
        folders.data.mkdir()
        folders.write()
        for project_id, workspace in WORKSPACES.items():
            spec = folders.projects / project_id / "project.json"
            spec.parent.mkdir(parents=True)
            spec.write_text(json.dumps(workspace))
        return folders

    @property
    def catalogue(self) -> Path:
        """The catalogue file."""
        return self.data / "environments.json"

    @property
    def state(self) -> Path:
        """What the daemon itself remembers."""
        return self.data / "state"

    @property
    def flags(self) -> tuple[str, ...]:
        """The settings of a daemon over these folders."""
        return f"--data={self.data}", f"--projects={self.projects}"

    def write(self, *records: Any) -> None:
        """Save the catalogue as an editor does that replaces the file; values or texts."""
        self.save(text_of(*records))

    def save(self, text: str) -> None:
        """Replace the catalogue's text in one step."""
        new = self.data / "environments.json~"
        new.write_text(text, "utf-8")
        new.replace(self.catalogue)

    def text(self) -> str:
        """The catalogue's text, as an editor reads it into a buffer."""
        return self.catalogue.read_text("utf-8")

    def records(self) -> list[dict[str, Any]]:
        """The records of the catalogue file."""
        return list(json.loads(self.text())["environments"])

    def edit(self, slug: str, **changes: Any) -> None:
        """Change one record by hand, in a buffer that was read just now."""
        records = self.records()
        assert any(each["slug"] == slug for each in records)
        self.write(*({**r, **changes} if r["slug"] == slug else r for r in records))
