"""Stand-ins for what the store works with: workspaces, a clock, an engine that others reach."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from registry.changes import Change
from registry.engines.memory import MemoryEngine
from registry.engines.protocol import Engine, Loaded
from registry.errors import UnknownProject
from registry.project_spec import ProjectDefinition
from registry.store import EnvironmentStore

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class AnyProjects:
    """Knows every workspace but the missing ones; each has one contact, its owner."""

    def __init__(self, *missing: str) -> None:
        self.missing = set(missing)

    def get(self, project_id: str) -> ProjectDefinition:
        """The workspace."""
        if project_id in self.missing:
            raise UnknownProject(f"no workspace {project_id!r}")
        contact = {"name": "Ines Okafor", "email": None, "slack": None, "role": "owner"}
        return ProjectDefinition.model_validate(
            {"id": project_id, "name": project_id, "contacts": [contact]}
        )


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> datetime:
        """Later by this much."""
        self.now += timedelta(**by)
        return self.now


class WatchedEngine(MemoryEngine):
    """A memory engine that counts commits, and lets a test step in right before one.

    `steps` are taken one for each commit, before it: an edit by someone else, or a wait.
    """

    def __init__(self, *records: Any) -> None:
        super().__init__([text_of(each) for each in records])
        self.commits: list[Sequence[Change]] = []
        self.steps: list[Callable[[], Awaitable[None]]] = []
        self.failure: Exception | None = None

    async def commit(self, changes: Sequence[Change], expected: str) -> None:
        """Count it, after the step that is due."""
        if self.steps:
            await self.steps.pop(0)()
        if self.failure is not None:
            raise self.failure
        await super().commit(changes, expected)
        self.commits.append(changes)

    async def edit(self, *records: Any) -> None:
        """What a person does: other texts, the whole catalogue at once."""
        loaded = await self.load()
        changes = [Change(raw.key, None) for raw in loaded.records]
        changes += [Change(None, text_of(each)) for each in records]
        await super().commit(changes, loaded.revision)

    async def edit_one(self, index: int, text: Any) -> None:
        """Other text for one record."""
        loaded = await self.load()
        await super().commit([Change(loaded.records[index].key, text_of(text))], loaded.revision)

    async def texts(self) -> list[str]:
        """What is stored."""
        return [raw.text for raw in (await self.load()).records]


class AbsentEngine(MemoryEngine):
    """No catalogue at first; `vanish` takes it away again."""

    def vanish(self) -> None:
        """As if the file was removed."""
        self._loaded = Loaded((), str(int(self._loaded.revision) + 1), absent=True)


def store_over(engine: Engine, *missing: str, **more: Any) -> EnvironmentStore:
    """A store over this engine, in which some workspaces are missing."""
    return EnvironmentStore(engine, AnyProjects(*missing), clock=Clock(), **more)


def held(engine: WatchedEngine) -> tuple[asyncio.Event, asyncio.Event]:
    """Makes the next commit wait: the events that it has begun, and that it may go on."""
    begun, go = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        begun.set()
        await go.wait()

    engine.steps.append(wait)
    return begun, go


async def slugs_and_names(engine: Engine) -> dict[str, str]:
    """What is stored."""
    values = [json.loads(raw.text) for raw in (await engine.load()).records]
    return {value["slug"]: value["name"] for value in values}


def text_of(item: Any) -> str:
    """A record's text; texts stay as they are."""
    return item if isinstance(item, str) else json.dumps(item, indent=2, ensure_ascii=False)


async def settled(check: Callable[[], object], turns: int = 1000) -> None:
    """Let the other tasks run until `check` holds; they must need no time, only turns."""
    for _ in range(turns):
        if check():
            return
        await asyncio.sleep(0)
    raise AssertionError("it does not come to that")


def decoded(texts: Iterable[str]) -> list[Any]:
    """The JSON values."""
    return [json.loads(text) for text in texts]
