"""What is said of routing over HTTP: conditions, Traefiks, lists, and writes that wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.api.bodies import body, routed, stored
from tests.api.steps import ALL, create, metric, pointers, problems, refused, until_routed
from tests.conftest import StartDaemon
from tests.daemons import Daemon, Folders, eventually
from tests.fake_traefik import FakeTraefik, router

CONDITIONS = ("Valid", "Accepted", "Published", "Live")


@pytest.fixture
async def traefik() -> AsyncIterator[FakeTraefik]:
    """A fake Traefik that runs none of our documents."""
    async with FakeTraefik(digest=None).serving() as fake:
        yield fake


@pytest.fixture
async def watching(traefik: FakeTraefik, start_daemon: StartDaemon) -> Daemon:
    """A daemon that knows it, with user information that must not be shown."""
    return await start_daemon("--traefik-api", traefik.url.replace("//", "//ann:s3cret@"))


async def routing(daemon: Daemon, ref: str) -> dict[str, Any]:
    """The routing of an environment."""
    answer = await daemon.call("GET", f"{ALL}/{ref}/routing")
    assert answer.status == 200, answer.content
    return dict(answer.value)


async def until(daemon: Daemon, ref: str, *expected: str) -> dict[str, Any]:
    """The routing, once Live has this status and reason."""

    async def shows() -> dict[str, Any]:
        found = await routing(daemon, ref)
        live = found["conditions"]["Live"]
        assert (live["status"], live["reason"]) == expected, live
        return found

    shown: dict[str, Any] = await eventually(shows)
    return shown


async def follow(daemon: Daemon, traefik: FakeTraefik) -> None:
    """As a Traefik does: run what is published, once it is new; until cancelled."""
    while True:
        async with daemon.session.get("/api/health") as response:
            traefik.digest = (await response.json())["metrics"]["router"]["digest"]
        await asyncio.sleep(0.01)


@pytest.fixture
async def following(watching: Daemon, traefik: FakeTraefik) -> AsyncIterator[Daemon]:
    """The same daemon, whose Traefik runs what is published."""
    task = asyncio.create_task(follow(watching, traefik))
    yield watching
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_where_no_traefik_is_known_live_is_unknown(daemon: Daemon) -> None:
    await create(daemon, "dev", **routed())
    await until_routed(daemon, "dev.test")
    found = await until(daemon, "dev", "Unknown", "no_traefik_known")
    assert tuple(found["conditions"]) == CONDITIONS
    assert found["conditions"]["Published"]["status"] == "True"
    assert found["conditions"]["Published"]["digest"] == found["digest"]
    assert (found["slug"], found["traefiks"], found["neighbours"]) == ("dev", [], [])
    assert [route["host"] for route in found["routes"]] == ["dev.test"]
    assert found["fragment"]["http"]["services"].keys() == {found["environment_id"]}
    for condition in found["conditions"].values():
        assert condition.keys() == {"status", "reason", "message", "since", "digest"}
    assert (await daemon.call("GET", "/api/traefiks")).value == {"traefiks": []}


async def test_an_unknown_environment_has_no_routing(daemon: Daemon) -> None:
    refused(await daemon.call("GET", f"{ALL}/nobody/routing"), 404, "not_found")


async def test_a_record_that_never_was_good_has_conditions_too(
    daemon: Daemon, folders: Folders
) -> None:
    folders.hand_write(stored("broken", name=""))

    async def shows() -> None:
        found = await routing(daemon, "env-broken")
        conditions = found["conditions"]
        assert (conditions["Valid"]["status"], conditions["Valid"]["reason"]) == (
            "False", "invalid_record",
        )  # fmt: skip
        assert conditions["Published"]["reason"] == "no_good_version"
        assert (found["environment_id"], found["routes"], found["fragment"]) == (None, [], None)

    await eventually(shows)


async def test_what_a_traefik_runs_is_seen(watching: Daemon, traefik: FakeTraefik) -> None:
    await create(watching, "dev", **routed())
    await until(watching, "dev", "False", "not_fetched")
    traefik.digest = "f" * 16
    await until(watching, "dev", "Unknown", "unknown_digest")
    traefik.digest = (await routing(watching, "dev"))["digest"]
    found = await until(watching, "dev", "True", "live")
    assert [each["traefik"] for each in found["traefiks"]] == [traefik.url]
    assert await metric(watching, "routebook_live", traefik=traefik.url) == 1


async def test_a_publication_makes_it_look_eagerly(watching: Daemon, traefik: FakeTraefik) -> None:
    await create(watching, "dev", **routed())
    found = await until(watching, "dev", "False", "not_fetched")
    marker = f"http/middlewares/routebook-{found['digest']}@http"

    async def asked_often() -> None:
        assert traefik.requests.count(marker) >= 10, "a rare look would ask once in 5 seconds"

    await eventually(asked_often)


async def test_user_information_is_sent_and_shown_nowhere(
    watching: Daemon, traefik: FakeTraefik, capfd: pytest.CaptureFixture[str]
) -> None:
    made = await create(watching, "dev", **routed())
    await until(watching, "dev", "False", "not_fetched")
    traefik.instead["version"] = 500
    await until(watching, "dev", "Unknown", "traefik_unreachable")
    paths = (f"{ALL}/dev/routing", "/api/traefiks", "/api/health", "/metrics", ALL)
    shown = [(await watching.call("GET", path)).content.decode() for path in paths]
    shown.append(str(await watching.call("DELETE", f"{ALL}/{made['slug']}?wait=0")))
    said = capfd.readouterr()
    assert traefik.authorizations == {"Basic YW5uOnMzY3JldA=="}
    for text in (*shown, said.out, said.err):
        assert "s3cret" not in text
        assert "YW5uOnMzY3JldA" not in text


async def test_one_api_that_is_named_twice_is_one_traefik(
    traefik: FakeTraefik, start_daemon: StartDaemon
) -> None:
    daemon = await start_daemon("--traefik-api", f"{traefik.url},{traefik.url}/")
    answer = await daemon.call("GET", "/api/traefiks")
    assert [each["traefik"] for each in answer.value["traefiks"]] == [traefik.url]


async def test_a_traefik_is_shown_with_what_was_seen_of_it(
    watching: Daemon, traefik: FakeTraefik
) -> None:
    made = await create(watching, "dev", **routed())
    traefik.routers = [
        router(status="disabled", service=made["environment_id"], error=["no such thing"]),
        router("theirs@file", rule='Host("dev.test")'),
    ]
    traefik.certificates = [{"certFingerprint": "ab", "sans": ["a.test"], "status": "enabled"}]

    async def shows() -> dict[str, Any]:
        [shown] = (await watching.call("GET", "/api/traefiks")).value["traefiks"]
        assert shown["routers_at_fault"], shown
        return dict(shown)

    shown = await eventually(shows)
    assert (shown["reached"], shown["problem"], shown["version"]) == (True, None, "3.7.15")
    assert (shown["live_digest"], shown["refused_since"]) == (None, None)
    assert [each["errors"] for each in shown["routers_at_fault"]] == [["no such thing"]]
    assert [each["router"] for each in shown["neighbours"]] == ["theirs@file"]
    assert [each["fingerprint"] for each in shown["certificates"]] == ["ab"]
    assert [each["name"] for each in shown["entrypoints"]] == ["web"]
    assert (shown["services_at_fault"], shown["survey_problem"]) == ([], None)
    assert "router_disabled" in {each["code"] for each in await problems(watching)}


async def test_a_traefik_that_is_away_is_a_fact_and_no_problem(start_daemon: StartDaemon) -> None:
    daemon = await start_daemon("--traefik-api", "http://127.0.0.1:1")
    await create(daemon, "dev", **routed())
    await until(daemon, "dev", "Unknown", "traefik_unreachable")
    health = (await daemon.call("GET", "/api/health")).value
    assert (health["status"], health["problems"]) == ("ok", [])
    assert health["metrics"]["router"]["live"] == {"http://127.0.0.1:1": None}
    [traefik] = health["metrics"]["router"]["traefiks"]
    assert traefik["reached"] is False


async def test_lists_have_it_in_short_and_what_they_gave_can_be_put(daemon: Daemon) -> None:
    made = await create(daemon, "dev", **routed())
    await until_routed(daemon, "dev.test")
    [listed] = (await daemon.call("GET", ALL)).value["environments"]
    assert listed["routing"] == {
        "valid": True,
        "accepted": True,
        "published": True,
        "live": None,
        "reason": "no_traefik_known",
        "message": listed["routing"]["message"],
    }
    put = await daemon.call("PUT", f"{ALL}/dev", json={**listed, "name": "Another"})
    assert put.status == 200, put.content
    assert "routing" not in put.value
    assert "routing" not in (await daemon.call("GET", f"{ALL}/{made['environment_id']}")).value
    waited = await daemon.call("PUT", f"{ALL}/dev?wait=0", json=put.value)
    assert (await daemon.call("PUT", f"{ALL}/dev", json=waited.value)).status == 200


async def test_a_write_that_waits_answers_when_it_is_served(following: Daemon) -> None:
    made = await following.call("POST", f"{ALL}?wait=30", json=body("dev", **routed()))
    assert (made.status, made.value["routing"]["live"]) == (201, True)
    assert made.headers["ETag"]
    assert [each["reason"] for each in made.value["routing"]["traefiks"]] == ["live"]

    retired = await following.call(
        "PATCH", f"{ALL}/dev?wait=30", json={"lifecycle": {"state": "retired"}}
    )
    assert (retired.value["routing"]["live"], retired.value["routing"]["reason"]) == (
        False, "lifecycle_state",
    )  # fmt: skip
    gone = await following.call("DELETE", f"{ALL}/dev?wait=30")
    assert (gone.status, gone.headers["Routebook-Withdrawn"], gone.content) == (204, "true", b"")


async def test_a_write_that_waited_in_vain_is_made_and_says_why(watching: Daemon) -> None:
    made = await watching.call("POST", f"{ALL}?wait=0.2", json=body("dev", **routed()))
    assert (made.status, made.value["routing"]["live"]) == (201, False)
    assert made.value["routing"]["reason"] == "not_fetched"
    assert (await routing(watching, "dev"))["slug"] == "dev"


async def test_a_deletion_that_nobody_saw_is_not_said_to_be_withdrawn(
    following: Daemon, traefik: FakeTraefik
) -> None:
    await following.call("POST", f"{ALL}?wait=30", json=body("dev", **routed()))
    traefik.instead["version"] = 500
    gone = await following.call("DELETE", f"{ALL}/dev?wait=0")
    assert (gone.status, gone.headers["Routebook-Withdrawn"]) == (204, "false")


async def test_without_a_known_traefik_a_write_does_not_wait_and_nothing_is_live(
    daemon: Daemon,
) -> None:
    async with asyncio.timeout(20):
        made = await daemon.call("POST", f"{ALL}?wait=30", json=body("dev", **routed()))
        assert made.status == 201
        assert made.value["routing"]["live"] is False
        assert made.value["routing"]["reason"] == "no_traefik_known"

        planned = body("planned")
        batch = await daemon.call(
            "POST", f"{ALL}:apply?wait=30", json={"environments": [body("dev", **routed())]}
        )
        assert batch.value["routing"]["live"] is False
        assert batch.value["routing"]["reason"] == "no_traefik_known"
        batch = await daemon.call("POST", f"{ALL}:apply?wait=30", json={"environments": [planned]})
        assert (batch.status, batch.value["routing"]["live"]) == (200, False)

        batch = await daemon.call("POST", f"{ALL}:apply?wait=30", json={"environments": []})
        assert (batch.status, batch.value["routing"]["live"]) == (200, False)

        gone = await daemon.call("DELETE", f"{ALL}/dev?wait=30")
        assert (gone.status, gone.headers["Routebook-Withdrawn"]) == (204, "false")


async def test_a_batch_that_waits_names_what_is_not_live(following: Daemon) -> None:
    records = [body("dev", **routed()), body("planned")]
    batch = await following.call("POST", f"{ALL}:apply?wait=30", json={"environments": records})
    assert batch.status == 200, batch.content
    assert (batch.value["routing"]["live"], batch.value["routing"]["not_live"]) == (True, [])


@pytest.mark.parametrize("wait", ["31", "-1", "nan", "inf", "soon", "", "1e9"])
async def test_a_wait_out_of_bounds_is_refused_before_anything_is_written(
    wait: str, daemon: Daemon
) -> None:
    answer = await daemon.call("POST", f"{ALL}?wait={wait}", json=body("dev"))
    assert pointers(refused(answer, 422, "invalid_record")) == ["/wait"]
    assert (await daemon.call("GET", f"{ALL}/dev")).status == 404


async def test_a_dry_run_does_not_wait(watching: Daemon) -> None:
    async with asyncio.timeout(20):
        answer = await watching.call(
            "POST", f"{ALL}?wait=30&dry_run=true", json=body("dev", **routed())
        )
    assert answer.status == 200
    assert "routing" not in answer.value
    assert (await watching.call("GET", f"{ALL}/dev")).status == 404


async def test_a_write_that_waits_gets_its_answer_when_the_daemon_stops(watching: Daemon) -> None:
    writing = asyncio.create_task(
        watching.call("POST", f"{ALL}?wait=30", json=body("dev", **routed()))
    )
    await until_routed(watching, "dev.test")
    await watching.stop()
    made = await writing
    assert (made.status, made.value["routing"]["live"]) == (201, False)
