"""One broken record of a hand edit: it is left out alone, named, and served as it was last good."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.steps import ALL, problems, read, refused
from tests.conftest import StartDaemon
from tests.daemons import Daemon, eventually
from tests.safety.conftest import Log
from tests.safety.faults import BAD, GOOD, Kind, kinds
from tests.safety.records import Edited, record
from tests.safety.steps import until_fine, until_routes

# A text that names nothing may be any record's: what `test_lingering.py` is about.
NAMED = [each for each in kinds() if each.id != "no object"]


@pytest.fixture
async def both(daemon: Daemon, folders: Edited) -> Daemon:
    """A daemon that routes a good record, and one that is about to be bad."""
    folders.write(GOOD, BAD)
    await until_routes(daemon, "good.test", "bad.test")
    return daemon


async def breaks(daemon: Daemon, kind: Kind) -> dict[str, Any]:
    """Break the record by hand; the problem that health shows, under whatever name."""
    daemon.folders.save(kind.file)

    async def shows() -> dict[str, Any]:
        found = [each for each in await problems(daemon) if each["code"] == kind.code]
        assert found
        return found[0]

    return dict(await eventually(shows))


@pytest.mark.parametrize("kind", kinds())
async def test_health_names_the_file_line_column_and_pointer(both: Daemon, kind: Kind) -> None:
    problem = await breaks(both, kind)
    assert problem["environment"] == kind.environment
    error = next(each for each in problem["errors"] if each["pointer"] == kind.pointer)
    assert error["file"] == "environments.json"
    assert (error["line"], error["column"]) == kind.place
    line, column = kind.place
    assert f"environments.json:{line}:{column}: " in problem["detail"]
    assert kind.pointer in problem["detail"]
    assert error["message"] in problem["detail"]
    assert (await both.call("GET", "/api/health")).value["status"] == "degraded"


@pytest.mark.parametrize("kind", kinds())
async def test_the_log_names_the_file_line_and_column(both: Daemon, kind: Kind, log: Log) -> None:
    both.folders.save(kind.file)

    def says() -> None:
        line, column = kind.place
        told = [row for row in log.lines if f"environments.json:{line}:{column}: " in row]
        assert told, log.lines
        assert all("event=problem" in row and kind.code in row for row in told)

    await eventually(says)


@pytest.mark.parametrize("kind", kinds())
async def test_the_others_of_the_edit_are_published_and_its_last_good_stays(
    both: Daemon, kind: Kind
) -> None:
    both.folders.save(kind.file.replace('"good.test"', '"moved.test"'))
    await until_routes(both, "moved.test", "bad.test")
    shown = await read(both, "env-bad")
    assert shown["name"] == BAD["name"]
    assert shown["fault"]["code"] in (kind.code, "quarantined")
    assert "fault" not in await read(both, "env-good")


@pytest.mark.parametrize("kind", kinds())
async def test_its_last_good_outlives_a_restart(
    start_daemon: StartDaemon, folders: Edited, kind: Kind
) -> None:
    folders.write(GOOD, BAD)
    first = await start_daemon()
    await until_routes(first, "good.test", "bad.test")
    folders.save(kind.file)
    await first.call("POST", ALL, json=record("one"))
    await first.stop()
    second = await start_daemon()
    await second.call("POST", ALL, json=record("two"))
    await until_routes(second, "good.test", "bad.test", "one.test", "two.test")
    assert (await read(second, "env-bad"))["name"] == BAD["name"]
    assert kind.text in folders.buffer()


@pytest.mark.parametrize("kind", kinds())
async def test_what_was_broken_while_nobody_looked_is_served_as_it_was(
    start_daemon: StartDaemon, folders: Edited, kind: Kind
) -> None:
    folders.write(GOOD, BAD)
    first = await start_daemon()
    await until_routes(first, "good.test", "bad.test")
    await first.stop()
    folders.save(kind.file)
    second = await start_daemon()
    await second.call("POST", ALL, json=record("new"))
    await until_routes(second, "good.test", "bad.test", "new.test")
    assert (await read(second, "env-bad"))["name"] == BAD["name"]


@pytest.mark.parametrize("kind", kinds())
async def test_its_raw_text_survives_every_write_of_others(both: Daemon, kind: Kind) -> None:
    await breaks(both, kind)
    assert (await both.call("POST", ALL, json=record("new"))).status == 201
    assert (await both.call("PATCH", f"{ALL}/good", json={"name": "patched"})).status == 200
    assert (await both.call("PUT", f"{ALL}/new", json=record("new", name="put"))).status == 200
    assert (await both.call("DELETE", f"{ALL}/new")).status == 204
    assert kind.text in both.folders.buffer()


@pytest.mark.parametrize("kind", kinds())
async def test_a_patch_is_refused_as_quarantined(both: Daemon, kind: Kind) -> None:
    await breaks(both, kind)
    answer = await both.call("PATCH", f"{ALL}/env-bad", json={"name": "x"})
    problem = refused(answer, 409, "quarantined")
    assert "PUT" in problem["detail"]
    assert "DELETE" in problem["detail"]
    assert kind.text in both.folders.buffer()


@pytest.mark.parametrize("kind", NAMED)
async def test_a_put_mends_it(both: Daemon, kind: Kind) -> None:
    await breaks(both, kind)
    mended = record("bad", name="mended", host={"hostname": "mended.test"})
    answer = await both.call("PUT", f"{ALL}/env-bad", json=mended)
    assert answer.status == 200, answer.value
    await until_routes(both, "good.test", "mended.test")
    assert "fault" not in await read(both, "env-bad")
    assert [each["name"] for each in both.folders.stored()] == ["good", "mended"]
    assert kind.text not in both.folders.buffer()
    await until_fine(both)


@pytest.mark.parametrize("kind", NAMED)
async def test_a_delete_removes_it(both: Daemon, kind: Kind) -> None:
    await breaks(both, kind)
    assert (await both.call("DELETE", f"{ALL}/env-bad")).status == 204
    refused(await both.call("GET", f"{ALL}/env-bad"), 404, "not_found")
    assert both.folders.stored() == [GOOD]
    await until_fine(both)
    await until_routes(both, "good.test")


@pytest.mark.parametrize("kind", kinds())
async def test_mending_the_file_ends_it(both: Daemon, kind: Kind) -> None:
    await breaks(both, kind)
    both.folders.write(GOOD, {**BAD, "name": "mended by hand"})
    await until_fine(both)
    assert (await read(both, "bad"))["name"] == "mended by hand"
    await until_routes(both, "good.test", "bad.test")
