"""What the API refuses for the catalogue's sake: routes, upstreams and files of others."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.bodies import body, routed, stored
from tests.api.steps import ALL, create, pointers, refused, until_problem, until_routed
from tests.conftest import StartDaemon
from tests.daemons import Daemon

OLDER, OLDEST = "2025-02-01T00:00:00Z", "2025-01-01T00:00:00Z"


async def test_a_route_of_another_is_refused_with_its_holder(daemon: Daemon) -> None:
    holder = await create(daemon, "holder", **routed("shop.test"))
    answer = await daemon.call("POST", ALL, json=body("late", **routed("own.test", "Shop.Test.")))
    problem = refused(answer, 409, "route_conflict")
    assert problem["holder"] == {"environment_id": holder["environment_id"], "slug": "holder"}
    assert pointers(problem) == ["/metadata/router/hostnames"]
    assert "shop.test/ on websecure" in problem["detail"]
    assert len(daemon.folders.stored()) == 1


@pytest.mark.parametrize(
    "other",
    [
        routed("shop.test", path_prefix="/api"),
        routed("shop.test", entrypoints=["web"]),
        routed("*.shop.test"),
        routed("www.shop.test"),
        routed("shop.test", state="planned"),
        routed("shop.test", state="retired"),
    ],
    ids=["path", "entrypoint", "wildcard", "host", "planned", "retired"],
)
async def test_what_differs_from_a_route_of_another_is_taken(
    daemon: Daemon, other: dict[str, Any]
) -> None:
    await create(daemon, "holder", **routed("shop.test"))
    await create(daemon, "other", **other)


async def test_a_planned_environment_meets_the_conflict_when_it_becomes_active(
    daemon: Daemon,
) -> None:
    await create(daemon, "holder", **routed("shop.test"))
    await create(daemon, "late", **routed("shop.test", state="planned"))
    change = {"lifecycle": {"state": "active"}}
    refused(await daemon.call("PATCH", f"{ALL}/late", json=change), 409, "route_conflict")


async def test_age_does_not_help_a_write_that_adds_a_claim(daemon: Daemon) -> None:
    old = stored("old", created_at=OLDEST, **routed("old.test"))
    new = stored("new", created_at=OLDER, **routed("new.test"))
    daemon.folders.hand_write(old, new)
    await until_routed(daemon, "old.test", "new.test")
    change = {"metadata": {"router": {"hostnames": ["old.test", "new.test"]}}}
    refused(await daemon.call("PATCH", f"{ALL}/old", json=change), 409, "route_conflict")


async def test_a_claim_lost_before_does_not_block_other_changes(daemon: Daemon) -> None:
    daemon.folders.hand_write(
        stored("holder", created_at=OLDEST, **routed("shop.test")),
        stored("loser", created_at=OLDER, **routed("shop.test")),
    )
    await until_problem(daemon, "route_conflict", "env-loser")
    answer = await daemon.call("PATCH", f"{ALL}/loser", json={"name": "Patched"})
    assert (answer.status, answer.value["name"]) == (200, "Patched")
    change = {"metadata": {"router": {"hostnames": ["shop.test", "own.test"]}}}
    assert (await daemon.call("PATCH", f"{ALL}/loser", json=change)).status == 200
    await until_routed(daemon, "shop.test", "own.test")


async def test_the_holder_is_the_one_that_is_served(daemon: Daemon) -> None:
    daemon.folders.hand_write(
        stored("loser", created_at=OLDER, **routed("shop.test")),
        stored("holder", created_at=OLDEST, **routed("shop.test")),
    )
    await until_problem(daemon, "route_conflict", "env-loser")
    answer = await daemon.call("POST", ALL, json=body("late", **routed("shop.test")))
    assert refused(answer, 409, "route_conflict")["holder"]["slug"] == "holder"


async def test_a_route_is_free_when_its_holder_goes(daemon: Daemon) -> None:
    await create(daemon, "holder", **routed("shop.test"))
    await daemon.call("PATCH", f"{ALL}/holder", json={"lifecycle": {"state": "retired"}})
    await create(daemon, "next", **routed("shop.test"))


async def test_a_broken_records_last_good_keeps_its_routes(daemon: Daemon) -> None:
    good = stored("holder", **routed("shop.test"))
    daemon.folders.hand_write(good)
    await until_routed(daemon, "shop.test")
    daemon.folders.hand_write({**good, "name": 7})
    await until_problem(daemon, "invalid_record", "env-holder")
    answer = await daemon.call("POST", ALL, json=body("late", **routed("shop.test")))
    assert refused(answer, 409, "route_conflict")["holder"]["slug"] == "holder"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.9.9.9", "LOCALHOST", "[::1]", "0.0.0.0"]
)
async def test_our_own_listener_is_no_upstream(daemon: Daemon, host: str) -> None:
    url = f"http://{host}:{daemon.port}"
    answer = await daemon.call("POST", ALL, json=body(**routed("a.test", service_url=url)))
    assert pointers(refused(answer, 422, "forbidden_upstream")) == ["/metadata/router/service_url"]


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "0.0.0.0", "[::]"])
async def test_a_link_local_or_unspecified_address_is_no_upstream(
    daemon: Daemon, host: str
) -> None:
    urls = ["http://127.0.0.1:9001", f"http://{host}"]
    section = {"router": {"hostnames": ["a.test"], "server_urls": urls}}
    given = body(lifecycle={"state": "active"}, metadata=section)
    problem = refused(await daemon.call("POST", ALL, json=given), 422, "forbidden_upstream")
    assert pointers(problem) == ["/metadata/router/server_urls/1"]


async def test_a_named_port_may_not_lead_there_either(daemon: Daemon) -> None:
    section = {"router": {"hostnames": ["a.test"], "port": "meta"}}
    given = body(
        host={"hostname": "cloud.test", "ip": "169.254.169.254"},
        ports=[{"name": "meta", "port": 80}],
        lifecycle={"state": "active"},
        metadata=section,
    )
    problem = refused(await daemon.call("POST", ALL, json=given), 422, "forbidden_upstream")
    assert pointers(problem) == ["/ports/0"]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://localhost:8080", "https://traefik.test"]
)
async def test_the_api_of_a_known_traefik_is_no_upstream(
    start_daemon: StartDaemon, url: str
) -> None:
    daemon = await start_daemon("--traefik-api", "http://127.0.0.1:8080,https://Traefik.test")
    answer = await daemon.call("POST", ALL, json=body(**routed("a.test", service_url=url)))
    assert "Traefik" in refused(answer, 422, "forbidden_upstream")["detail"]
    await create(daemon, **routed("a.test", service_url="http://127.0.0.1:8081"))


async def test_a_forbidden_upstream_by_hand_is_left_out_alone(daemon: Daemon) -> None:
    daemon.folders.hand_write(
        stored("good", **routed("good.test")),
        stored("bad", **routed("bad.test", service_url=f"http://127.0.0.1:{daemon.port}")),
    )
    await until_problem(daemon, "forbidden_upstream", "env-bad")
    await until_routed(daemon, "good.test")
    await until_routed(daemon, "bad.test", gone=True)


def with_certificate(name: str) -> dict[str, Any]:
    """A body that names a certificate file of this name, and a key."""
    return body(**routed("a.test", tls={"cert_file": name, "key_file": "own.key"}))


@pytest.mark.parametrize("target", ["/etc/hostname", "../../environments.json", "nowhere/../../x"])
async def test_a_certificate_out_of_the_folder_through_a_link_is_refused(
    daemon: Daemon, target: str
) -> None:
    (daemon.folders.certificates / "link.crt").symlink_to(target)
    answer = await daemon.call("POST", ALL, json=with_certificate("link.crt"))
    problem = refused(answer, 422, "invalid_record")
    assert pointers(problem) == ["/metadata/router/tls"]
    assert "link.crt leads out of the certificate folder" in problem["detail"]


async def test_a_certificate_that_is_not_there_is_accepted_and_said(daemon: Daemon) -> None:
    created = (await daemon.call("POST", ALL, json=with_certificate("later.crt"))).value
    problem = await until_problem(daemon, "certificate_left_out", created["environment_id"])
    assert problem["detail"] == "later.crt is not there"
    assert "tls" not in await until_routed(daemon, "a.test")


async def test_a_certificate_that_links_to_itself_is_no_crash(daemon: Daemon) -> None:
    (daemon.folders.certificates / "loop.crt").symlink_to("loop.crt")
    answer = await daemon.call("POST", ALL, json=with_certificate("loop.crt"))
    assert answer.status in (201, 422), answer.content
