"""The history: every change with its time, actor, source and values, newest first for a record."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence

import pytest

from registry.errors import NotFound, RegistryError, SlugTaken
from registry.revisions import Author, Revision
from tests.api.steps import ALL, pointers, refused, until_problem
from tests.daemons import Daemon
from tests.safety.desk import ANN, Desk
from tests.safety.records import Edited, record, several
from tests.safety.steps import HISTORY, until_routes

A, B = record("a"), record("b")
BOB = Author("bob@nightshift.test", "api")


def told(revisions: list[Revision]) -> list[tuple[str, str, str]]:
    """What the revisions say: action, source and actor."""
    return [(each.action, each.author.source, each.author.actor) for each in revisions]


async def test_each_way_of_changing_is_told_newest_first(desk: Desk) -> None:
    store = await desk.holds(A)
    desk.folders.edit("a", name="by hand")
    await store.load()
    await store.patch("a", {"name": "by api"}, by=ANN)
    await store.revert("a", 2, by=BOB)
    await store.delete("a", by=ANN)
    await desk.stop()
    desk.folders.write({**A, "name": "while nobody looked"})
    desk.passes(hours=1)
    store = await desk.start()
    assert told(await store.revisions("env-a")) == [
        ("created", "found", "file"),
        ("deleted", "api", "ann@nightshift.test"),
        ("updated", "revert", "bob@nightshift.test"),
        ("updated", "api", "ann@nightshift.test"),
        ("updated", "hand edit", "file"),
        ("created", "found", "file"),
    ]


async def test_the_changes_are_named_by_pointer_with_before_and_after(desk: Desk) -> None:
    store = await desk.holds(record("a", metadata={"odd/~key": 1, "old": [1, 2]}))
    patch = {"name": "x", "host": {"notes": "y"}, "metadata": {"odd/~key": 2, "old": None, "n": {}}}
    await store.patch("a", patch, by=ANN)
    newest, *_ = await store.revisions("a")
    changes = {each.pop("pointer"): each for each in newest.view()["changes"]}
    assert changes.pop("/updated_at")
    assert changes == {
        "/name": {"before": "a", "after": "x"},
        "/host/notes": {"before": None, "after": "y"},
        "/metadata/odd~1~0key": {"before": 1, "after": 2},
        "/metadata/old": {"before": [1, 2]},
        "/metadata/n": {"after": {}},
    }


async def test_a_creation_has_only_after_and_a_deletion_only_before(desk: Desk) -> None:
    store = await desk.holds()
    await store.create(A, by=ANN)
    await store.delete("a", by=ANN)
    deletion, creation = (each.view()["changes"] for each in await store.revisions("env-a"))
    assert {"pointer": "/slug", "after": "a"} in creation
    assert {"pointer": "/slug", "before": "a"} in deletion
    assert not any("before" in each for each in creation)
    assert not any("after" in each for each in deletion)


async def test_a_deleted_record_has_its_history_by_its_id_alone(desk: Desk) -> None:
    store = await desk.holds(A, B)
    await store.delete("a", by=ANN)
    assert len(await store.revisions("env-a")) == 2
    for unknown in ("a", "env-never"):
        with pytest.raises(NotFound):
            await store.revisions(unknown)


async def test_a_slug_that_is_used_again_has_the_history_of_its_new_record(desk: Desk) -> None:
    store = await desk.holds(A)
    await store.patch("a", {"name": "x"}, by=ANN)
    await store.delete("a", by=ANN)
    await store.create(record("other", slug="a"), by=BOB)
    assert told(await store.revisions("a")) == [("created", "api", "bob@nightshift.test")]
    assert len(await store.revisions("env-a")) == 3


async def test_what_changes_nothing_and_what_is_refused_is_in_no_history(desk: Desk) -> None:
    store = await desk.holds(A, B)
    before = await store.history.since(0)
    await store.patch("a", {"name": "a"}, by=ANN)
    for body in ({"slug": "b"}, {"name": 7}, {"project_id": "nowhere"}):
        with pytest.raises(RegistryError):
            await store.patch("a", body, by=ANN)
    with pytest.raises(SlugTaken):
        await store.create(record("new", slug="a"), by=ANN)
    await desk.found("  " + desk.folders.buffer().split("\n")[1].rstrip(","), B)
    assert await store.history.since(0) == before


async def test_writes_that_share_a_commit_have_a_revision_each(desk: Desk) -> None:
    store = await desk.holds()
    await asyncio.gather(*(store.create(each, by=ANN) for each in several(20)))
    revisions = await store.history.since(0)
    assert [each.revision for each in revisions] == list(range(1, 21))
    assert {each.environment_id for each in revisions} == {
        each["environment_id"] for each in several(20)
    }


async def test_whoever_wants_to_know_is_told_of_each_change_once_it_is_appended(
    desk: Desk,
) -> None:
    await desk.holds(record("a"))
    heard: list[list[str]] = []

    def tell(revisions: Sequence[Revision]) -> None:
        lines = (desk.folders.data / "state" / "history.jsonl").read_bytes().splitlines()
        assert json.loads(lines[-1])["revision"] == revisions[-1].revision
        heard.append([f"{each.environment_id} {each.author.source}" for each in revisions])

    desk.store.history.appended = tell
    await desk.store.patch("a", {"name": "new"}, by=ANN)
    [stored] = desk.folders.stored()
    await desk.found(stored, record("b"), record("c"))
    assert heard == [["env-a api"], ["env-b hand edit", "env-c hand edit"]]


async def test_a_broken_record_changes_the_history_when_it_is_mended_or_gone(desk: Desk) -> None:
    store = await desk.holds(A, B)
    await desk.found({**A, "name": 7}, {**B, "name": 7})
    assert len(await store.history.since(0)) == 2
    await store.replace("a", {**A, "name": "mended"}, by=ANN)
    await store.delete("b", by=ANN)
    assert told(await store.history.since(2)) == [
        ("updated", "api", "ann@nightshift.test"),
        ("deleted", "api", "ann@nightshift.test"),
    ]


async def test_over_http_a_record_and_the_whole_have_their_histories(
    daemon: Daemon, folders: Edited
) -> None:
    folders.write(A)
    await until_routes(daemon, "a.test")
    await daemon.call("PATCH", f"{ALL}/a", json={"name": "second"})
    answer = await daemon.call("GET", f"{ALL}/a/history")
    newest, oldest = answer.value["history"]
    assert (newest["revision"], newest["actor"], newest["source"]) == (2, "local", "api")
    assert (oldest["revision"], oldest["actor"], oldest["source"]) == (1, "file", "hand edit")
    assert (newest["action"], oldest["action"]) == ("updated", "created")
    assert {"pointer": "/name", "before": "a", "after": "second"} in newest["changes"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", newest["at"])
    whole = await daemon.call("GET", HISTORY)
    assert whole.value == {"history": [oldest, newest], "next": None}


async def test_the_whole_is_read_in_pages_after_a_revision(daemon: Daemon) -> None:
    for each in several(7):
        assert (await daemon.call("POST", ALL, json=each)).status == 201
    since, seen = 0, []
    while since is not None:
        page = (await daemon.call("GET", f"{HISTORY}?since={since}&limit=3")).value
        seen.append([each["revision"] for each in page["history"]])
        since = page["next"]
    assert seen == [[1, 2, 3], [4, 5, 6], [7]]
    assert (await daemon.call("GET", f"{HISTORY}?since=7")).value["history"] == []
    assert (await daemon.call("GET", f"{HISTORY}?since=99999")).value["history"] == []
    for query in ("since=-1", "since=x", "limit=0", "limit=1001", "until=3"):
        problem = refused(await daemon.call("GET", f"{HISTORY}?{query}"), 422, "invalid_record")
        assert pointers(problem) == ["/" + query.partition("=")[0]]


async def test_over_http_what_nobody_knows_has_no_history(daemon: Daemon, folders: Edited) -> None:
    refused(await daemon.call("GET", f"{ALL}/never/history"), 404, "not_found")
    folders.write(record("bad", name=7))
    await until_problem(daemon, "invalid_record", "env-bad")
    assert (await daemon.call("GET", f"{ALL}/env-bad/history")).value == {"history": []}
