"""Health by observation: probes, what they amount to, and the flips that are written.

A flip is a write of the store. The time of a check that changed nothing is kept beside the
catalogue and laid over what is read, so that probes neither rewrite the file nor race an editor.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from provider.health_judgement import Standing, flip, judged, standing_of
from provider.health_overlay import as_stored
from provider.observe.plumbing import ProbeFact
from registry.engines.durable import as_registry_errors, write_durably
from registry.errors import EditedElsewhere, NotFound, RegistryError, RevisionConflict
from registry.fields import instant_text, parse_instant
from registry.revisions import Author
from registry.schema import Environment
from registry.store import EnvironmentStore

PROBE = Author("probe", "probe")
# Somebody else was first: the next survey judges the record as it is then.
_OVERTAKEN = (RevisionConflict, EditedElsewhere, NotFound)

Look = Callable[[Sequence[Environment]], Awaitable[Mapping[str, ProbeFact]]]

_log = structlog.get_logger()


class HealthKeeper:
    """Keeps the health of all environments. `kept` is the file that survives a restart."""

    def __init__(self, store: EnvironmentStore, look: Look, kept: Path) -> None:
        self._store, self._look, self._kept = store, look, kept
        self._standings: dict[str, Standing] = {}
        self._written = b""
        self._troubles: dict[str, str] = {}

    def restore(self) -> None:
        """The times of checks from before the restart; of a broken file none, and it starts anew.

        Counts of answers are not kept: a status flips no sooner for a restart.
        """
        try:
            self._written = self._kept.read_bytes()
            self._standings = _standings_of(json.loads(self._written))
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            _log.warning("health_times_lost", file=self._kept.name, reason=type(error).__name__)

    @property
    def made_of(self) -> object:
        """Another object whenever `checked_at` may say anything else of the same record."""
        return self._standings

    def checked_at(self, environment: Environment) -> datetime | None:
        """When the environment was checked last, to be shown: by a probe, or as it is stored."""
        stored = environment.health.checked_at
        standing = standing_of(self._standings, environment)
        seen = standing.checked_at if standing else None
        return max((each for each in (stored, seen) if each is not None), default=None)

    def as_stored(self, body: Any, ref: str | None = None) -> Any:
        """A body to write, without a time of ours that the caller was shown and sends back.

        `ref` is the environment; without it the body says which.
        """
        environment = self._named(body, ref)
        if environment is None:
            return body
        return as_stored(body, environment, self.checked_at(environment))

    async def survey(self, environments: Sequence[Environment]) -> Mapping[str, ProbeFact]:
        """Probe them all, keep what came of it, and write what flipped; the facts, by id."""
        facts = await self._look(environments)
        await self.take(environments, facts)
        return facts

    async def take(
        self, environments: Sequence[Environment], facts: Mapping[str, ProbeFact]
    ) -> None:
        """Judge facts about these environments, which are all that there are."""
        standings = judged(self._standings, environments, facts)
        if standings != self._standings:
            self._standings = standings
        flipping = [
            self._flip(each, facts[each.environment_id])
            for each in environments
            if each.environment_id in facts
        ]
        # Together, so that they share a commit.
        failed = [error for error in await asyncio.gather(*flipping) if error is not None]
        self._say("status", failed[0] if failed else None)
        self._say("times", await asyncio.to_thread(self._keep))

    async def _flip(self, environment: Environment, fact: ProbeFact) -> RegistryError | None:
        """Write the status that the probes ask for; why that failed. It is tried again then."""
        standing = standing_of(self._standings, environment)
        if standing is None or fact.is_good is None:
            return None
        status = flip(standing, environment.health.status)
        if status is None:
            return None
        patch = {"health": {"status": status, "checked_at": instant_text(fact.looked_at)}}
        judged_on = environment.revision
        try:
            await self._store.patch(
                environment.environment_id, patch, lambda now: now == judged_on, by=PROBE
            )
        except _OVERTAKEN:
            return None
        except RegistryError as error:
            return error
        _log.info(
            "health_flipped",
            environment=environment.environment_id,
            before=environment.health.status,
            after=status,
            reason=fact.detail,
        )
        return None

    def _keep(self) -> RegistryError | None:
        content = _content(self._standings)
        if content == self._written or not (self._written or self._standings):
            return None
        try:
            with as_registry_errors(self._kept.name):
                self._kept.parent.mkdir(parents=True, exist_ok=True)
            write_durably(self._kept, content)
        except RegistryError as error:
            return error
        self._written = content
        return None

    def _say(self, what: str, error: RegistryError | None) -> None:
        """Once for each trouble, and once when it is over."""
        code, before = error.code if error else "", self._troubles.get(what, "")
        if error and code != before:
            _log.warning("health_not_written", what=what, code=code, reason=error.detail)
        if before and not error:
            _log.info("health_written_again", what=what)
        self._troubles[what] = code

    def _named(self, body: Any, ref: str | None) -> Environment | None:
        snapshot = self._store.snapshot
        given = body if ref is None and isinstance(body, dict) else {}
        names = [ref] if ref else [given.get("environment_id"), given.get("slug")]
        for name in names:
            if snapshot is not None and isinstance(name, str):
                entry = snapshot.by_id.get(name) or snapshot.by_slug.get(name)
                return entry.environment if entry else None
        return None


def _content(standings: Mapping[str, Standing]) -> bytes:
    checked = {
        environment_id: {"url": each.url, "checked_at": instant_text(each.checked_at)}
        for environment_id, each in standings.items()
        if each.checked_at is not None
    }
    return json.dumps({"version": 1, "checked": checked}, indent=1).encode() + b"\n"


def _standings_of(kept: Any) -> dict[str, Standing]:
    """Raises ValueError, KeyError, TypeError and AttributeError for anything but our own file."""
    if kept["version"] != 1:
        raise ValueError("written by another version")
    return {
        str(environment_id): Standing(
            str(each["url"]), checked_at=parse_instant(each["checked_at"])
        )
        for environment_id, each in kept["checked"].items()
    }
