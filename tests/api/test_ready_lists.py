"""Lists from bytes that were made before: never older than what they show."""

from __future__ import annotations

import json
from typing import Any

import pytest

from provider.api.ready_items import ReadyItems
from registry.entries import Entry, RawRecord
from registry.errors import UnknownProject
from registry.schema import Environment
from tests.api.bodies import routed, stored
from tests.api.steps import ALL, create
from tests.daemons import Daemon, eventually


async def listed(daemon: Daemon, query: str = "") -> dict[str, Any]:
    """The whole list."""
    answer = await daemon.call("GET", f"{ALL}?{query}")
    return dict(answer.value)


async def test_a_page_after_a_write_shows_the_new_record(daemon: Daemon) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    await create(daemon, "shop", project_id="storefront")
    await listed(daemon)
    await daemon.call("PATCH", f"{ALL}/dev", json={"name": "Another"})
    shown = await listed(daemon)
    assert shown["environments"][0]["name"] == "Another"


@pytest.mark.parametrize("state", ["maintenance", "retired", "planned"])
async def test_a_page_by_state_follows_the_state(daemon: Daemon, state: str) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    await create(daemon, "shop", project_id="storefront", lifecycle={"state": state})
    await listed(daemon, f"state={state}")
    await daemon.call("PATCH", f"{ALL}/dev", json={"lifecycle": {"state": state}})
    shown = await listed(daemon, f"state={state}")
    assert [each["slug"] for each in shown["environments"]] == ["dev", "shop"]


async def test_a_page_by_project_follows_creations_and_deletions(daemon: Daemon) -> None:
    await create(daemon, "dev", project_id="storefront")
    await listed(daemon, "project_id=storefront")
    await create(daemon, "shop", project_id="storefront")
    shown = await listed(daemon, "project_id=storefront")
    assert [each["slug"] for each in shown["environments"]] == ["dev", "shop"]
    await daemon.call("DELETE", f"{ALL}/dev")
    shown = await listed(daemon, "project_id=storefront")
    assert ([each["slug"] for each in shown["environments"]], shown["total"]) == (["shop"], 1)


async def test_a_page_after_another_document_shows_its_routing(daemon: Daemon) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    await listed(daemon)

    async def published() -> None:
        (one,) = (await listed(daemon))["environments"]
        assert (one["routing"]["published"], one["routing"]["reason"]) == (
            True,
            "no_traefik_known",
        )

    await eventually(published)


async def test_a_page_after_a_workspace_changed_shows_it(daemon: Daemon) -> None:
    await create(daemon, "shop", project_id="storefront")
    await listed(daemon)
    file = daemon.folders.projects / "storefront" / "project.json"
    file.write_text(json.dumps({"id": "storefront", "name": "Another name"}))
    assert (await listed(daemon))["projects"]["storefront"]["name"] == "Another name"
    one = await daemon.call("GET", f"{ALL}/shop")
    assert one.value["project"]["name"] == "Another name"


class NoProjects:
    """There are no workspaces."""

    def get(self, project_id: str) -> Any:
        """None of them."""
        raise UnknownProject(project_id)


class Stage:
    """Items over entries, with all else that they are made of in the test's hand."""

    def __init__(self) -> None:
        self.routing: dict[str, Any] = {"live": None}
        self.made_of: tuple[object, ...] = (object(),)
        self.items = ReadyItems(
            NoProjects(), lambda _: None, lambda _: self.routing, lambda: self.made_of
        )

    async def shown(self, *entries: Entry) -> list[dict[str, Any]]:
        """The list."""
        return list(json.loads(b"[%b]" % await self.items.listed(entries)))


def entry(slug: str, **changes: Any) -> Entry:
    """An entry in force."""
    return Entry(RawRecord("", ""), Environment.model_validate(stored(slug, **changes)))


async def test_a_record_that_did_not_change_is_not_encoded_again() -> None:
    stage, entries = Stage(), [entry(f"dev-{n}") for n in range(120)]
    await stage.shown(*entries)
    entries[7] = entry("dev-7", name="Another")
    stage.made_of = (object(),)
    shown = await stage.shown(*entries)
    assert shown[7]["name"] == "Another"
    assert stage.items.encoded == 120 + 1


async def test_routing_is_shown_anew_when_what_it_is_made_of_is_another() -> None:
    stage, one = Stage(), entry("dev")
    await stage.shown(one)
    stage.routing, stage.made_of = {"live": True}, (object(),)
    assert (await stage.shown(one))[0]["routing"] == {"live": True}
    assert stage.items.encoded == 1
