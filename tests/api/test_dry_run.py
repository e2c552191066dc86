"""`?dry_run=true` on every write: what would change, and nothing is changed."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from registry.names import pointer_path
from tests.api.bodies import body, routed, stored
from tests.api.steps import ALL, create, document, read, refused, until_routed
from tests.daemons import Daemon, eventually
from tests.safety.steps import CONFIRM, until_routes


DRY = "?dry_run=true"
NOTHING = {"document_diff": [], "routes_won": [], "routes_lost": [], "conflicts": []}


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
    before = await _state(daemon)
    yield
    assert await _state(daemon) == before


async def _state(daemon: Daemon) -> Any:
    shown = [
        (await daemon.call("GET", path)).value
        for path in (ALL, "/api/history", "/api/routes", "/traefik/config?hold=0")
    ]
    files = {
        str(path): path.read_bytes()
        for path in sorted(daemon.folders.data.rglob("*"))
        if path.is_file()
    }
    return shown, files, await _health(daemon)


async def _health(daemon: Daemon) -> Any:
    value = (await daemon.call("GET", "/api/health")).value
    value["metrics"]["router"].pop("polls")
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


async def settled(daemon: Daemon) -> dict[str, Any]:
    """The document, once it is that of the catalogue as it is."""

    async def shows() -> dict[str, Any]:
        shown = await foreseen(daemon, "POST", ALL, body("probe", environment_id="env-probe"))
        assert shown["document_diff"] == []
        routes = (await daemon.call("GET", "/api/routes")).value["routes"]
        known = (await daemon.call("GET", ALL)).value["environments"]
        by_id = {each["environment_id"] for each in known}
        assert {route["environment"] for route in routes} <= by_id
        return unmarked(await document(daemon))

    value: dict[str, Any] = await eventually(shows)
    return value


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


@pytest.fixture
async def seeded(daemon: Daemon) -> Daemon:
    """A daemon with two environments, and a third that lost its route to one of them."""
    daemon.folders.hand_write(
        stored("older", created_at="2025-01-01T00:00:00Z", **routed("shared.test", "old.test")),
        stored("dev", **routed("first.test")),
        stored("younger", **routed("shared.test")),
    )
    await until_routed(daemon, "shared.test", "first.test")
    await daemon.call("PATCH", f"{ALL}/dev", json=routed("dev.test"))
    await until_routed(daemon, "dev.test")
    return daemon


@pytest.mark.parametrize(("method", "path", "given"), WRITES)
async def test_the_write_then_leads_to_exactly_what_was_said(
    seeded: Daemon, method: str, path: str, given: Any
) -> None:
    before = unmarked(await document(seeded))
    routes = await _routes(seeded)
    said = await foreseen(seeded, method, path, given)
    assert said["refused"] is None
    wanted = patched(before, said["document_diff"])
    made = await seeded.call(method, path, json=given)
    assert made.status in (200, 201, 204), made.content
    results = made.value.get("results", ()) if made.content else ()
    for item in results:  # an id that was not given is made anew each time
        for said_item in said.get("results", ()):
            if said_item["slug"] == item["slug"]:
                wanted = _renamed(wanted, said_item["environment_id"], item["environment_id"])

    async def shows() -> None:
        assert unmarked(await document(seeded)) == wanted

    await eventually(shows)
    won = [(r["host"], r["path_prefix"], r["slug"]) for r in said["routes_won"]]
    lost = [(r["host"], r["path_prefix"], r["slug"]) for r in said["routes_lost"]]
    after = await _routes(seeded)
    assert sorted(won) == sorted(after - routes)
    assert sorted(lost) == sorted(routes - after)


async def _routes(daemon: Daemon) -> set[tuple[str, str, str]]:
    routes = (await daemon.call("GET", "/api/routes?state=published")).value["routes"]
    return {(each["host"], each["path_prefix"], each["slug"]) for each in routes}


def _renamed(value: Any, old: str, new: str) -> Any:
    import json

    return json.loads(json.dumps(value).replace(old, new))
