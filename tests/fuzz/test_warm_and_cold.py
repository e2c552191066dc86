"""A daemon that went through many changes says what one says that starts on the same folder."""

from __future__ import annotations

import random
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from registry.revisions import changes_between
from tests.api.steps import ALL, create
from tests.chaos.form import amount
from tests.conftest import StartDaemon
from tests.daemons import Daemon, Folders, eventually
from tests.fuzz.changes import SLUGS, STATES, Changes

FLAGS = ("--traefik-certs-dir", "/certs")
LISTS = [
    f"{ALL}?limit=1000",
    *(f"{ALL}?state={state}" for state in dict.fromkeys(STATES)),
    *(f"{ALL}?project_id={project}" for project in ("nightshift", "storefront", "unknown")),
    f"{ALL}?project_id=nightshift&state=active",
    f"{ALL}?limit=2",
    "/api/routes?limit=1000",
    "/api/projects",
]
ONES = [f"{ALL}/{ref}" for slug in SLUGS for ref in (slug, f"env-{slug}")]
DOCUMENT = "/traefik/config?hold=0"
HISTORY = "/api/history?limit=1000"
_TIMES = {"since", "published_at"}
# What is wrong with single records beside these, only one who read the file before them knows.
_UNREAD = {"catalogue_unreadable", "edit_held"}
Say = dict[str, Any]


async def says(daemon: Daemon, *paths: str) -> Say:
    """What it answers, without what only one that ran can know."""
    answers = {path: await daemon.call("GET", path) for path in paths}
    return {path: (answer.status, timeless(answer.value)) for path, answer in answers.items()}


def timeless(value: Any) -> Any:
    """Without the times since when something is as it is."""
    if isinstance(value, dict):
        return {key: timeless(each) for key, each in value.items() if key not in _TIMES}
    return [timeless(each) for each in value] if isinstance(value, list) else value


async def health(daemon: Daemon) -> Say:
    """The counts of the catalogue, and what is wrong with it."""
    answer = (await daemon.call("GET", "/api/health")).value
    wrong = [each for each in answer["problems"] if each["code"] != "stale_edit"]
    environments = dict(answer["metrics"]["environments"])
    return {"problems": wrong, "counts": environments}


async def codes(daemon: Daemon) -> set[str]:
    """The codes of what is wrong."""
    return {each["code"] for each in (await health(daemon))["problems"]}


async def everything(daemon: Daemon, wrong: set[str]) -> Say:
    """All that can be compared where this is wrong."""
    if wrong & _UNREAD:
        return {**await says(daemon, DOCUMENT, HISTORY), "in force": await in_force(daemon)}
    routing = (f"{each}/routing" for each in ONES)
    return {
        **await says(daemon, DOCUMENT, *LISTS, *ONES, *routing, HISTORY),
        **await health(daemon),
    }


async def in_force(daemon: Daemon) -> Say:
    """The records, whatever is wrong with what is stored."""
    listed = (await daemon.call("GET", LISTS[0])).value["environments"]
    beside = {"fault", "routing"}
    return {
        each["environment_id"]: {key: each[key] for key in each.keys() - beside} for each in listed
    }


async def settled(daemon: Daemon) -> None:
    """What was saved is read, completed and in the history."""
    await daemon.call("DELETE", f"{ALL}/nobody?dry_run=1")
    await daemon.call("GET", "/api/history")


def copied(folders: Folders, to: Path, *, with_document: bool) -> Folders:
    """The folders as a cold start finds them."""
    made = Folders(to / "data", to / "projects")
    shutil.copytree(folders.projects, made.projects)
    passing = ["*.lock", "*.part", ".environments.json.*", "document.json.gz.new"]
    if not with_document:
        passing.append("document.json.gz")
    shutil.copytree(folders.data, made.data, ignore=shutil.ignore_patterns(*passing))
    return made


@pytest.mark.timeout(amount(120, 3600))
@pytest.mark.parametrize("seed", range(amount(6, 200)))
async def test_nothing_tells_a_daemon_that_ran_from_one_that_starts(
    seed: int, start_daemon: StartDaemon, tmp_path: Path
) -> None:
    warm, dice = await start_daemon(*FLAGS), random.Random(seed)
    await create(warm, "first")  # a first start takes what a later one would not
    changes, done = Changes(warm, dice), list[str]()
    for step in range(amount(10, 30)):
        done.append(await changes.some())
        await says(warm, *LISTS)  # what is made ready now must not be shown later
        await settled(warm)
        kept = bool(await codes(warm) & _UNREAD) or dice.random() < 0.5
        folders = copied(warm.folders, tmp_path / str(step), with_document=kept)
        cold = await Daemon(folders).start(*FLAGS)
        try:
            await settled(cold)
            await eventually(alike(warm, cold, done), timeout_s=5)
        finally:
            await cold.stop()


def differences(one: Say, other: Say, apart: list[str], done: list[str]) -> str:
    """What was done, and where the answers differ."""
    lines = [f"{n}: {said}" for n, said in enumerate(done)]
    for what in apart[:3]:
        for change in changes_between(placed(one.get(what)), placed(other.get(what))):
            lines.append(f"{what} {change}")
    return "\n".join(lines)


def placed(value: Any) -> Any:
    """Lists as objects, so that their items are compared one by one."""
    if isinstance(value, dict):
        return {key: placed(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return {str(index): placed(each) for index, each in enumerate(value)}
    return value


def alike(warm: Daemon, cold: Daemon, done: list[str]) -> Callable[[], Awaitable[None]]:
    """The check that both say the same."""

    async def check() -> None:
        mine, theirs = await codes(warm), await codes(cold)
        wrong = mine | theirs
        one, other = await everything(warm, wrong), await everything(cold, wrong)
        apart = [what for what in one | other if one.get(what) != other.get(what)]
        assert not apart, differences(one, other, apart, done)

    return check
