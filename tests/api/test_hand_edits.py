"""The catalogue edited by hand: what the API and Traefik see of it, and what a write leaves."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.api.bodies import body, routed, stored
from tests.api.steps import ALL, create, read, refused, slugs, until_problem, until_routed
from tests.daemons import Daemon, eventually

# Line 4 of the file, and of this text line 3: the name is no text.
BROKEN = """{
      "slug":   "bad",  "environment_id": "env-bad",
      "name": 7, "note": "1\\u00e9"
    }"""


async def until_listed(daemon: Daemon, *expected: str) -> None:
    """Wait until the list is of these slugs."""

    async def shows() -> None:
        assert await slugs(daemon) == list(expected)

    await eventually(shows)


async def test_an_edit_in_place_becomes_visible(daemon: Daemon) -> None:
    daemon.folders.hand_write(stored("dev", **routed("dev.test")))
    await until_listed(daemon, "dev")
    await until_routed(daemon, "dev.test")
    daemon.folders.hand_write(stored("dev", **routed("other.test")))
    await until_routed(daemon, "other.test")
    assert (await read(daemon, "dev"))["metadata"]["router"]["hostnames"] == ["other.test"]


async def test_an_edit_by_rename_becomes_visible(daemon: Daemon) -> None:
    for host in ("first.test", "second.test"):
        record = stored("dev", **routed(host))
        new = daemon.folders.data / "environments.json~"
        new.write_text(json.dumps({"version": 1, "environments": [record]}))
        new.replace(daemon.folders.catalogue)
        await until_routed(daemon, host)


async def test_an_edit_through_a_link_becomes_visible_and_the_link_stays(daemon: Daemon) -> None:
    target = daemon.folders.projects / "real.json"
    daemon.folders.catalogue.rename(target)
    daemon.folders.catalogue.symlink_to(target)
    daemon.folders.hand_write(stored("dev", **routed("dev.test")))
    await until_routed(daemon, "dev.test")
    await create(daemon, "new")
    assert daemon.folders.catalogue.is_symlink()
    assert [record["slug"] for record in json.loads(target.read_text())["environments"]] == [
        "dev",
        "new",
    ]


async def test_a_bare_list_is_read_and_stays_one(daemon: Daemon) -> None:
    daemon.folders.catalogue.write_text(json.dumps([stored("dev")]))
    await until_listed(daemon, "dev")
    await create(daemon, "new")
    records = json.loads(daemon.folders.catalogue.read_text())
    assert [record["slug"] for record in records] == ["dev", "new"]


async def test_a_write_merges_with_an_edit_that_nobody_has_noticed_yet(daemon: Daemon) -> None:
    await create(daemon, "mine")
    daemon.folders.hand_write(*daemon.folders.stored(), stored("theirs"))
    await create(daemon, "also-mine")
    assert await slugs(daemon) == ["mine", "theirs", "also-mine"]


async def test_a_hand_made_record_gets_the_keys_that_it_lacks_and_only_those(
    daemon: Daemon,
) -> None:
    given = {**body("dev"), "lifecycle": {"state": "planned"}, "health": {"status": "unknown"}}
    daemon.folders.hand_write(given)
    await until_listed(daemon, "dev")

    def is_completed() -> dict[str, Any]:
        record = daemon.folders.stored()[0]
        assert len(record) > len(given)
        return record

    record = await eventually(is_completed)
    added = {"environment_id", "owner", "created_at", "updated_at"}
    assert set(record) - set(given) == added
    assert {key: record[key] for key in given} == given
    assert record["owner"]["name"] == "Ines Okafor"


async def test_a_missing_lifecycle_by_hand_does_not_darken_a_route(daemon: Daemon) -> None:
    good = stored("dev", **routed("dev.test"))
    daemon.folders.hand_write(good)
    await until_routed(daemon, "dev.test")
    del good["lifecycle"]
    daemon.folders.hand_write(good, stored("new", **routed("new.test")))
    await until_problem(daemon, "invalid_record", "env-dev")
    await until_routed(daemon, "dev.test", "new.test")


async def test_a_broken_record_is_reported_with_file_line_and_column(daemon: Daemon) -> None:
    daemon.folders.hand_write(stored("good", **routed("good.test")), BROKEN)
    problem = await until_problem(daemon, "invalid_record", "env-bad")
    lines = daemon.folders.catalogue.read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if '"name": 7' in text)
    places = {error["pointer"]: error for error in problem["errors"]}
    assert places["/name"]["file"] == "environments.json"
    assert (places["/name"]["line"], places["/name"]["column"]) == (line, 15)
    assert places["/note"]["line"] == line
    assert f"environments.json:{line}:15: /name" in problem["detail"]
    await until_routed(daemon, "good.test")


async def test_a_broken_records_raw_text_survives_writes(daemon: Daemon) -> None:
    daemon.folders.hand_write(stored("good"), BROKEN)
    await until_problem(daemon, "invalid_record", "env-bad")
    await create(daemon, "new")
    await daemon.call("PATCH", f"{ALL}/good", json={"name": "Patched"})
    await daemon.call("DELETE", f"{ALL}/new")
    assert BROKEN in daemon.folders.catalogue.read_text()
    assert [record["slug"] for record in daemon.folders.stored()] == ["good", "bad"]


async def test_a_broken_record_shows_its_last_good_and_its_fault(daemon: Daemon) -> None:
    good = stored("dev", name="Good", **routed("dev.test"))
    daemon.folders.hand_write(good)
    await until_listed(daemon, "dev")
    daemon.folders.hand_write({**good, "name": 7}, stored("new", **routed("new.test")))
    await until_routed(daemon, "dev.test", "new.test")
    shown = await read(daemon, "dev")
    assert shown["name"] == "Good"
    assert shown["fault"]["code"] == "invalid_record"
    assert shown["fault"]["errors"][0]["pointer"] == "/name"
    listed = (await daemon.call("GET", ALL)).value["environments"]
    assert [("fault" in environment) for environment in listed] == [True, False]


async def test_a_broken_record_is_not_patched(daemon: Daemon) -> None:
    daemon.folders.hand_write(stored("dev"))
    await until_listed(daemon, "dev")
    daemon.folders.hand_write(stored("dev", name=7))
    await until_problem(daemon, "invalid_record", "env-dev")
    answer = await daemon.call("PATCH", f"{ALL}/dev", json={"name": "x"})
    assert refused(answer, 409, "quarantined")["errors"][0]["pointer"] == "/name"


async def test_a_record_that_never_was_good_is_409_and_keeps_its_names(daemon: Daemon) -> None:
    daemon.folders.hand_write(BROKEN)
    await until_problem(daemon, "invalid_record", "env-bad")
    refused(await daemon.call("GET", f"{ALL}/bad"), 409, "quarantined")
    refused(await daemon.call("POST", ALL, json=body("bad")), 409, "slug_taken")


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"environment_id": "env-other"}, "slug_taken"), ({"slug": "other"}, "id_taken")],
)
async def test_of_two_with_one_name_the_incumbent_stays(
    daemon: Daemon, changes: dict[str, Any], code: str
) -> None:
    first = stored("dev", **routed("dev.test"))
    daemon.folders.hand_write(first)
    await until_listed(daemon, "dev")
    copied = {**stored("dev", **routed("copy.test")), **changes}
    daemon.folders.hand_write(copied, first)
    await until_problem(daemon, code, copied["environment_id"])
    await until_routed(daemon, "dev.test")
    await until_routed(daemon, "copy.test", gone=True)


async def test_writes_at_once_all_land(daemon: Daemon) -> None:
    made = await asyncio.gather(*(create(daemon, f"dev-{number}") for number in range(25)))
    assert len({environment["environment_id"] for environment in made}) == 25
    assert {record["slug"] for record in daemon.folders.stored()} == {e["slug"] for e in made}


async def test_of_two_that_want_one_slug_at_once_one_gets_it(daemon: Daemon) -> None:
    answers = await asyncio.gather(*(daemon.call("POST", ALL, json=body("dev")) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409, 409]


async def test_a_time_that_utc_cannot_hold_is_a_fault_of_its_record_alone(daemon: Daemon) -> None:
    health = {"status": "healthy", "checked_at": "0001-01-01T00:00:00+14:00"}
    daemon.folders.hand_write(stored("good", **routed("good.test")), stored("bad", health=health))
    await until_routed(daemon, "good.test", timeout_s=3)


async def test_a_loop_of_links_is_a_fault_of_its_record_alone(daemon: Daemon) -> None:
    (daemon.folders.certificates / "loop.crt").symlink_to("loop.crt")
    looping = routed("bad.test", tls={"cert_file": "loop.crt", "key_file": "loop.crt"})
    daemon.folders.hand_write(stored("good", **routed("good.test")), stored("bad", **looping))
    await until_routed(daemon, "good.test", timeout_s=3)
