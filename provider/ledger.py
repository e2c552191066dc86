"""The ledger of Human Tasks: on disk before it is shown, and over restarts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

import structlog

from provider.events import Events
from provider.followups.task_text import from_bytes, task_view, to_bytes
from provider.followups.tasks import Task, Tasks, advance
from provider.followups.values import Finding
from registry.collector import collector_resting
from registry.engines.durable import as_registry_errors, write_durably
from registry.errors import NotFound, RegistryError
from registry.event_stream import EventKind

_AT_ONCE = 50
_log = structlog.get_logger()


class Ledger:
    """`tasks` are by id. `trouble` is why the last survey could not be written; None after one
    that could."""

    def __init__(self, file: Path, events: Events, clock: Callable[[], datetime]) -> None:
        self._file, self._events, self._clock = file, events, clock
        self._turn = asyncio.Lock()
        self.tasks: Tasks = {}
        self.trouble: RegistryError | None = None

    def open(self) -> None:
        """Read what is kept; a file that is no ledger is put aside, and all opens anew."""
        try:
            with collector_resting():
                self.tasks = from_bytes(self._file.read_bytes())
        except FileNotFoundError:
            return
        except ValueError as error:
            aside = self._file.with_suffix(".broken.json")
            _log.error("ledger_broken", reason=str(error), kept_as=aside.name)
            with contextlib.suppress(OSError):
                self._file.replace(aside)
        except OSError as error:
            _log.error("ledger_not_read", reason=str(error.strerror))

    async def survey(self, findings: Iterable[Finding]) -> bool:
        """Take what a survey found; whether anything changed. Never raises: `trouble` says why
        it is in memory alone."""
        async with self._turn:
            # Of ten thousand environments that takes its time.
            step = await asyncio.to_thread(advance, self.tasks, findings, self._clock())
            changed = step.tasks is not self.tasks
            if changed or self.trouble:
                try:
                    await asyncio.to_thread(self._write, step.tasks)
                    self.trouble = None
                except RegistryError as error:
                    self.trouble = error
                    _log.error("ledger_not_written", reason=error.detail)
            self.tasks = step.tasks
        await self._tell("task_opened", step.opened)
        await self._tell("task_closed", step.closed)
        return changed

    async def _tell(self, kind: EventKind, tasks: Iterable[Task]) -> None:
        """One event a task. The first survey of many opens thousands: others get their turn."""
        for number, task in enumerate(tasks):
            if not self._events.subscribers:
                return
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            self._events.publish(kind, _news(task))

    async def change(self, task_id: str, changed: Callable[[Task, datetime], Task]) -> Task:
        """What a person does to a task; durable on return.

        Raises NotFound, what `changed` raises, and StoreUnavailable or DiskFull with nothing
        changed.
        """
        async with self._turn:
            task = self.tasks.get(task_id)
            if task is None:
                raise NotFound(f"no task has the id {task_id!r}")
            after = {**self.tasks, task_id: changed(task, self._clock())}
            await asyncio.to_thread(self._write, after)
            self.tasks = after
        return after[task_id]

    def _write(self, tasks: Tasks) -> None:
        with as_registry_errors(self._file.name):
            self._file.parent.mkdir(parents=True, exist_ok=True)
        write_durably(self._file, to_bytes(tasks))


def _news(task: Task) -> dict[str, object]:
    view = task_view(task)
    shown = ("id", "kind", "environment", "slug", "severity", "action")
    return {key: view[key] for key in shown}
