"""Every write says that it sends JSON, with a body or without: a form of another site cannot."""

from __future__ import annotations

from typing import Any

import pytest

from provider.api.routes import ROUTES
from tests.api.steps import ALL, refused
from tests.daemons import Daemon
from tests.safety.records import record

WRITES = [
    (route.method, route.path.replace("{ref}", "dev").replace("{id}", "nightshift"))
    for route in ROUTES
    if route.method in ("POST", "PUT", "PATCH")
]
NO_JSON = [
    None,
    "",
    "text/plain",
    "text/plain; charset=application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/octet-stream",
    "application/jsonp",
    "application/json-seq",
    "text/json",
    "application/xml",
    "application/json; charset=latin-1",
    "application/json; charset=utf-16",
]
JSON = [
    "application/json",
    "Application/JSON",
    "application/json; charset=utf-8",
    'application/json;charset="UTF-8"',
]


@pytest.fixture
async def daemon(daemon: Daemon) -> Daemon:
    """A daemon with one environment."""
    answer = await daemon.call("POST", ALL, json=record("dev"))
    assert answer.status == 201
    return daemon


def typed(media_type: str | None) -> dict[str, Any]:
    """The arguments of a request with this type, or with none at all."""
    if media_type is None:
        return {"skip_auto_headers": ["Content-Type"]}
    return {"headers": {"Content-Type": media_type}}


def test_there_are_writes_of_each_method() -> None:
    assert {method for method, _ in WRITES} == {"POST", "PUT", "PATCH"}
    assert len(WRITES) >= 7


@pytest.mark.parametrize(("method", "path"), WRITES)
async def test_a_write_without_a_json_type_is_refused_with_a_body_and_without(
    daemon: Daemon, method: str, path: str
) -> None:
    before = daemon.folders.catalogue.read_bytes()
    for media_type in NO_JSON:
        for body in (None, b"", b'{"name": "x"}'):
            answer = await daemon.call(method, path, data=body, **typed(media_type))
            problem = refused(answer, 415, "unsupported_media_type")
            assert "application/json" in problem["detail"]
    assert daemon.folders.catalogue.read_bytes() == before


@pytest.mark.parametrize(("method", "path"), WRITES)
async def test_every_way_to_write_the_type_of_json_is_taken(
    daemon: Daemon, method: str, path: str
) -> None:
    for media_type in JSON:
        answer = await daemon.call(method, path, data=b"{}", **typed(media_type))
        assert answer.status != 415, media_type


async def test_a_merge_patch_is_a_type_of_patch_alone(daemon: Daemon) -> None:
    merge_patch = typed("application/merge-patch+json")
    answer = await daemon.call("PATCH", f"{ALL}/dev", data=b'{"name": "x"}', **merge_patch)
    assert answer.status == 200
    for method, path in WRITES:
        if method != "PATCH":
            answer = await daemon.call(method, path, data=b"{}", **merge_patch)
            refused(answer, 415, "unsupported_media_type")


async def test_a_delete_needs_no_type(daemon: Daemon) -> None:
    answer = await daemon.call("DELETE", f"{ALL}/dev", skip_auto_headers=["Content-Type"])
    assert answer.status == 204
