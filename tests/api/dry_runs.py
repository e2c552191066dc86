"""Dry runs: that nothing is changed by one, and what a document would be after it."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from registry.names import pointer_path
from registry.revisions import changes_between
from tests.api.bodies import body, routed, stored
from tests.api.steps import ALL, until_routed
from tests.daemons import Daemon, eventually

DRY = "?dry_run=true"
NOTHING = {"document_diff": [], "routes_won": [], "routes_lost": [], "conflicts": []}
WRITES = [
    ("POST", ALL, body("new", environment_id="env-new", **routed("new.test"))),
    ("PUT", f"{ALL}/dev", stored("dev", **routed("other.test", entrypoints=["web"]))),
    ("PATCH", f"{ALL}/dev", {"metadata": {"router": {"path_prefix": "/app"}}}),
    ("PATCH", f"{ALL}/dev", {"lifecycle": {"state": "retired"}}),
    ("PATCH", f"{ALL}/dev", {"health": {"status": "healthy"}}),
    ("DELETE", f"{ALL}/dev", None),
    ("DELETE", f"{ALL}/older", None),
    ("POST", f"{ALL}/dev/revert", {"revision": 2}),
    ("POST", f"{ALL}:apply", {"environments": [body("three", **routed("three.test")),
                                               stored("dev", name="Applied")]}),
    ("POST", f"{ALL}:apply", {"environments": [], "project_id": "nightshift", "prune": True}),
]  # fmt: skip


async def seed(daemon: Daemon) -> None:
    """Two environments, and a third that lost its route to one of them."""
    daemon.folders.hand_write(
        stored("older", created_at="2025-01-01T00:00:00Z", **routed("shared.test", "old.test")),
        stored("dev", **routed("first.test")),
        stored("younger", **routed("shared.test")),
    )
    await until_routed(daemon, "shared.test", "first.test")
    await daemon.call("PATCH", f"{ALL}/dev", json=routed("dev.test"))
    await until_routed(daemon, "dev.test")


def is_surveyed(path: Path) -> bool:
    """Whether it is a file of surveys, which come when they come; also while it is written."""
    return any(name in path.name for name in ("human_tasks.json", "health.json"))


async def foreseen(daemon: Daemon, method: str, path: str, json: Any = None) -> dict[str, Any]:
    """The answer to a dry run that must go through, and must change nothing."""
    async with unchanged(daemon):
        answer = await daemon.call(method, path + DRY, json=json)
    assert answer.status == 200, answer.content
    assert not {"ETag", "Location"} & set(answer.headers)
    return dict(answer.value)


@asynccontextmanager
async def unchanged(daemon: Daemon) -> AsyncIterator[None]:
    """Nothing on disk, of what is shown, and of what Traefik gets is another after it."""
    before = await eventually(lambda: _settled(daemon))
    yield
    after = await _state(daemon)
    assert after == before, list(changes_between(before, after))


async def _settled(daemon: Daemon) -> Any:
    """The state, when nothing of what was done before is still under way."""
    assert not list(daemon.folders.data.rglob("document.json.gz.new")), (
        "a document is being made durable"
    )
    state = await _state(daemon)
    assert await _state(daemon) == state
    return state


async def _state(daemon: Daemon) -> Any:
    paths = (ALL, "/api/history", "/api/routes", "/traefik/config?hold=0")
    shown = {path: (await daemon.call("GET", path)).value for path in paths}
    files = {
        str(path): path.read_bytes()
        for path in sorted(daemon.folders.data.rglob("*"))
        if path.is_file() and not is_surveyed(path)
    }
    return {"shown": shown, "files": files, "health": await _health(daemon)}


async def _health(daemon: Daemon) -> Any:
    value = (await daemon.call("GET", "/api/health")).value
    for asked in ("polls", "pollers"):
        value["metrics"]["router"].pop(asked)
    value["metrics"]["environments"].pop("planned_without_dns")  # surveys come when they come
    value["metrics"].pop("human_tasks")
    return value


def patched(value: Any, changes: list[Mapping[str, Any]]) -> Any:
    """The value after these changes."""
    made = copy.deepcopy(value)
    for change in changes:
        *inner, last = pointer_path(change["pointer"])
        part = made
        for key in inner:
            part = part[key]
        if "after" in change:
            part[last] = change["after"]
        else:
            del part[last]
    return made


def unmarked(shown: dict[str, Any]) -> dict[str, Any]:
    """A document without the middleware that marks it."""
    value = copy.deepcopy(shown)
    middlewares = value["http"]["middlewares"]
    marker = [name for name in middlewares if name.startswith("routebook-")]
    assert len(marker) == 1
    del middlewares[marker[0]]
    return value


def hosts(routes: list[Mapping[str, Any]]) -> list[str]:
    """The hosts of routes."""
    return [route["host"] for route in routes]
