"""DELETE /api/environments/{ref}."""

from __future__ import annotations

from tests.api.bodies import routed, stored
from tests.api.steps import ALL, create, problems, refused, slugs, until_problem, until_routed
from tests.daemons import Daemon


async def test_an_environment_goes_by_its_slug_or_id(daemon: Daemon) -> None:
    await create(daemon, "a")
    created = await create(daemon, "b")
    for ref in ("a", created["environment_id"]):
        answer = await daemon.call("DELETE", f"{ALL}/{ref}")
        assert (answer.status, answer.content) == (204, b"")
        refused(await daemon.call("GET", f"{ALL}/{ref}"), 404, "not_found")
    assert daemon.folders.stored() == []


async def test_deleting_what_is_not_there_is_404(daemon: Daemon) -> None:
    refused(await daemon.call("DELETE", f"{ALL}/nobody"), 404, "not_found")


async def test_the_others_stay_as_they_are_written(daemon: Daemon) -> None:
    await create(daemon, "a")
    before = daemon.folders.catalogue.read_bytes()
    await create(daemon, "b")
    await daemon.call("DELETE", f"{ALL}/b")
    assert daemon.folders.catalogue.read_bytes() == before


async def test_its_routes_go_with_it(daemon: Daemon) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    await until_routed(daemon, "dev.test")
    await daemon.call("DELETE", f"{ALL}/dev")
    await until_routed(daemon, "dev.test", gone=True)


async def test_its_slug_and_id_are_free_again(daemon: Daemon) -> None:
    await create(daemon, "dev", environment_id="dev-id")
    await daemon.call("DELETE", f"{ALL}/dev")
    await create(daemon, "dev", environment_id="dev-id")


async def test_a_broken_record_is_deleted_too(daemon: Daemon) -> None:
    daemon.folders.hand_write(stored("good"), stored("bad", name=7))
    await until_problem(daemon, "invalid_record", "env-bad")
    assert (await daemon.call("DELETE", f"{ALL}/bad")).status == 204
    assert await problems(daemon) == []
    assert await slugs(daemon) == ["good"]
    assert [record["slug"] for record in daemon.folders.stored()] == ["good"]
