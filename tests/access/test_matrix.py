"""Who may call what: every route, and every kind of caller."""

from __future__ import annotations

from typing import Any

import pytest

from provider.api.routes import ROUTES
from tests.access.callers import everybody
from tests.api.steps import ALL, refused
from tests.conftest import StartDaemon
from tests.daemons import Answer, Daemon, Folders
from tests.safety.records import record

NOBODY = ("stranger", "garbage", "disabled", "expired", "revoked")
KNOWN = ("viewer", "operator", "traefik", "viewer login", "operator login")

EVERYBODY = {*NOBODY, *KNOWN}
READERS = {"viewer", "operator", "viewer login", "operator login"}
WRITERS = {"operator", "operator login"}
POLLERS = {"traefik", *READERS}

# Written by hand, as the design says it: not made from the table that it is to check.
MAY = {
    ("GET", "/api/environments"): READERS,
    ("POST", "/api/environments"): WRITERS,
    ("GET", "/api/environments/{ref}"): READERS,
    ("PUT", "/api/environments/{ref}"): WRITERS,
    ("PATCH", "/api/environments/{ref}"): WRITERS,
    ("DELETE", "/api/environments/{ref}"): WRITERS,
    ("POST", "/api/environments:apply"): WRITERS,
    ("GET", "/api/routes"): READERS,
    ("GET", "/api/routes/explain"): READERS,
    ("GET", "/api/environments/{ref}/routing"): READERS,
    ("GET", "/api/traefiks"): READERS,
    ("GET", "/api/certificates"): READERS,
    ("GET", "/api/environments/{ref}/history"): READERS,
    ("POST", "/api/environments/{ref}/revert"): WRITERS,
    ("GET", "/api/history"): READERS,
    ("POST", "/api/catalogue/confirm"): WRITERS,
    ("POST", "/api/certificates"): WRITERS,
    ("GET", "/api/certificates/ca"): READERS,
    ("POST", "/api/auth/login"): EVERYBODY,
    ("POST", "/api/auth/logout"): READERS,
    ("GET", "/api/auth/me"): READERS,
    ("GET", "/api/human-tasks"): READERS,
    ("GET", "/api/human-tasks/{id}"): READERS,
    ("POST", "/api/human-tasks/{id}"): WRITERS,
    ("GET", "/api/projects"): READERS,
    ("GET", "/api/projects/{id}"): READERS,
    ("GET", "/api/events"): READERS,
    ("GET", "/api/health"): EVERYBODY,
    ("GET", "/api/openapi.json"): EVERYBODY,
    ("GET", "/healthz"): EVERYBODY,
    ("GET", "/readyz"): EVERYBODY,
    ("GET", "/metrics"): READERS,
    ("GET", "/traefik/config"): POLLERS,
}


@pytest.fixture
def headers(folders: Folders) -> dict[str, dict[str, str]]:
    """What each caller sends."""
    return everybody(folders.data)


@pytest.fixture
async def daemon(
    headers: dict[str, dict[str, str]], folders: Folders, start_daemon: StartDaemon
) -> Daemon:
    """A daemon that has accounts, and one environment."""
    folders.hand_write(record("dev"))
    return await start_daemon("--hold-s=0")


async def ask(daemon: Daemon, method: str, path: str, **more: Any) -> Answer:
    """One request; of a stream, which has no end, its beginning."""
    async with daemon.session.request(method, path, **more) as response:
        streams = response.content_type == "text/event-stream"
        content = b"" if streams else await response.read()
        return Answer(response.status, response.headers, content)


def test_the_table_has_every_route() -> None:
    assert set(MAY) == {(route.method, route.path) for route in ROUTES}


@pytest.mark.parametrize("caller", [*NOBODY, *KNOWN])
async def test_each_caller_may_do_what_the_table_says_and_no_more(
    daemon: Daemon, headers: dict[str, dict[str, str]], caller: str
) -> None:
    # A logout last: it ends the login that the others are tried with.
    for method, path in sorted(MAY, key=lambda row: row[1].endswith("/logout")):
        url = path.replace("{ref}", "none-such").replace("{id}", "nightshift")
        body = None if method in ("GET", "DELETE") else {}
        answer = await ask(daemon, method, url, json=body, headers=headers[caller])
        if caller in MAY[method, path]:
            assert answer.status not in (401, 403, 500), (method, path)
        elif caller in KNOWN:
            refused(answer, 403, "forbidden")
        else:
            refused(answer, 401, "unauthenticated")
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("caller", [*NOBODY, *KNOWN])
async def test_head_is_for_those_who_may_get(
    daemon: Daemon, headers: dict[str, dict[str, str]], caller: str
) -> None:
    for method, path in MAY:
        if method == "GET":
            url = path.replace("{ref}", "dev").replace("{id}", "nightshift")
            got = await ask(daemon, "GET", url, headers=headers[caller])
            answer = await daemon.call("HEAD", url, headers=headers[caller])
            assert answer.status == got.status, path


@pytest.mark.parametrize("caller", sorted(EVERYBODY - WRITERS))
async def test_a_write_that_is_refused_changes_nothing(
    daemon: Daemon, headers: dict[str, dict[str, str]], caller: str
) -> None:
    before = daemon.folders.catalogue.read_bytes()
    for method, path, body in (
        ("POST", ALL, record("new")),
        ("PUT", f"{ALL}/dev", record("dev", name="x")),
        ("PATCH", f"{ALL}/dev", {"name": "x"}),
        ("POST", f"{ALL}/dev/revert", {"revision": 1}),
        ("DELETE", f"{ALL}/dev", None),
    ):
        answer = await daemon.call(method, path, json=body, headers=headers[caller])
        assert answer.status in (401, 403)
    assert daemon.folders.catalogue.read_bytes() == before


async def test_a_refusal_comes_before_a_look_at_the_body_the_query_or_the_type(
    daemon: Daemon, headers: dict[str, dict[str, str]]
) -> None:
    for caller, status in (("stranger", 401), ("viewer", 403)):
        who = headers[caller]
        for more in ({"data": "{"}, {"data": b"x" * 2_000_000}, {"params": {"odd": "1"}}):
            answer = await daemon.call("POST", ALL, headers=who, **more)
            assert answer.status == status
