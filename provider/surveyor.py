"""Observe → derive → ledger, on an interval and soon after a change."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

import structlog

from provider.followups.derive import derive, planned_without_dns
from provider.followups.task_text import upgrade_plan
from provider.followups.tasks import Tasks
from provider.followups.values import Finding
from provider.followups.world import World, dns_is_alike, is_as_before
from provider.health_overlay import CheckedAt
from provider.ledger import Ledger
from provider.observe.facts import TraefikFacts
from provider.observe.names import names_to_look_up
from provider.observe.plumbing import DnsFact
from provider.reconciler import Reconciler
from registry.engines.durable import write_durably
from registry.errors import RegistryError, UnknownProject
from registry.project_spec import ProjectDefinition, Projects
from registry.snapshot import Snapshot
from registry.store import EnvironmentStore

_SHARE = 20  # derive no more than a twentieth of the time, however fast changes come
_APART_S = 0.2
_AFTER_S = 0.5  # a change is served first: deriving takes CPU that a Traefik needs to take it in
_TIME_ALONE = 10  # in surveys

_log = structlog.get_logger()


class NameLookup(Protocol):
    """What is asked of DNS."""

    async def look(self, names: Iterable[str]) -> Mapping[str, DnsFact]:
        """What DNS says of these names; those that it had no time for are left out."""
        ...


@dataclass(frozen=True)
class Expectations:
    """The settings that follow-ups are judged by."""

    traefik_addresses: tuple[str, ...] = ()
    tls_entrypoints: frozenset[str] = frozenset()
    has_resolver: bool = False
    stale_health_s: float = 86400.0


@dataclass
class Surveyor:
    """`facts` and `checked_at` give what was seen elsewhere, `checks` another object whenever
    `checked_at` says anything else; `plan` is the file of the upgrade plan, or None.

    `planned_without_dns` is of the last survey; None while nobody can tell. `surveyed` is set once
    the first survey is over.
    """

    store: EnvironmentStore
    reconciler: Reconciler
    projects: Projects
    lookup: NameLookup
    ledger: Ledger
    expectations: Expectations
    facts: Callable[[], tuple[TraefikFacts, ...]]
    checked_at: CheckedAt
    checks: Callable[[], object]
    clock: Callable[[], datetime]
    survey_s: float
    plan: Path | None = None
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    planned_without_dns: int | None = None
    surveyed: asyncio.Event = field(default_factory=asyncio.Event)
    _names: asyncio.Event = field(default_factory=asyncio.Event)
    _dns: dict[str, DnsFact] = field(default_factory=dict)
    _before: World | None = None
    _derived_s: float = 0.0
    _planned: Tasks | None = None
    _plan_said: str = ""

    async def run(self) -> None:
        """Survey for ever, and look names up beside it; a bug ends one of them and no more."""
        await asyncio.gather(self._survey_for_ever(), self._look_for_ever())

    async def survey(self) -> None:
        """Derive, and bring ledger and plan up to date."""
        rendered = self.reconciler.rendered
        if rendered is None:
            return
        snapshot = self.store.snapshot or rendered.snapshot
        findings = await asyncio.to_thread(self._derived, snapshot)
        if findings is not None:
            await self.ledger.survey(findings)
        await self._write_plan()

    async def look_up(self, *, is_full: bool) -> None:
        """Ask DNS: for all names, or only for those that are new."""
        wanted = dict.fromkeys(await asyncio.to_thread(self._names_in_force))
        asked = [name for name in wanted if is_full or name not in self._dns]
        found = await self.lookup.look(asked) if asked else {}
        known = {**self._dns, **found}
        before = self._dns
        self._dns = {name: fact for name, fact in known.items() if name in wanted}
        if not dns_is_alike(self._dns, before):
            self.wake.set()

    def _names_in_force(self) -> Iterable[str]:
        snapshot = self.store.snapshot
        return names_to_look_up(snapshot.environments) if snapshot else ()

    async def _survey_for_ever(self) -> None:
        while True:
            self.wake.clear()
            self._names.set()
            start_s = time.monotonic()
            try:
                await self.survey()
            except Exception:
                _log.exception("survey_failed", note="the tasks stay as they are")
            self.surveyed.set()
            await asyncio.sleep(max(_APART_S, _SHARE * (time.monotonic() - start_s)))
            if await _set_within(self.wake, self.survey_s):
                await asyncio.sleep(_AFTER_S)

    async def _look_for_ever(self) -> None:
        """A resolver that does not answer takes its time; nobody waits for it but this."""
        full_s = 0.0
        while True:
            self._names.clear()
            is_full = time.monotonic() >= full_s
            if is_full:
                full_s = time.monotonic() + self.survey_s
            try:
                await self.look_up(is_full=is_full)
            except Exception:
                _log.exception("look_up_failed", note="names are as they were")
            await asyncio.sleep(_APART_S)
            await _set_within(self._names, full_s - time.monotonic())

    def _is_derived(self, world: World) -> bool:
        """Whether nothing but the time is another than at the last survey, for not long yet.

        Certificates expire and checks become stale by time alone; neither does in a minute.
        """
        young = time.monotonic() - self._derived_s < _TIME_ALONE * self.survey_s
        is_same = self._before is not None and is_as_before(world, self._before)
        return young and is_same and self.ledger.trouble is None

    def _derived(self, snapshot: Snapshot) -> list[Finding] | None:
        """What is to be done; None where it is what the last survey found."""
        world = self._world(snapshot)
        if self._is_derived(world):
            return None
        findings = derive(world)
        self._before, self._derived_s = world, time.monotonic()
        self.planned_without_dns = planned_without_dns(world, findings)
        return findings

    def _world(self, snapshot: Snapshot) -> World:
        expectations = self.expectations
        return World(
            now=self.clock(),
            snapshot=snapshot,
            document=self.reconciler.document,
            dns=self._dns,
            own=self.reconciler.own_certificates,
            traefiks=self.facts(),
            projects=self._projects(snapshot),
            checked_at=self.checked_at,
            checks=self.checks(),
            traefik_addresses=expectations.traefik_addresses,
            tls_entrypoints=expectations.tls_entrypoints,
            has_resolver=expectations.has_resolver,
            stale_health_s=expectations.stale_health_s,
        )

    def _projects(self, snapshot: Snapshot) -> dict[str, ProjectDefinition]:
        found = {}
        for project_id in snapshot.by_project:
            with contextlib.suppress(UnknownProject):
                found[project_id] = self.projects.get(project_id)
        return found

    async def _write_plan(self) -> None:
        """Only when it changed: it may stand in a repository."""
        tasks = self.ledger.tasks
        if self.plan is None or tasks is self._planned:
            return
        try:
            await asyncio.to_thread(_write_if_other, self.plan, tasks)
            self._planned, self._plan_said = tasks, ""
        except (RegistryError, OSError) as error:
            if str(error) != self._plan_said:
                self._plan_said = str(error)
                _log.error("plan_not_written", reason=str(error))


async def _set_within(event: asyncio.Event, wait_s: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, wait_s)):
            return await event.wait()
    return False


def _write_if_other(file: Path, tasks: Tasks) -> None:
    content = upgrade_plan(tasks)
    with contextlib.suppress(FileNotFoundError):
        if file.read_bytes() == content:
            return
    write_durably(file, content)
