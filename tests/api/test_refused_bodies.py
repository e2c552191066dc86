"""Bodies that break a rule: 422 with the pointer of each fault, and nothing stored."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.bodies import body, routed
from tests.api.steps import ALL, create, pointers, refused
from tests.daemons import Daemon

UPSTREAM = {"service_url": "http://127.0.0.1:9001"}


def router(**section: Any) -> dict[str, Any]:
    """The change that adds this router section."""
    return {"metadata": {"router": section}}


REFUSED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a slug in capitals": ({"slug": "Dev", "environment_id": "dev"}, ["/slug"]),
    "a slug that ends with '-'": ({"slug": "dev-", "environment_id": "dev"}, ["/slug"]),
    "a slug with a newline": ({"slug": "dev\n", "environment_id": "dev"}, ["/slug"]),
    "a slug that is a number": ({"slug": 7, "environment_id": "dev"}, ["/slug"]),
    "a name that is blank": ({"name": " \t"}, ["/name"]),
    "a name that is too long": ({"name": "x" * 2001}, ["/name"]),
    "an id with a slash": ({"environment_id": "a/b"}, ["/environment_id"]),
    "no project": ({"project_id": None}, ["/project_id"]),
    "a project that is a number": ({"project_id": 7}, ["/project_id"]),
    "no host name": ({"host": {"provider": "compose"}}, ["/host/hostname"]),
    "a host with a port": ({"host": {"hostname": "a.test:80"}}, ["/host/hostname"]),
    "a host that is no address": ({"host": {"hostname": "a.test", "ip": "1.2.3"}}, ["/host/ip"]),
    "an owner without a name": ({"owner": {"email": "a@b.test"}}, ["/owner/name"]),
    "an unknown state": ({"lifecycle": {"state": "gone"}}, ["/lifecycle/state"]),
    "an unknown health": ({"health": {"status": "fine"}}, ["/health/status"]),
    "a health URL with a user": (
        {"health": {"status": "healthy", "url": "http://me:secret@a.test"}},
        ["/health/url"],
    ),
    "a time without its offset": (
        {"health": {"status": "healthy", "checked_at": "2026-01-05T09:00:00"}},
        ["/health/checked_at"],
    ),
    "a port of 0": ({"ports": [{"name": "web", "port": 0}]}, ["/ports/0/port"]),
    "a port that is text": ({"ports": [{"name": "web", "port": "80"}]}, ["/ports/0/port"]),
    "two ports of one name": (
        {"ports": [{"name": "web", "port": 80}, {"name": "web", "port": 81}]},
        ["/ports/1/name"],
    ),
    "too many ports": (
        {"ports": [{"name": f"p{number}", "port": number} for number in range(1, 102)]},
        ["/ports"],
    ),
    "an unknown key": ({"colour": "red"}, ["/colour"]),
    "an unknown key inside": ({"host": {"hostname": "a.test", "a/b~c": 1}}, ["/host/a~1b~0c"]),
    "metadata that is a list": ({"metadata": []}, ["/metadata"]),
    "metadata that is too large": ({"metadata": {"x": "y" * 65536}}, ["/metadata"]),
    "several faults": (
        {"name": "", "lifecycle": {"state": "gone"}, "colour": "red"},
        ["/name", "/lifecycle/state", "/colour"],
    ),
    "a router without an upstream": (router(), ["/metadata/router/service_url"]),
    "an unknown key in the router": (router(**UPSTREAM, colour=1), ["/metadata/router/colour"]),
    "an upstream without a scheme": (
        router(service_url="127.0.0.1:9001"),
        ["/metadata/router/service_url"],
    ),
    "an upstream with a query": (
        router(server_urls=["http://a.test", "http://a.test/?x=1"]),
        ["/metadata/router/server_urls/1"],
    ),
    "differing base paths": (
        router(server_urls=["http://a.test/x", "http://b.test/y"]),
        ["/metadata/router/server_urls/1"],
    ),
    "a port that no port is named": (router(port="web"), ["/metadata/router/port"]),
    "a host name that catches all": (
        router(**UPSTREAM, hostnames=["a.test", "*"]),
        ["/metadata/router/hostnames/1"],
    ),
    "a path prefix without a slash": (
        router(**UPSTREAM, path_prefix="app"),
        ["/metadata/router/path_prefix"],
    ),
    "Traefik's own entrypoint": (
        router(**UPSTREAM, entrypoints=["traefik"]),
        ["/metadata/router/entrypoints/0"],
    ),
    "a middleware of our own provider": (
        router(**UPSTREAM, middlewares=["a@file", "b@http"]),
        ["/metadata/router/middlewares/1"],
    ),
    "a certificate without its key": (
        router(**UPSTREAM, tls={"cert_file": "a.crt"}),
        ["/metadata/router/tls/key_file"],
    ),
    "a certificate file outside the folder": (
        router(**UPSTREAM, tls={"cert_file": "../a.crt", "key_file": "/etc/a.key"}),
        ["/metadata/router/tls/cert_file", "/metadata/router/tls/key_file"],
    ),
}


@pytest.mark.parametrize(("changes", "places"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_breaks_a_rule_is_refused_with_its_pointers(
    daemon: Daemon, changes: dict[str, Any], places: list[str]
) -> None:
    answer = await daemon.call("POST", ALL, json={**body(), **changes})
    problem = refused(answer, 422, "invalid_record")
    assert pointers(problem) == places
    assert all(error["message"] for error in problem["errors"])
    assert daemon.folders.stored() == []


@pytest.mark.parametrize("value", [[], "text", 7, True])
async def test_a_body_that_is_no_object_is_refused(daemon: Daemon, value: Any) -> None:
    refused(await daemon.call("POST", ALL, json=value), 422, "invalid_record")


@pytest.mark.parametrize("missing", ["slug", "name", "host"])
async def test_a_required_key_that_is_missing_is_refused(daemon: Daemon, missing: str) -> None:
    given = body(environment_id="dev")
    del given[missing]
    answer = await daemon.call("POST", ALL, json=given)
    assert pointers(refused(answer, 422, "invalid_record")) == [f"/{missing}"]


async def test_an_unknown_project_is_refused_with_near_names(daemon: Daemon) -> None:
    answer = await daemon.call("POST", ALL, json=body(project_id="nightshfit"))
    problem = refused(answer, 422, "unknown_project")
    assert pointers(problem) == ["/project_id"]
    assert problem["near"] == ["nightshift"]
    assert "did you mean nightshift?" in problem["detail"]


@pytest.mark.parametrize("project_id", ["../nightshift", "..", "", "a\0", "NIGHTSHIFT"])
async def test_a_project_id_is_never_a_path(daemon: Daemon, project_id: str) -> None:
    answer = await daemon.call("POST", ALL, json=body(project_id=project_id))
    refused(answer, 422, "unknown_project")


async def test_a_broken_workspace_is_as_good_as_none(daemon: Daemon) -> None:
    (daemon.folders.projects / "storefront" / "project.json").write_text('{"id": "other"}')
    answer = await daemon.call("POST", ALL, json=body(project_id="storefront"))
    assert "storefront" in refused(answer, 422, "unknown_project")["detail"]


@pytest.mark.parametrize("slug", ["taken", "taken-id"], ids=["as a slug", "as an id"])
async def test_a_slug_that_is_taken_is_refused(daemon: Daemon, slug: str) -> None:
    await create(daemon, "taken", environment_id="taken-id")
    answer = await daemon.call("POST", ALL, json=body(slug))
    assert pointers(refused(answer, 409, "slug_taken")) == ["/slug"]


@pytest.mark.parametrize("taken", ["taken", "taken-id"], ids=["as a slug", "as an id"])
async def test_an_id_that_is_taken_is_refused(daemon: Daemon, taken: str) -> None:
    await create(daemon, "taken", environment_id="taken-id")
    answer = await daemon.call("POST", ALL, json=body("other", environment_id=taken))
    assert pointers(refused(answer, 409, "id_taken")) == ["/environment_id"]


async def test_a_refused_body_does_not_take_its_slug(daemon: Daemon) -> None:
    refused(await daemon.call("POST", ALL, json=body(name="")), 422, "invalid_record")
    assert (await create(daemon, **routed()))["slug"] == "nightshift-dev"


@pytest.mark.parametrize("value", [{}, [], 0, "", False])
async def test_a_changed_at_that_is_no_time_is_refused(daemon: Daemon, value: Any) -> None:
    lifecycle = {"state": "planned", "changed_at": value}
    answer = await daemon.call("POST", ALL, json=body(lifecycle=lifecycle))
    assert pointers(refused(answer, 422, "invalid_record")) == ["/lifecycle/changed_at"]


@pytest.mark.parametrize("zone", ["eth0", 'a b"', "\x7f", "\U0001f680"])
async def test_an_address_with_a_zone_is_no_host_name(daemon: Daemon, zone: str) -> None:
    changes = routed(f"2001:db8::7%{zone}")
    answer = await daemon.call("POST", ALL, json=body(**changes))
    assert pointers(refused(answer, 422, "invalid_record")) == ["/metadata/router/hostnames/0"]
