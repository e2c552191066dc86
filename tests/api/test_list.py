"""GET /api/environments: filters, the order, pages, and bounds."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.api.bodies import routed
from tests.api.steps import ALL, create, pointers, refused, slugs
from tests.daemons import Daemon


async def page(daemon: Daemon, query: str) -> dict[str, Any]:
    """One page of a list."""
    answer = await daemon.call("GET", f"{ALL}?{query}")
    assert answer.status == 200, answer.content
    return dict(answer.value)


@pytest.fixture
async def three(daemon: Daemon) -> Daemon:
    """Three environments that differ in everything that a filter asks for."""
    await create(
        daemon,
        "dev",
        name="Development",
        description="For the TEAM.",
        health={"status": "healthy"},
        **routed("console.internal.test", "*.wild.test"),
    )
    await create(daemon, "shop", project_id="storefront", host={"hostname": "devbox.test"})
    await create(daemon, "old", lifecycle={"state": "retired"}, owner={"name": "Änne Groß"})
    return daemon


async def test_an_empty_catalogue_is_an_empty_list(daemon: Daemon) -> None:
    answer = await daemon.call("GET", ALL)
    assert answer.value == {"environments": [], "projects": {}, "total": 0, "next": None}


async def test_environments_are_listed_in_the_order_of_the_file(three: Daemon) -> None:
    assert await slugs(three) == ["dev", "shop", "old"]


async def test_each_workspace_stands_once_beside_the_list(three: Daemon) -> None:
    answer = await three.call("GET", ALL)
    assert sorted(answer.value["projects"]) == ["nightshift", "storefront"]
    assert answer.value["projects"]["storefront"]["name"] == "Storefront"
    assert all("project" not in environment for environment in answer.value["environments"])
    assert answer.value["total"] == 3


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("project_id=storefront", ["shop"]),
        ("project_id=nobody", []),
        ("state=active", ["dev"]),
        ("state=planned", ["shop"]),
        ("health=unknown", ["shop", "old"]),
        ("owner=Mika+Sato", ["shop"]),
        ("owner=INES@nightshift.test", ["dev"]),
        ("owner=%C3%A4nne+gro%C3%9F", ["old"]),
        ("owner=Ines", []),
        ("q=dev", ["dev", "shop"]),
        ("q=DEVELOP", ["dev"]),
        ("q=the+team", ["dev"]),
        ("q=env-old-", ["old"]),
        ("q=internal.test", ["dev"]),
        ("q=*.wild", ["dev"]),
        ("q=", ["dev", "shop", "old"]),
        ("project_id=nightshift&health=unknown", ["old"]),
        ("state=active&health=offline", []),
    ],
)
async def test_a_filter_keeps_what_it_asks_for(three: Daemon, query: str, found: list[str]) -> None:
    listed = await page(three, query)
    assert [environment["slug"] for environment in listed["environments"]] == found
    assert listed["total"] == len(found)


async def test_only_the_workspaces_of_the_page_are_listed(three: Daemon) -> None:
    assert list((await page(three, "state=active"))["projects"]) == ["nightshift"]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("state=gone", "state"),
        ("health=fine", "health"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=1.5", "limit"),
        ("limit=1&limit=2", "limit"),
        ("cursor=abc", "cursor"),
        ("cursor=%C3%A9", "cursor"),
        ("cursor=", "cursor"),
        ("stat=active", "stat"),
    ],
)
async def test_a_wrong_query_is_refused_with_the_parameter(
    daemon: Daemon, query: str, parameter: str
) -> None:
    problem = refused(await daemon.call("GET", f"{ALL}?{query}"), 422, "invalid_record")
    assert pointers(problem) == [f"/{parameter}"]


@pytest.mark.parametrize("limit", [1, 1000])
async def test_the_bounds_of_limit_are_taken(three: Daemon, limit: int) -> None:
    assert len((await page(three, f"limit={limit}"))["environments"]) == min(limit, 3)


async def test_the_default_limit_is_a_hundred(daemon: Daemon) -> None:
    for number in range(101):
        await create(daemon, f"dev-{number}")
    first = await page(daemon, "")
    assert (len(first["environments"]), first["total"]) == (100, 101)
    rest = await page(daemon, f"cursor={first['next']}")
    assert [environment["slug"] for environment in rest["environments"]] == ["dev-100"]
    assert rest["next"] is None


async def test_pages_cover_the_list_once(three: Daemon) -> None:
    first = await page(three, "limit=2")
    second = await page(three, f"limit=2&cursor={first['next']}")
    listed = [*first["environments"], *second["environments"]]
    assert [environment["slug"] for environment in listed] == ["dev", "shop", "old"]
    assert second["next"] is None


async def test_an_exact_last_page_has_no_next(three: Daemon) -> None:
    assert (await page(three, "limit=3"))["next"] is None


async def test_a_page_goes_on_where_it_was_when_records_before_it_go(three: Daemon) -> None:
    first = await page(three, "limit=2")
    await three.call("DELETE", f"{ALL}/dev")
    assert await slugs(three, f"?limit=2&cursor={first['next']}") == ["old"]


async def test_no_record_is_skipped_when_the_last_of_a_page_is_deleted(three: Daemon) -> None:
    first = await page(three, "limit=1")
    await three.call("DELETE", f"{ALL}/dev")
    assert await slugs(three, f"?cursor={first['next']}") == ["shop", "old"]


async def test_what_is_new_comes_on_the_last_page(three: Daemon) -> None:
    first = await page(three, "limit=2")
    await create(three, "new")
    assert await slugs(three, f"?cursor={first['next']}") == ["old", "new"]


@pytest.mark.parametrize("cursor", ["-5:", "99999999999999999999999:x", "5"])
async def test_a_made_up_cursor_is_no_crash(three: Daemon, cursor: str) -> None:
    coded = base64.urlsafe_b64encode(cursor.encode()).decode()
    answer = await three.call("GET", ALL, params={"cursor": coded})
    assert answer.status in (200, 422)
