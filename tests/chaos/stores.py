"""A store over a real folder in this process, with its engine and history at hand."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from registry.engines.json_file import JsonFileEngine
from registry.engines.opening import open_engine
from registry.history import BYTES_MAX, History
from registry.store import EnvironmentStore, utc_now
from registry.workspaces import Workspaces
from tests.chaos.folder import TOKEN, Folder, text_of


@dataclass(frozen=True)
class Opened:
    """An open store, and ways to look at it and to edit its file by hand."""

    folder: Folder
    engine: JsonFileEngine
    history: History
    store: EnvironmentStore

    def in_force(self) -> dict[str, str]:
        """The token of each environment in force, by id."""
        snapshot = self.store.snapshot
        assert snapshot is not None
        return {e.environment_id: str(e.document[TOKEN]) for e in snapshot.environments}

    async def patch(self, environment_id: str, token: str) -> None:
        """A write through the API."""
        await self.store.patch(environment_id, {TOKEN: token})


@asynccontextmanager
async def opened(
    folder: Folder,
    *,
    history: History | None = None,
    bytes_max: int = BYTES_MAX,
    clock: Callable[[], datetime] = utc_now,
) -> AsyncIterator[Opened]:
    """The store as the daemon opens it, loaded once."""
    history = history or History(folder.data / "state", bytes_max=bytes_max)
    async with open_engine(folder.data) as engine:
        assert isinstance(engine, JsonFileEngine)
        history.open(clock())
        store = EnvironmentStore(engine, Workspaces(folder.projects), history=history, clock=clock)
        await store.load()
        await history.at_rest()  # the lines of what was found
        yield Opened(folder, engine, history, store)
        await history.aclose()


def with_token(text: str, environment_id: str, token: str) -> str:
    """A catalogue's text with another token in one record: what an editor saves."""
    return text_of(
        {**each, TOKEN: token} if each["environment_id"] == environment_id else each
        for each in records_of(text)
    )


def without(text: str, environment_id: str) -> str:
    """A catalogue's text that lacks one record."""
    return text_of(each for each in records_of(text) if each["environment_id"] != environment_id)


def records_of(text: str) -> list[dict[str, Any]]:
    """The records of a catalogue's text."""
    return list(json.loads(text)["environments"])


def save_by_rename(path: Path, text: str) -> None:
    """As an editor that writes a new file and renames it over the old one."""
    new = path.with_name(f"{path.name}.editing")
    new.write_text(text, "utf-8")
    new.replace(path)


def save_in_place(path: Path, text: str) -> None:
    """As an editor that writes into the file."""
    path.write_text(text, "utf-8")


SAVES = {"by rename": save_by_rename, "in place": save_in_place}
Save = Callable[[Path, str], None]
