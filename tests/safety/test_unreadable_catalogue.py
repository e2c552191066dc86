"""A catalogue that cannot be read as a whole: everything stays, and nothing is written over it."""

from __future__ import annotations

import json

import pytest

from registry.errors import CatalogueUnreadable
from tests.api.steps import ALL, read, refused, slugs, until_problem
from tests.conftest import StartDaemon
from tests.daemons import Daemon
from tests.safety.desk import Desk
from tests.safety.records import Edited, record, text_of
from tests.safety.steps import CONFIRM, until_fine, until_routes

ONE, TWO = record("one"), record("two", lifecycle={"state": "planned"})
_LIST = json.dumps([ONE])

# What stands in the file, and the line and column that are to be named.
FAULTS = {
    "no JSON": ('{"version": 1,\n "environments": [\n  {"slug": one}]}', (3, 12)),
    "a comma too many": ('{"version": 1,\n "environments": [{},\n]}', (2, 21)),
    "text after the end": ('{"environments": []}\n}', (2, 1)),
    "a key of the file twice": (f'{{"environments": [],\n "environments": {_LIST}}}', (2, 2)),
    "a later version": (f'{{"environments": {_LIST},\n "version": 2}}', (2, 13)),
    "a version that is a text": ('{"version": "1", "environments": []}', (1, 13)),
    "no list": ('{"environments": {}}', (1, 18)),
    "no environments": ('{"version": 1}', (1, 1)),
    "no catalogue": ("7", (1, 1)),
    "an empty file": ("", (1, 1)),
    "white space": ("\n \n", (3, 1)),
    "zeros that a crash left": ("\0" * 64, (1, 1)),
    "a number that is none": ('{"environments": [{"x": NaN}]}', (1, 19)),
}  # fmt: skip
WRITES = (
    ("POST", ALL, record("new")),
    ("PUT", f"{ALL}/one", ONE),
    ("PATCH", f"{ALL}/one", {"name": "x"}),
    ("DELETE", f"{ALL}/one", None),
    ("POST", f"{ALL}/env-one/revert", {"revision": 1}),
    ("POST", CONFIRM, {}),
)


@pytest.fixture(params=FAULTS)
def fault(request: pytest.FixtureRequest) -> tuple[str, tuple[int, int]]:
    """A text, and the place of its fault."""
    text, place = FAULTS[request.param]
    return text, place


@pytest.fixture
async def two(daemon: Daemon, folders: Edited) -> Daemon:
    """A daemon over two environments, one of them routed."""
    folders.write(ONE, TWO)
    await until_routes(daemon, "one.test")
    return daemon


async def test_health_names_the_line_and_column_and_the_routes_stay(
    two: Daemon, fault: tuple[str, tuple[int, int]]
) -> None:
    text, (line, column) = fault
    two.folders.save(text)
    problem = await until_problem(two, "catalogue_unreadable", None)
    assert problem["detail"].startswith(f"environments.json:{line}:{column}: ")
    await until_routes(two, "one.test")
    assert await slugs(two) == ["one", "two"]
    assert two.folders.buffer() == text


async def test_every_write_is_refused_and_the_text_stays(
    two: Daemon, fault: tuple[str, tuple[int, int]]
) -> None:
    text, place = fault
    two.folders.save(text)
    for method, path, body in WRITES:
        problem = refused(await two.call(method, path, json=body), 409, "catalogue_unreadable")
        assert (problem["source"], problem["line"], problem["column"]) == (
            "environments.json",
            *place,
        )
    assert two.folders.buffer() == text
    two.folders.write(ONE, TWO)
    assert (await two.call("POST", ALL, json=record("new"))).status == 201
    await until_routes(two, "one.test", "new.test")
    await until_fine(two)


@pytest.mark.parametrize("name", ["no JSON", "an empty file", "a later version"])
async def test_it_is_served_as_it_was_after_a_restart_too(
    start_daemon: StartDaemon, folders: Edited, name: str
) -> None:
    folders.write(ONE, TWO)
    first = await start_daemon()
    await until_routes(first, "one.test")
    await first.stop()
    folders.save(FAULTS[name][0])
    second = await start_daemon()
    await until_problem(second, "catalogue_unreadable", None)
    await until_routes(second, "one.test")
    assert (await read(second, "two"))["environment_id"] == "env-two"
    assert folders.buffer() == FAULTS[name][0]
    folders.write(ONE, {**TWO, "name": "mended"})
    await until_fine(second)
    assert (await read(second, "two"))["name"] == "mended"


async def test_a_vanished_file_is_no_empty_catalogue(two: Daemon) -> None:
    two.folders.catalogue.unlink()
    problem = await until_problem(two, "catalogue_unreadable", None)
    assert "gone" in problem["detail"]
    for method, path, body in WRITES:
        refused(await two.call(method, path, json=body), 409, "catalogue_unreadable")
    assert not two.folders.catalogue.exists()
    await until_routes(two, "one.test")


async def test_a_vanished_file_is_no_first_start_after_a_restart(
    start_daemon: StartDaemon, folders: Edited
) -> None:
    folders.write(ONE, TWO)
    first = await start_daemon()
    await until_routes(first, "one.test")
    await first.stop()
    folders.catalogue.unlink()
    second = await start_daemon()
    await until_problem(second, "catalogue_unreadable", None)
    await until_routes(second, "one.test")
    refused(await second.call("POST", ALL, json=record("new")), 409, "catalogue_unreadable")
    assert not folders.catalogue.exists()


async def test_bytes_that_are_not_utf_8_are_named_and_stay(two: Daemon) -> None:
    content = b'{"version": 1,\n "environments": [], "x": "\xff"}'
    two.folders.catalogue.write_bytes(content)
    problem = await until_problem(two, "catalogue_unreadable", None)
    assert problem["detail"].startswith("environments.json:2:28: ")
    refused(await two.call("POST", ALL, json=record("new")), 409, "catalogue_unreadable")
    assert two.folders.catalogue.read_bytes() == content


@pytest.mark.parametrize("text", [text_of(ONE, TWO), json.dumps([ONE, TWO], indent=1)])
async def test_no_beginning_of_a_file_is_ever_acted_upon(desk: Desk, text: str) -> None:
    store = await desk.holds(ONE, TWO)
    known = store.snapshot
    for length in range(len(text.rstrip())):
        desk.folders.catalogue.write_text(text[:length])
        with pytest.raises(CatalogueUnreadable):
            await store.load()
        assert store.snapshot is known
    desk.folders.catalogue.write_text(text)
    await store.load()
    assert desk.names() == {"one": "one", "two": "two"}
    assert store.trouble is None


async def test_the_histories_of_a_time_without_a_readable_file_say_nothing(desk: Desk) -> None:
    store = await desk.holds(ONE, TWO)
    desk.folders.save("{")
    with pytest.raises(CatalogueUnreadable):
        await store.load()
    await desk.found(ONE, TWO)
    assert [each.environment_id for each in await store.history.since(0)] == ["env-one", "env-two"]
