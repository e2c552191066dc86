"""Revert: the state after an earlier revision, as a new change."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from registry.errors import NotFound, SlugTaken, UnknownProject
from tests.api.steps import ALL, read, refused, until_problem
from tests.daemons import Daemon
from tests.safety.desk import ANN, Desk
from tests.safety.records import Edited, record
from tests.safety.steps import until_fine, until_routes

A, B = record("a"), record("b")
TIMES = ("created_at", "updated_at")


def without_times(document: Any) -> dict[str, Any]:
    """The document without the times that every change sets."""
    return {key: value for key, value in document.items() if key not in TIMES}


@pytest.fixture
async def desk(desk: Desk) -> Desk:
    """A store over `env-a`: found at 1, two changes at 3 and 4; `env-b` was found at 2."""
    await desk.holds(A, B)
    await desk.store.patch("a", {"name": "second", "metadata": {"note": "x"}}, by=ANN)
    desk.passes(minutes=1)
    await desk.store.patch("a", {"slug": "renamed", "ports": [{"name": "web", "port": 80}]}, by=ANN)
    desk.passes(minutes=1)
    return desk


@pytest.mark.parametrize("revision", [1, 3, 4])
async def test_an_update_is_taken_back_whole(desk: Desk, revision: int) -> None:
    states = {each.revision: each.after for each in await desk.store.revisions("env-a")}
    reverted = await desk.store.revert("renamed", revision, by=ANN)
    assert without_times(reverted.document) == without_times(states[revision])
    assert reverted.document["created_at"] == A["created_at"]
    assert desk.store.snapshot.by_id["env-a"].environment == reverted
    assert without_times(desk.folders.stored()[0]) == without_times(states[revision])


async def test_between_two_of_its_revisions_the_earlier_one_counts(desk: Desk) -> None:
    assert (await desk.store.revert("renamed", 2, by=ANN)).name == "a"


async def test_it_is_a_new_change_with_its_actor(desk: Desk) -> None:
    desk.passes(hours=1)
    reverted = await desk.store.revert("renamed", 3, by=ANN)
    newest, *_ = await desk.store.revisions("env-a")
    assert newest.revision == 5
    assert (newest.author.source, newest.author.actor) == ("revert", ANN.actor)
    assert newest.at == reverted.updated_at == desk.now


async def test_a_revert_can_be_reverted(desk: Desk) -> None:
    await desk.store.revert("renamed", 1, by=ANN)
    again = await desk.store.revert("a", 4, by=ANN)
    assert (again.slug, again.name) == ("renamed", "second")


async def test_a_deleted_record_comes_back_with_its_id_and_age(desk: Desk) -> None:
    await desk.store.delete("renamed", by=ANN)
    restored = await desk.store.revert("env-a", 3, by=ANN)
    assert (restored.environment_id, restored.slug, restored.name) == ("env-a", "a", "second")
    assert restored.document["created_at"] == A["created_at"]
    newest, *_ = await desk.store.revisions("env-a")
    assert (newest.action, newest.author.source) == ("created", "revert")
    assert desk.store.snapshot.by_slug["a"].environment == restored


async def test_to_a_deletion_it_deletes(desk: Desk) -> None:
    await desk.store.delete("renamed", by=ANN)
    await desk.store.revert("env-a", 3, by=ANN)
    assert await desk.store.revert("env-a", 5, by=ANN) is None
    assert set(desk.names()) == {"b"}
    newest, *_ = await desk.store.revisions("env-a")
    assert (newest.action, newest.author.source) == ("deleted", "revert")
    count = len(await desk.store.history.since(0))
    assert await desk.store.revert("env-a", 5, by=ANN) is None
    assert len(await desk.store.history.since(0)) == count


async def test_a_revision_before_the_record_was_there_is_unknown(desk: Desk) -> None:
    with pytest.raises(NotFound, match="revision 1"):
        await desk.store.revert("b", 1, by=ANN)
    with pytest.raises(NotFound):
        await desk.store.revert("env-never", 1, by=ANN)


async def test_a_revision_that_nobody_made_yet_is_unknown(desk: Desk) -> None:
    with pytest.raises(NotFound):
        await desk.store.revert("renamed", 99_999, by=ANN)


async def test_a_slug_that_another_took_since_is_a_conflict(desk: Desk) -> None:
    await desk.store.create(record("other", slug="a"), by=ANN)
    for deleted in (False, True):
        if deleted:
            await desk.store.delete("renamed", by=ANN)
        with pytest.raises(SlugTaken) as refusal:
            await desk.store.revert("env-a", 1, by=ANN)
        assert refusal.value.errors[0].pointer == "/slug"
    assert desk.names() == {"b": "b", "a": "other"}


async def test_into_a_workspace_that_is_gone_nothing_comes_back(desk: Desk) -> None:
    await desk.store.create(record("c", project_id="storefront"), by=ANN)
    await desk.store.delete("c", by=ANN)
    shutil.rmtree(desk.folders.projects / "storefront")
    with pytest.raises(UnknownProject):
        await desk.store.revert("env-c", 5, by=ANN)


async def test_it_mends_a_record_that_a_hand_edit_broke(desk: Desk) -> None:
    desk.folders.edit("renamed", name=7)
    await desk.store.load()
    assert desk.faults() == [("invalid_record", "env-a")]
    await desk.store.revert("env-a", 4, by=ANN)
    assert desk.faults() == []
    assert desk.folders.stored()[0]["name"] == "second"


async def test_over_http_it_answers_with_the_environment_or_with_nothing(
    daemon: Daemon, folders: Edited
) -> None:
    folders.write(A, B)
    await until_routes(daemon, "a.test", "b.test")
    await daemon.call("PATCH", f"{ALL}/a", json={"host": {"hostname": "moved.test"}})
    answer = await daemon.call("POST", f"{ALL}/a/revert", json={"revision": 1})
    assert answer.status == 200
    assert answer.value["host"]["hostname"] == "a.test"
    assert answer.headers["ETag"] == (await daemon.call("GET", f"{ALL}/a")).headers["ETag"]
    await until_routes(daemon, "a.test", "b.test")
    await daemon.call("DELETE", f"{ALL}/a")
    await until_routes(daemon, "b.test")
    answer = await daemon.call("POST", f"{ALL}/env-a/revert", json={"revision": 4})
    assert (answer.status, answer.value["slug"]) == (200, "a")
    await until_routes(daemon, "a.test", "b.test")
    answer = await daemon.call("POST", f"{ALL}/env-a/revert", json={"revision": 5})
    assert (answer.status, answer.content) == (204, b"")
    await until_routes(daemon, "b.test")


async def test_over_http_a_conflict_of_names_or_routes_is_409_and_an_unknown_one_404(
    daemon: Daemon, folders: Edited
) -> None:
    folders.write(A, B)
    await until_routes(daemon, "a.test", "b.test")
    await daemon.call("PATCH", f"{ALL}/a", json={"slug": "x", "host": {"hostname": "x.test"}})
    revert = f"{ALL}/env-a/revert"
    taker = record("new", slug="a", metadata={})
    assert (await daemon.call("POST", ALL, json=taker)).status == 201
    refused(await daemon.call("POST", revert, json={"revision": 1}), 409, "slug_taken")
    await daemon.call("DELETE", f"{ALL}/env-new")
    taker = record("new", host={"hostname": "a.test"})
    assert (await daemon.call("POST", ALL, json=taker)).status == 201
    problem = refused(
        await daemon.call("POST", revert, json={"revision": 1}), 409, "route_conflict"
    )
    assert problem["holder"] == {"environment_id": "env-new", "slug": "new"}
    refused(await daemon.call("POST", f"{ALL}/b/revert", json={"revision": 1}), 404, "not_found")
    refused(await daemon.call("POST", f"{ALL}/no/revert", json={"revision": 1}), 404, "not_found")
    assert (await read(daemon, "env-a"))["slug"] == "x"


@pytest.mark.parametrize(
    "body",
    ["{}", '{"revision": 0}', '{"revision": "1"}', '{"revision": 1, "x": 1}', '{"revision": true}',
     '{"revision": 1.5}', "[]", "null"],
)  # fmt: skip
async def test_over_http_a_body_that_names_no_revision_is_refused(
    daemon: Daemon, folders: Edited, body: str
) -> None:
    folders.write(A)
    await until_routes(daemon, "a.test")
    json_type = {"Content-Type": "application/json"}
    answer = await daemon.call("POST", f"{ALL}/a/revert", data=body, headers=json_type)
    refused(answer, 422, "invalid_record")


async def test_over_http_a_quarantined_record_is_mended(daemon: Daemon, folders: Edited) -> None:
    folders.write(A, B)
    await until_routes(daemon, "a.test", "b.test")
    folders.write({**A, "name": 7}, B)
    await until_problem(daemon, "invalid_record", "env-a")
    assert (await daemon.call("POST", f"{ALL}/a/revert", json={"revision": 1})).status == 200
    await until_fine(daemon)
    assert folders.stored()[0]["name"] == "a"
