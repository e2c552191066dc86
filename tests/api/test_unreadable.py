"""A catalogue that cannot be read, that vanished, or that never was."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.bodies import body, routed, stored
from tests.api.steps import (
    ALL,
    create,
    document,
    problems,
    read,
    refused,
    slugs,
    until_problem,
    until_routed,
)
from tests.chaos.stores import save_by_rename
from tests.conftest import StartDaemon
from tests.daemons import Daemon, Folders, eventually

UNREADABLE = '{"version": 1,\n "environments": [\n  {"slug": "dev",}\n]}\n'


async def broken(daemon: Daemon, text: str = UNREADABLE) -> None:
    """Two environments in force, then a text that cannot be read."""
    daemon.folders.hand_write(stored("dev", **routed("dev.test")), stored("other"))
    await until_routed(daemon, "dev.test")
    save_by_rename(daemon.folders.catalogue, text)  # else it is read while it is empty, too
    await until_problem(daemon, "catalogue_unreadable", None)


async def is_ready(daemon: Daemon) -> None:
    """Asserts that a document is published."""
    assert (await daemon.call("GET", "/readyz")).status == 200


async def test_writes_are_refused_with_line_and_column(daemon: Daemon) -> None:
    await broken(daemon)
    for method, path, given in (
        ("POST", ALL, body("new")),
        ("PUT", f"{ALL}/dev", stored("dev")),
        ("PATCH", f"{ALL}/dev", {"name": "x"}),
        ("DELETE", f"{ALL}/dev", None),
    ):
        answer = await daemon.call(method, path, json=given)
        problem = refused(answer, 409, "catalogue_unreadable")
        assert (problem["source"], problem["line"]) == ("environments.json", 3)
        assert f"environments.json:3:{problem['column']}" in problem["detail"]
    assert daemon.folders.catalogue.read_text() == UNREADABLE


async def test_reads_go_on(daemon: Daemon) -> None:
    await broken(daemon)
    assert await slugs(daemon) == ["dev", "other"]
    assert (await read(daemon, "dev"))["slug"] == "dev"
    assert "dev.test" in str(await document(daemon))
    assert (await daemon.call("GET", "/readyz")).status == 200


async def test_health_says_so_and_counts_what_is_in_force(daemon: Daemon) -> None:
    await broken(daemon)
    answer = await daemon.call("GET", "/api/health")
    assert answer.value["status"] == "degraded"
    assert answer.value["metrics"]["environments"]["total"] == 2
    assert "environments.json:3:" in answer.value["problems"][0]["detail"]


async def test_mending_the_file_ends_it(daemon: Daemon) -> None:
    await broken(daemon)
    daemon.folders.hand_write(stored("dev", **routed("mended.test")))
    await until_routed(daemon, "mended.test")
    assert await problems(daemon) == []
    await create(daemon, "new")


@pytest.mark.parametrize(
    "text",
    ["", "{}", "7", '{"environments": {}}', '{"version": 2, "environments": []}', '{"version": 1}',
     '{"environments": [], "environments": []}', "[]]", '{"environments": [{]}'],
)  # fmt: skip
async def test_what_is_no_catalogue_is_never_an_empty_one(daemon: Daemon, text: str) -> None:
    await broken(daemon, text)
    refused(await daemon.call("POST", ALL, json=body("new")), 409, "catalogue_unreadable")
    assert daemon.folders.catalogue.read_text() == text
    assert await slugs(daemon) == ["dev", "other"]


async def test_bytes_that_are_not_utf_8_are_said_with_their_line(daemon: Daemon) -> None:
    await broken(daemon)
    daemon.folders.catalogue.write_bytes(b'{"version": 1,\n "x": "\xff", "environments": []}')
    answer = await daemon.call("POST", ALL, json=body("new"))
    problem = refused(answer, 409, "catalogue_unreadable")
    assert (problem["line"], problem["column"]) == (2, 8)


async def test_the_column_of_a_wrong_byte_counts_characters(daemon: Daemon) -> None:
    daemon.folders.catalogue.write_bytes('{"ü": "'.encode() + b'\xff"}')
    answer = await daemon.call("POST", ALL, json=body("new"))
    assert refused(answer, 409, "catalogue_unreadable")["column"] == 8


async def test_a_removed_file_is_no_empty_catalogue(daemon: Daemon) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    await until_routed(daemon, "dev.test")
    daemon.folders.catalogue.unlink()
    await until_problem(daemon, "catalogue_unreadable", None)
    answer = await daemon.call("POST", ALL, json=body("new"))
    assert "begin anew" in refused(answer, 409, "catalogue_unreadable")["detail"]
    assert not daemon.folders.catalogue.exists()
    assert await slugs(daemon) == ["dev"]
    assert "dev.test" in str(await document(daemon))


async def test_a_file_that_was_put_back_is_in_force_again(daemon: Daemon) -> None:
    await create(daemon, "dev")
    aside = daemon.folders.catalogue.rename(daemon.folders.data / "aside.json")
    await until_problem(daemon, "catalogue_unreadable", None)
    Path(aside).rename(daemon.folders.catalogue)
    await create(daemon, "new")
    assert await slugs(daemon) == ["dev", "new"]
    assert await problems(daemon) == []


async def test_a_first_start_without_a_catalogue_is_not_ready(
    folders: Folders, start_daemon: StartDaemon
) -> None:
    folders.catalogue.unlink()
    daemon = await start_daemon()
    refused(await daemon.call("GET", "/readyz"), 503, "not_ready")
    refused(await daemon.call("GET", "/traefik/config"), 503, "not_ready")
    assert (await daemon.call("GET", "/healthz")).status == 200
    assert (await daemon.call("GET", "/api/health")).value["status"] == "not_ready"
    assert await slugs(daemon) == []
    assert not folders.catalogue.exists()


async def test_the_first_post_founds_the_catalogue(
    folders: Folders, start_daemon: StartDaemon
) -> None:
    folders.catalogue.unlink()
    daemon = await start_daemon()
    await create(daemon, "dev", **routed("dev.test"))
    assert folders.catalogue.read_text().startswith(
        '{\n  "version": 1,\n  "environments": [\n    {'
    )
    await eventually(lambda: is_ready(daemon))
    await until_routed(daemon, "dev.test")


async def test_init_makes_an_empty_catalogue(folders: Folders, start_daemon: StartDaemon) -> None:
    folders.catalogue.unlink()
    daemon = await start_daemon("--init")
    assert (await daemon.call("GET", "/readyz")).status == 200
    assert folders.stored() == []


async def test_a_start_over_an_unreadable_catalogue_without_a_kept_document_is_not_ready(
    folders: Folders, start_daemon: StartDaemon
) -> None:
    folders.catalogue.write_text(UNREADABLE)
    daemon = await start_daemon()
    refused(await daemon.call("GET", "/traefik/config"), 503, "not_ready")
    refused(await daemon.call("GET", ALL), 503, "not_ready")
    refused(await daemon.call("POST", ALL, json=body()), 409, "catalogue_unreadable")
    folders.hand_write(stored("dev", **routed("dev.test")))
    await eventually(lambda: is_ready(daemon))
