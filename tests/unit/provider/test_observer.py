"""When a Traefik is looked at: eagerly after a publication, rarely otherwise, never in a rush."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from provider.current import Current
from provider.observe.facts import RouterFact, TraefikFacts
from provider.observer import LOOK_EVERY_S, Observer
from provider.publication import Publication, encode_publication
from tests.unit.fakes import NOON
from tests.unit.turns import run

A, B = "a" * 16, "b" * 16
LIVE = TraefikFacts(
    "http://traefik.test", problem=None, started_at="then", live_digest=A, surveyed_at=NOON
)


@dataclass
class FakeApi:
    """An API that counts what it is asked, each request a hundredth of a second."""

    digest: str | None = A
    problem: str | None = None
    survey_problem: str | None = None
    started_at: str = "then"
    faults: tuple[RouterFact, ...] = ()
    bug: Exception | None = None
    asked: list[str] = field(default_factory=list)
    url: str = "http://traefik.test"

    async def look(self, before: TraefikFacts, _expected: str | None) -> TraefikFacts:
        """As it is now."""
        await self._ask("look")
        if self.bug:
            raise self.bug
        if self.problem:
            return replace(before, problem=self.problem)
        return replace(
            before,
            problem=None,
            started_at=self.started_at,
            live_digest=self.digest,
            faults=self.faults,
        )

    async def survey(self, before: TraefikFacts) -> TraefikFacts:
        """The same, looked at more closely."""
        await self._ask("survey")
        if self.survey_problem:
            return replace(before, survey_problem=self.survey_problem)
        return replace(before, surveyed_at=NOON, survey_problem=None)

    async def runs(self, digest: str) -> bool:
        """Whether it runs this."""
        await self._ask("runs")
        return self.problem is None and self.digest == digest

    async def _ask(self, what: str) -> None:
        self.asked.append(what)
        await asyncio.sleep(0.01)


class Stage:
    """An observer at work, in a loop whose clock jumps."""

    def __init__(self, folder: Path, api: FakeApi) -> None:
        self.api, self.current = api, Current(folder / "document.json.gz")
        self.seen: list[TraefikFacts] = []
        self.observer: Any = Observer(api, self.current, self.seen.append)  # type: ignore[arg-type]
        self.current.published = self.observer.wake.set

    def publish(self, digest: str) -> None:
        """A publication with this digest."""
        self.current.publish(published(digest))

    async def after(self, seconds: float) -> list[str]:
        """What it asked within this time."""
        self.api.asked.clear()
        await asyncio.sleep(seconds)
        return list(self.api.asked)


def published(digest: str) -> Publication:
    """A publication with this digest."""
    return encode_publication((b"{}",), digest)


Play = Callable[[Callable[[Stage], Awaitable[None]], FakeApi], None]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Plays a scene with an observer that runs, and document A published."""

    def play(scene: Callable[[Stage], Awaitable[None]], api: FakeApi) -> None:
        async def whole() -> None:
            stage = Stage(tmp_path, api)
            stage.publish(A)
            running = asyncio.create_task(stage.observer.run())
            await asyncio.sleep(1)
            await scene(stage)
            running.cancel()

        with capture_logs():
            run(whole())

    return play


def test_one_that_is_live_is_looked_at_rarely(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        asked = await stage.after(10 * LOOK_EVERY_S)
        assert 9 <= asked.count("look") <= 11
        assert "runs" not in asked
        assert stage.seen[-1] == LIVE

    play(scene, FakeApi())


def test_a_publication_is_awaited_eagerly_and_seen_within_moments(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.publish(B)
        await stage.after(0.1)
        stage.api.digest = B
        asked = await stage.after(0.2)
        assert stage.seen[-1].live_digest == B
        assert asked.count("look") == 2, "the second a moment later: the traffic follows the API"

    play(scene, FakeApi())


def test_one_that_does_not_fetch_is_asked_more_and_more_rarely_and_given_up(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.publish(B)
        first = await stage.after(1)
        later = await stage.after(10)
        assert len(first) <= 20
        assert len(later) <= 10 * 7
        await stage.after(5)
        rest = await stage.after(10 * LOOK_EVERY_S)
        assert rest.count("look") <= 11
        assert "runs" not in rest

    play(scene, FakeApi())


def test_the_other_facts_do_not_become_old_while_it_is_awaited(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.publish(B)
        assert (await stage.after(10)).count("look") >= 7

    play(scene, FakeApi())


def test_who_polls_anew_is_a_reason_to_look_soon(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        await stage.after(2)
        stage.observer.wake.set()
        assert (await stage.after(0.5)).count("look") == 1

    play(scene, FakeApi())


def test_many_that_poll_anew_do_not_make_it_look_without_a_pause(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.api.asked.clear()
        for _ in range(1000):
            stage.observer.wake.set()
            await asyncio.sleep(0.01)
        assert stage.api.asked.count("look") <= 10 / 0.25 + 1

    play(scene, FakeApi())


def test_a_publication_is_not_kept_waiting_by_those_who_poll_anew(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.observer.wake.set()
        await stage.after(0.02)
        stage.api.digest = B
        stage.publish(B)
        await stage.after(0.1)
        assert stage.seen[-1].live_digest == B

    play(scene, FakeApi())


@pytest.mark.parametrize("wrong", [{"problem": "nothing answers"}, {"bug": ZeroDivisionError()}])
def test_one_that_is_away_or_a_bug_of_ours_is_asked_once_a_second_at_most(
    wrong: dict[str, Any], play: Play
) -> None:
    async def scene(stage: Stage) -> None:
        stage.publish(B)
        asked = await stage.after(60)
        assert set(asked) == {"look"}
        assert 25 <= len(asked) <= 61

    play(scene, FakeApi(**wrong))


def test_a_survey_that_fails_is_no_failure_of_the_look(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        asked = await stage.after(10 * LOOK_EVERY_S)
        assert asked.count("look") <= 11
        assert {each.problem for each in stage.seen} == {None}
        assert stage.seen[-1].survey_problem == "no list"
        stage.api.survey_problem = None
        await stage.after(LOOK_EVERY_S + 1)
        assert stage.seen[-1] == LIVE

    play(scene, FakeApi(survey_problem="no list"))


def test_of_another_process_nothing_is_held_for_known(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.api.started_at, stage.api.survey_problem = "now", "no list"
        await stage.after(LOOK_EVERY_S + 1)
        assert stage.seen[-1].reached
        assert stage.seen[-1].surveyed_at is None

    play(scene, FakeApi())


def test_a_fault_is_told_with_the_survey_that_has_the_hints(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.api.faults = (RouterFact("a@http", "", 1, "disabled", ("web",)),)
        stage.seen.clear()
        asked = await stage.after(LOOK_EVERY_S)
        assert asked == ["look", "survey"]
        assert [len(each.faults) for each in stage.seen] == [1]

    play(scene, FakeApi())


def test_nothing_is_awaited_before_the_first_publication(tmp_path: Path) -> None:
    async def whole() -> None:
        stage = Stage(tmp_path, FakeApi())
        running = asyncio.create_task(stage.observer.run())
        assert set(await stage.after(60)) == {"look", "survey"}
        running.cancel()

    with capture_logs():
        run(whole())
