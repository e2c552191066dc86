"""Looking at one Traefik: at once after a publication, until it is live; rarely otherwise."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog

from provider.current import Current
from provider.observe.facts import TraefikFacts
from provider.observe.traefik_api import TraefikApi

LOOK_EVERY_S = 5.0
# Seen on two CPUs: up to 5.5 ms between the API and the traffic.
_SETTLE_S = 0.015
_SETTLE_TRIES = 3
# A survey of many routers costs Traefik something: no more than a twentieth of the time.
_SURVEY_SHARE = 20
_FIRST_PAUSE_S = 0.002
_LONGEST_PAUSE_S = 0.25
_FIRST_ASKING_S = 0.1
_ASKING_S = 1.0
_EAGER_S = 12.0
_AWAY_S = 1.0
# Who polls anew is a reason to look, but whoever can poll must not make us look without a pause.
_SOON_S = 0.25

_log = structlog.get_logger()


class Observer:
    """`seen` gets the facts of each look; `wake` asks for one soon.

    `prepare` gets those of a survey before: many routers take their time.
    """

    def __init__(
        self,
        api: TraefikApi,
        current: Current,
        seen: Callable[[TraefikFacts], None],
        prepare: Callable[[TraefikFacts], Awaitable[None]] | None = None,
    ) -> None:
        self._api, self._current, self._seen, self._prepare = api, current, seen, prepare
        self._next_survey_s = 0.0
        self._surveyed: TraefikFacts | None = None
        self._awaited: tuple[str, float] | None = None
        self._pause_s = _FIRST_PAUSE_S
        self._looked_s = -math.inf
        self.facts = TraefikFacts(api.url)
        self.wake = asyncio.Event()

    async def run(self) -> None:
        """Look for ever; a bug ends one look and no more."""
        while True:
            self.wake.clear()
            try:
                if self._is_eager():
                    await self._until_live()
                await self.look()
            except Exception:
                _log.exception("look_failed", traefik=self._api.url)
                await asyncio.sleep(_AWAY_S)
            await self._rest(LOOK_EVERY_S if self.facts.reached else _AWAY_S)

    async def look(self) -> None:
        """One look, with a survey where one is due."""
        self._looked_s = _now_s()
        before = self.facts
        facts = await self._settled(await self._api.look(before, self._wanted()))
        if facts.reached and facts.started_at != before.started_at:
            # Another process: nothing of the one before holds.
            facts = replace(facts, entrypoints=(), neighbours=(), surveyed_at=None)
        if facts.faults == before.faults:  # else not before the survey, which has the hints
            self._take(facts)
        if facts.reached and self._is_survey_due(facts):
            facts = await self._survey(facts)
        self._take(facts)

    async def _settled(self, facts: TraefikFacts) -> TraefikFacts:
        """Facts whose document has been live for a while.

        Traefik swaps its entrypoints one after the other, that of its API maybe first: what the
        API shows may be ahead of the traffic (pkg/server/server_entrypoint_tcp.go). Where it goes
        on changing, the facts stay those of before, with the time that they are of.
        """
        for _ in range(_SETTLE_TRIES):
            if not facts.reached or facts.live_digest == self.facts.live_digest:
                return facts
            await asyncio.sleep(_SETTLE_S)
            again = await self._api.look(self.facts, self._wanted())
            if again.live_digest == facts.live_digest:
                return again
            facts = again
        return self.facts

    async def _survey(self, facts: TraefikFacts) -> TraefikFacts:
        start_s = _now_s()
        self._surveyed = surveyed = await self._api.survey(facts)
        if self._prepare is not None:
            await self._prepare(surveyed)
        now_s = _now_s()
        self._next_survey_s = now_s + _SURVEY_SHARE * (now_s - start_s)
        return surveyed

    def _is_survey_due(self, facts: TraefikFacts) -> bool:
        last = self._surveyed
        if last is None or (facts.started_at, facts.faults) != (last.started_at, last.faults):
            return True
        return _now_s() > self._next_survey_s

    def _is_eager(self) -> bool:
        """Whether a young publication is not live yet."""
        wanted = self._wanted()
        if wanted is None or not self.facts.reached or wanted == self.facts.live_digest:
            return False
        if self._awaited is None or self._awaited[0] != wanted:
            self._awaited, self._pause_s = (wanted, _now_s()), _FIRST_PAUSE_S
        return _now_s() - self._awaited[1] < _EAGER_S

    def _wanted(self) -> str | None:
        publication = self._current.publication
        return publication.digest if publication else None

    async def _until_live(self) -> None:
        """Ask for the marker alone, more and more rarely; Traefik shows it when it is live.

        Not for long: the other facts must not become old meanwhile.
        """
        digest, start_s = self._wanted(), _now_s()
        # The first look comes soon: what was seen before the publication says nothing of it.
        is_first = self._awaited is not None and start_s - self._awaited[1] < _FIRST_ASKING_S
        asking_s = _FIRST_ASKING_S if is_first else _ASKING_S
        while digest is not None and digest == self._wanted():
            if await self._api.runs(digest) or _now_s() - start_s > asking_s:
                return
            await asyncio.sleep(self._pause_s)
            self._pause_s = min(self._pause_s * 1.5, _LONGEST_PAUSE_S)

    async def _rest(self, pause_s: float) -> None:
        """Until the next look: at once after a publication, soon when somebody polls anew."""
        until_s = _now_s() + pause_s
        while not self._is_eager() and (left_s := until_s - _now_s()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await self.wake.wait()
                self.wake.clear()
                until_s = min(until_s, self._looked_s + _SOON_S)

    def _take(self, facts: TraefikFacts) -> None:
        if facts.survey_problem not in (None, self.facts.survey_problem):
            _log.warning("traefik_not_surveyed", traefik=facts.url, reason=facts.survey_problem)
        if facts.problem != self.facts.problem:
            if facts.problem is None:
                _log.info("traefik_seen", traefik=facts.url, version=facts.version)
            else:
                _log.warning("traefik_not_seen", traefik=facts.url, reason=facts.problem)
        self.facts = facts
        self._seen(facts)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
