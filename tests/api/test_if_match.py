"""If-Match on PUT, PATCH and DELETE (RFC 9110, 13.1.1)."""

from __future__ import annotations

import pytest

from tests.api.steps import ALL, create, refused
from tests.daemons import Answer, Daemon

PATH = f"{ALL}/dev"


async def etag_of_new(daemon: Daemon) -> str:
    """The entity tag of a new environment."""
    await create(daemon, "dev")
    return (await daemon.call("GET", PATH)).headers["ETag"]


async def change(daemon: Daemon, if_match: str, method: str = "PATCH") -> Answer:
    """A change under this condition."""
    headers = {"If-Match": if_match}
    if method == "DELETE":
        return await daemon.call(method, PATH, headers=headers)
    current = (await daemon.call("GET", PATH)).value
    body = {**current, "name": "Changed"} if method == "PUT" else {"name": "Changed"}
    return await daemon.call(method, PATH, json=body, headers=headers)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_the_current_tag_lets_a_change_through(daemon: Daemon, method: str) -> None:
    assert (await change(daemon, await etag_of_new(daemon), method)).status in (200, 204)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_another_tag_is_412_and_changes_nothing(daemon: Daemon, method: str) -> None:
    etag = await etag_of_new(daemon)
    answer = await change(daemon, '"0123456789abcdef"', method)
    problem = refused(answer, 412, "revision_conflict")
    assert f'"{problem["revision"]}"' == etag
    assert (await daemon.call("GET", PATH)).headers["ETag"] == etag


async def test_the_tag_of_before_a_change_is_412(daemon: Daemon) -> None:
    etag = await etag_of_new(daemon)
    changed = await change(daemon, etag)
    refused(await change(daemon, etag), 412, "revision_conflict")
    assert changed.headers["ETag"] != etag


async def test_a_star_matches_whatever_is_there(daemon: Daemon) -> None:
    await etag_of_new(daemon)
    assert (await change(daemon, "*")).status == 200


async def test_a_star_does_not_make_what_is_not_there(daemon: Daemon) -> None:
    answer = await daemon.call("DELETE", PATH, headers={"If-Match": "*"})
    refused(answer, 404, "not_found")


async def test_a_weak_tag_never_matches(daemon: Daemon) -> None:
    etag = await etag_of_new(daemon)
    refused(await change(daemon, f"W/{etag}"), 412, "revision_conflict")


async def test_one_of_a_list_is_enough(daemon: Daemon) -> None:
    etag = await etag_of_new(daemon)
    assert (await change(daemon, f'"other", {etag}, W/"weak"')).status == 200
    refused(await change(daemon, '"other", "another"'), 412, "revision_conflict")


@pytest.mark.parametrize("if_match", ["", "0123456789abcdef", "'x'", "W/", '"open'])
async def test_what_is_no_tag_matches_nothing(daemon: Daemon, if_match: str) -> None:
    await etag_of_new(daemon)
    refused(await change(daemon, if_match), 412, "revision_conflict")


async def test_a_quoted_star_is_a_tag_like_any_other(daemon: Daemon) -> None:
    await etag_of_new(daemon)
    refused(await change(daemon, '"*"'), 412, "revision_conflict")


async def test_a_patch_that_changes_nothing_still_asks_for_the_tag(daemon: Daemon) -> None:
    await etag_of_new(daemon)
    answer = await daemon.call("PATCH", PATH, json={}, headers={"If-Match": '"other"'})
    refused(answer, 412, "revision_conflict")


async def test_of_two_changes_from_one_reading_the_second_is_412(daemon: Daemon) -> None:
    etag = await etag_of_new(daemon)
    headers = {"If-Match": etag}
    answers = [
        await daemon.call("PATCH", PATH, json={"name": name}, headers=headers)
        for name in ("first", "second")
    ]
    assert [answer.status for answer in answers] == [200, 412]
    assert (await daemon.call("GET", PATH)).value["name"] == "first"
