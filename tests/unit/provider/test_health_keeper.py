"""Flips become writes of the store; times of checks are kept beside it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from provider.health_keeper import HealthKeeper
from provider.observe.plumbing import ProbeFact
from registry.errors import DiskFull, EditHeld, RegistryError
from registry.schema import Environment
from registry.store import EnvironmentStore
from tests.records import record
from tests.unit.fakes import Clock, WatchedEngine, store_over

URL = "http://a.test/health"


def probed(slug: str = "a", status: str = "healthy", url: str = URL) -> dict[str, Any]:
    health = {"status": status, "url": url, "notes": "by hand", "checked_at": None}
    return record(slug=slug, health=health)


class Round:
    """A store over records, a keeper of their health, and answers that a test chooses."""

    def __init__(self, folder: Path, *records: dict[str, Any]) -> None:
        self.engine, self.clock = WatchedEngine(*records), Clock()
        self.store: EnvironmentStore = store_over(self.engine)
        self.kept = folder / "state" / "health.json"
        self.answer: bool | None = True
        self.keeper = self.again()

    def again(self) -> HealthKeeper:
        """A keeper over what is on disk, as after a restart."""
        self.keeper = HealthKeeper(self.store, self._look, self.kept)
        self.keeper.restore()
        return self.keeper

    async def survey(self, *answers: bool | None) -> None:
        """A survey a minute, each with one answer of all environments."""
        for self.answer in answers:
            self.clock.move(minutes=1)
            await self.keeper.survey((await self.store.load()).environments)

    async def of(self, slug: str = "a") -> Environment:
        """The record in force."""
        found = (await self.store.load()).by_slug[slug].environment
        assert found is not None
        return found

    async def shown(self, slug: str = "a") -> datetime | None:
        """The time of the last check that is shown."""
        return self.keeper.checked_at(await self.of(slug))

    async def _look(self, environments: Iterable[Environment]) -> dict[str, ProbeFact]:
        return {
            each.environment_id: ProbeFact(
                each.environment_id, each.health.url, self.clock(), self.answer
            )
            for each in environments
            if each.health.url
        }


async def sources(store: EnvironmentStore) -> Sequence[tuple[str, str]]:
    """Who wrote, and by which way."""
    return [(each.author.actor, each.author.source) for each in await store.history.since(0)]


async def test_a_flip_is_written_once_and_says_who(tmp_path: Path) -> None:
    world = Round(tmp_path, probed())
    await world.store.load()
    await world.survey(False, False)
    assert world.engine.commits == []
    await world.survey(False)
    at = world.clock()
    await world.survey(False, False)
    health = (await world.of()).health
    assert (health.status, health.checked_at) == ("offline", at)
    assert (health.url, health.notes) == (URL, "by hand")
    assert len(world.engine.commits) == 1
    assert await sources(world.store) == [("file", "found"), ("probe", "probe")]


async def test_it_comes_back(tmp_path: Path) -> None:
    world = Round(tmp_path, probed())
    await world.survey(False, False, False, True, True)
    assert (await world.of()).health.status == "healthy"
    assert len(world.engine.commits) == 2


async def test_flips_of_many_share_a_commit(tmp_path: Path) -> None:
    world = Round(tmp_path, *(probed(f"e{number}") for number in range(30)))
    await world.survey(False, False, False)
    assert len(world.engine.commits) <= 2
    assert {each.health.status for each in (await world.store.load()).environments} == {"offline"}


async def test_a_check_that_changes_nothing_is_shown_and_not_stored(tmp_path: Path) -> None:
    world = Round(tmp_path, probed())
    revision = (await world.of()).revision
    await world.survey(True, True, True)
    assert await world.shown() == world.clock()
    assert world.engine.commits == []
    assert (await world.of()).revision == revision
    assert (await world.of()).health.checked_at is None


async def test_a_later_check_by_hand_is_the_one_that_is_shown(tmp_path: Path) -> None:
    world = Round(tmp_path, probed())
    await world.survey(True)
    by_hand = world.clock.move(hours=1).isoformat()
    await world.store.patch("a", {"health": {"status": "healthy", "checked_at": by_hand}})
    assert await world.shown() == world.clock()


async def test_what_was_not_asked_changes_nothing(tmp_path: Path) -> None:
    world = Round(tmp_path, probed())
    await world.survey(*[None] * 5)
    assert await world.shown() is None
    assert not world.kept.exists()
    assert world.engine.commits == []


async def test_an_edit_between_looking_and_writing_is_not_undone(tmp_path: Path) -> None:
    world = Round(tmp_path, probed())
    await world.survey(False, False)
    environments = (await world.store.load()).environments
    await world.store.patch("a", {"health": {"status": "degraded", "notes": "I know"}})
    world.answer = False
    await world.keeper.survey(environments)
    health = (await world.of()).health
    assert (health.status, health.notes) == ("degraded", "I know")
    await world.survey(False, False)
    assert (await world.of()).health.status == "degraded"
    await world.survey(False)
    assert (await world.of()).health.status == "offline"


async def test_an_edit_of_another_field_only_puts_the_flip_off(tmp_path: Path) -> None:
    world = Round(tmp_path, probed())
    await world.survey(False, False)
    environments = (await world.store.load()).environments
    await world.store.patch("a", {"name": "Renamed"})
    world.answer = False
    await world.keeper.survey(environments)
    assert (await world.of()).health.status == "healthy"
    await world.survey(False)
    found = await world.of()
    assert (found.name, found.health.status) == ("Renamed", "offline")


async def test_a_record_that_went_meanwhile_stays_gone(tmp_path: Path) -> None:
    world = Round(tmp_path, probed())
    await world.survey(False, False)
    environments = (await world.store.load()).environments
    await world.store.delete("a")
    world.answer = False
    await world.keeper.survey(environments)
    assert (await world.store.load()).environments == ()


@pytest.mark.parametrize(
    "failure", [DiskFull("no room"), EditHeld("an edit waits"), OSError("gone")]
)
async def test_a_flip_that_cannot_be_written_waits_and_is_said_once(
    tmp_path: Path, failure: Exception
) -> None:
    world = Round(tmp_path, probed())
    await world.survey(False, False)
    world.engine.failure = failure
    if not isinstance(failure, RegistryError):  # a bug is the loop's to report
        with pytest.raises(OSError, match="gone"):
            await world.survey(False)
    else:
        with capture_logs() as said:
            await world.survey(False, False, False)
        assert [(each["event"], each["code"]) for each in said] == [
            ("health_not_written", failure.code)
        ]
    world.engine.failure = None
    await world.survey(False)
    assert (await world.of()).health.status == "offline"


async def test_a_flip_that_waits_is_given_up_when_the_service_is_well_again(
    tmp_path: Path,
) -> None:
    world = Round(tmp_path, probed())
    world.engine.failure = DiskFull("no room")
    await world.survey(False, False, False, False)
    world.engine.failure = None
    await world.survey(True, False, False)
    assert (await world.of()).health.status == "healthy"


async def test_times_outlive_a_restart_and_counts_do_not(tmp_path: Path) -> None:
    world = Round(tmp_path, probed())
    await world.survey(True)
    at = world.clock()
    await world.survey(False, False)
    world.again()
    assert await world.shown() == at
    await world.survey(False, False)
    assert (await world.of()).health.status == "healthy"


async def test_a_time_of_another_url_is_not_shown_after_a_restart(tmp_path: Path) -> None:
    world = Round(tmp_path, probed())
    await world.survey(True)
    await world.engine.edit_one(0, probed(url="http://b.test/"))
    world.again()
    assert await world.shown() is None


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"version": 2, "checked": {}}', '{"version": 1}', "\xff",
     '{"version": 1, "checked": {"env-a": {"url": "http://a.test/health"}}}'],
)  # fmt: skip
async def test_a_broken_file_starts_anew(tmp_path: Path, content: str) -> None:
    world = Round(tmp_path, probed())
    world.kept.parent.mkdir()
    world.kept.write_text(content, "latin-1")
    world.again()
    assert await world.shown() is None
    await world.survey(True)
    assert json.loads(world.kept.read_text())["checked"]["env-a"]["url"] == URL


async def test_the_file_forgets_records_that_went(tmp_path: Path) -> None:
    world = Round(tmp_path, probed("a"), probed("b"))
    await world.survey(True)
    await world.store.delete("a")
    await world.survey(True)
    assert list(json.loads(world.kept.read_text())["checked"]) == ["env-b"]


async def test_a_file_that_cannot_be_written_is_said_once_and_costs_no_flip(
    tmp_path: Path,
) -> None:
    world = Round(tmp_path, probed())
    (tmp_path / "state").write_text("in the way")
    world.again()
    with capture_logs() as said:
        await world.survey(True, True, False, False, False)
    assert (await world.of()).health.status == "offline"
    assert [each["event"] for each in said] == ["health_not_written", "health_flipped"]
