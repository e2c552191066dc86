"""`GET /api/routes`: what is routed, and what was lost to others."""

from __future__ import annotations

import json

from tests.api.bodies import routed, stored
from tests.api.steps import create, refused, until_problem, until_routed
from tests.daemons import Daemon


async def test_each_route_has_its_environment(daemon: Daemon) -> None:
    made = await create(
        daemon, "dev", **routed("b.test", "*.a.test", entrypoints=["web", "websecure"])
    )
    await until_routed(daemon, "b.test")
    answer = (await daemon.call("GET", "/api/routes")).value
    assert answer["total"] == 4
    assert answer["routes"][2] == {
        "host": "b.test",
        "path_prefix": "/",
        "entrypoint": "web",
        "tls": False,
        "environment": made["environment_id"],
        "slug": "dev",
        "project_id": "nightshift",
        "lifecycle_state": "active",
        "upstreams": ["http://127.0.0.1:9001"],
        "state": "published",
        "holder": None,
    }


async def test_a_lost_route_names_its_holder(daemon: Daemon) -> None:
    records = [stored(slug, **routed("same.test")) for slug in ("a", "b")]
    daemon.folders.hand_write(*map(json.dumps, records))
    await until_problem(daemon, "route_conflict", "env-b")
    lost = (await daemon.call("GET", "/api/routes?state=lost")).value["routes"]
    assert [(each["environment"], each["holder"]) for each in lost] == [("env-b", "env-a")]


async def test_pages_show_each_route_once(daemon: Daemon) -> None:
    hosts = [f"h{n}.test" for n in range(7)]
    await create(daemon, "dev", **routed(*hosts))
    await until_routed(daemon, *hosts)
    shown, query = [], "?limit=3"
    while query:
        page = (await daemon.call("GET", f"/api/routes{query}")).value
        shown += [each["host"] for each in page["routes"]]
        query = page["next"] and f"?limit=3&cursor={page['next']}"
    assert shown == hosts
    refused(await daemon.call("GET", "/api/routes?cursor=x"), 422, "invalid_record")


async def test_the_filters_all_hold(daemon: Daemon) -> None:
    await create(daemon, "one", **routed("one.test"))
    await create(daemon, "two", project_id="storefront", **routed("two.test"))
    await until_routed(daemon, "one.test", "two.test")
    for query, hosts in (
        ("environment=one", ["one.test"]),
        ("project_id=storefront", ["two.test"]),
        ("host=TWO", ["two.test"]),
        ("host=two&environment=one", []),
    ):
        found = (await daemon.call("GET", f"/api/routes?{query}")).value["routes"]
        assert [each["host"] for each in found] == hosts, query
