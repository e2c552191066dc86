"""Login, logout, who am I."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from registry.store import utc_now
from tests.access.callers import PASSWORD, bearer, book_of, everybody, write_accounts
from tests.api.steps import ALL, pointers, refused
from tests.conftest import StartDaemon
from tests.daemons import Answer, Daemon, Folders
from tests.safety.records import record

LOGIN, LOGOUT, ME = "/api/auth/login", "/api/auth/logout", "/api/auth/me"
OPERATOR, VIEWER = "operator@x.test", "viewer@x.test"


@pytest.fixture
async def daemon(folders: Folders, start_daemon: StartDaemon) -> Daemon:
    """A daemon with an operator, a viewer and a disabled account."""
    write_accounts(folders.data, OPERATOR, VIEWER)
    write_accounts(folders.data, "operator@gone.test", disabled=True)
    return await start_daemon()


async def login(daemon: Daemon, email: str = OPERATOR, password: str = PASSWORD) -> Answer:
    """What a login with these answers."""
    return await daemon.call("POST", LOGIN, json={"email": email, "password": password})


async def logged_in(daemon: Daemon, email: str = OPERATOR) -> dict[str, str]:
    """The headers of a caller who just logged in."""
    return bearer((await login(daemon, email)).value["token"])


async def test_a_login_gives_a_token_for_twelve_hours(daemon: Daemon) -> None:
    before = utc_now()
    answer = await login(daemon)
    assert answer.status == 200
    assert set(answer.value) == {"token", "expires_at"}
    expires_at = datetime.fromisoformat(answer.value["expires_at"])
    assert timedelta(hours=12) <= expires_at - before < timedelta(hours=12, minutes=5)
    me = await daemon.call("GET", ME, headers=bearer(answer.value["token"]))
    assert me.value == {"actor": OPERATOR, "role": "operator", "open": False}


async def test_each_login_is_another_token_and_ends_by_itself(daemon: Daemon) -> None:
    first, second = await logged_in(daemon), await logged_in(daemon)
    assert first != second
    answer = await daemon.call("POST", LOGOUT, json={}, headers=first)
    assert (answer.status, answer.content) == (204, b"")
    refused(await daemon.call("GET", ME, headers=first), 401, "unauthenticated")
    assert (await daemon.call("GET", ME, headers=second)).status == 200


async def test_a_wrong_password_an_unknown_and_a_disabled_account_look_the_same(
    daemon: Daemon,
) -> None:
    answers = [
        await login(daemon, password="wrong horse battery"),
        await login(daemon, email="nobody@x.test"),
        await login(daemon, email="operator@gone.test"),
        await login(daemon, password=""),
    ]
    assert len({answer.content for answer in answers}) == 1
    refused(answers[0], 401, "unauthenticated")


async def test_the_email_is_the_actor_in_the_history(daemon: Daemon) -> None:
    who = await logged_in(daemon)
    created = await daemon.call("POST", ALL, json=record("dev"), headers=who)
    assert created.status == 201
    history = await daemon.call("GET", f"{ALL}/dev/history", headers=who)
    assert history.value["history"][0]["actor"] == OPERATOR


async def test_a_tokens_name_is_the_actor_in_the_history(daemon: Daemon) -> None:
    secret, _ = book_of(daemon.folders.data).create_token("operator", "ci of the shop")
    who = bearer(secret)
    assert (await daemon.call("GET", ME, headers=who)).value["actor"] == "token:ci of the shop"
    await daemon.call("POST", ALL, json=record("dev"), headers=who)
    history = await daemon.call("GET", f"{ALL}/dev/history", headers=who)
    assert history.value["history"][0]["actor"] == "token:ci of the shop"


async def test_a_login_has_the_role_of_its_account(daemon: Daemon) -> None:
    who = await logged_in(daemon, VIEWER)
    assert (await daemon.call("GET", ALL, headers=who)).status == 200
    answer = await daemon.call("POST", ALL, json=record("dev"), headers=who)
    assert "operator" in refused(answer, 403, "forbidden")["detail"]


async def test_a_logout_with_a_token_of_the_command_leaves_it(daemon: Daemon) -> None:
    secret, _ = book_of(daemon.folders.data).create_token("viewer", "kept")
    assert (await daemon.call("POST", LOGOUT, json={}, headers=bearer(secret))).status == 204
    assert (await daemon.call("GET", ME, headers=bearer(secret))).status == 200


async def test_a_login_outlives_a_restart(folders: Folders, start_daemon: StartDaemon) -> None:
    write_accounts(folders.data, OPERATOR)
    first = await start_daemon()
    who = await logged_in(first)
    await first.stop()
    second = await start_daemon()
    assert (await second.call("GET", ME, headers=who)).value["actor"] == OPERATOR


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"email": OPERATOR}, "/password"),
        ({"password": PASSWORD}, "/email"),
        ({"email": OPERATOR, "password": 7}, "/password"),
        ({"email": [OPERATOR], "password": PASSWORD}, "/email"),
        ({"email": OPERATOR, "password": "x" * 1001}, "/password"),
        ({"email": "x" * 255, "password": PASSWORD}, "/email"),
        ({"email": OPERATOR, "password": PASSWORD, "role": "operator"}, "/role"),
        ([OPERATOR, PASSWORD], ""),
    ],
)
async def test_a_body_that_is_no_login_is_refused(daemon: Daemon, body: Any, pointer: str) -> None:
    answer = await daemon.call("POST", LOGIN, json=body)
    assert pointer in pointers(refused(answer, 422, "invalid_record"))


async def test_without_accounts_who_calls_is_local_and_nobody_can_log_in(
    start_daemon: StartDaemon,
) -> None:
    daemon = await start_daemon()
    answer = await daemon.call("GET", ME)
    assert answer.value == {"actor": "local", "role": "operator", "open": True}
    refused(await login(daemon), 401, "unauthenticated")
    assert (await daemon.call("POST", LOGOUT, json={})).status == 204


async def test_everybody_who_may_read_learns_who_they_are(
    folders: Folders, start_daemon: StartDaemon
) -> None:
    headers = everybody(folders.data)
    daemon = await start_daemon()
    told = {
        caller: (await daemon.call("GET", ME, headers=headers[caller])).value
        for caller in ("viewer", "operator", "viewer login")
    }
    assert [(each["actor"], each["role"]) for each in told.values()] == [
        ("token:viewer", "viewer"),
        ("token:operator", "operator"),
        ("viewer@x.test", "viewer"),
    ]
