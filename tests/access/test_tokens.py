"""Tokens: how they are presented, when they end, and how soon."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provider.auth.access import Identity, Role
from provider.auth.book import AccountBook
from tests.access.callers import PASSWORD, basic, bearer, book_of, quick_hash, write_accounts
from tests.api.steps import ALL, refused
from tests.conftest import StartDaemon
from tests.daemons import Daemon, Folders
from tests.safety.records import record

ME = "/api/auth/me"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def book(folders: Folders) -> AccountBook:
    """The book, as a command in another process has it; there is an account already."""
    write_accounts(folders.data, "operator@x.test")
    return book_of(folders.data)


@pytest.fixture
async def daemon(book: AccountBook, start_daemon: StartDaemon) -> Daemon:
    """A daemon that has an account."""
    return await start_daemon("--hold-s=0")


async def role(daemon: Daemon, headers: dict[str, str]) -> str | None:
    """As what these headers are taken; None for a stranger."""
    answer = await daemon.call("GET", ME, headers=headers)
    return answer.value["role"] if answer.status == 200 else None


async def test_a_token_is_taken_as_bearer_and_as_the_password_of_basic(
    daemon: Daemon, book: AccountBook
) -> None:
    secret, _ = book.create_token("viewer", "v")
    for headers in (
        bearer(secret),
        {"Authorization": f"bearer   {secret} "},
        basic(secret),
        basic(secret, user=""),
        basic(secret, user="nobody in particular"),
    ):
        assert await role(daemon, headers) == "viewer"


async def test_traefik_polls_with_its_token_either_way(daemon: Daemon, book: AccountBook) -> None:
    secret, _ = book.create_token("traefik", "t")
    for headers in (bearer(secret), basic(secret)):
        answer = await daemon.call("GET", "/traefik/config", headers=headers)
        assert answer.status == 200
    url = f"http://traefik:{secret}@127.0.0.1:{daemon.port}/traefik/config"
    assert (await daemon.call("GET", url)).status == 200


async def test_nothing_else_is_taken_for_a_token(daemon: Daemon, book: AccountBook) -> None:
    secret, token = book.create_token("operator", "o")
    pair = base64.b64encode(secret.encode()).decode()
    for value in (
        secret, f"Token {secret}", f"Bearer{secret}", "Bearer", "Bearer ", "Basic", "Basic ====",
        f"Basic {pair}", f"Basic {base64.b64encode(b'x:').decode()}", f"Bearer {secret}x",
        f"Bearer {secret[:-1]}", f"Bearer {secret.upper()}", f"Bearer {token.sha256}",
        f"Bearer {token.id}", f"Bearer {quick_hash()}", f"Bearer {PASSWORD}", "Digest x",
    ):  # fmt: skip
        answer = await daemon.call("GET", ALL, headers={"Authorization": value})
        refused(answer, 401, "unauthenticated")
    answer = await daemon.call("GET", f"{ALL}?token={secret}", cookies={"token": secret})
    refused(answer, 401, "unauthenticated")


@pytest.mark.parametrize(
    "value",
    [
        "Bearer ü".encode(),
        pytest.param(b"Bearer \xff"),
        pytest.param("Basic ü".encode()),
    ],
)
async def test_bytes_that_are_no_text_are_no_token(daemon: Daemon, value: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", daemon.port)
    writer.write(b"GET /api/environments HTTP/1.1\r\nHost: localhost\r\nAuthorization: " + value)
    writer.write(b"\r\nConnection: close\r\n\r\n")
    status = (await reader.readline()).split()[1]
    writer.close()
    await writer.wait_closed()
    assert status == b"401"


async def test_a_revoked_token_ends_at_once(daemon: Daemon, book: AccountBook) -> None:
    secret, token = book.create_token("operator", "o")
    assert await role(daemon, bearer(secret)) == "operator"
    book.revoke(token.id)
    answer = await daemon.call("POST", ALL, json=record("dev"), headers=bearer(secret))
    refused(answer, 401, "unauthenticated")
    assert daemon.folders.stored() == []


@pytest.mark.parametrize("change", [{"disabled": True}, {"password": quick_hash("another one")}])
async def test_disabling_an_account_or_a_new_password_ends_its_logins_at_once(
    daemon: Daemon, book: AccountBook, change: dict[str, object]
) -> None:
    answer = await daemon.call(
        "POST", "/api/auth/login", json={"email": "operator@x.test", "password": PASSWORD}
    )
    login = bearer(answer.value["token"])
    kept, _ = book.create_token("operator", "not of the account")
    assert await role(daemon, login) == "operator"
    book.change_account("operator@x.test", **change)
    assert await role(daemon, login) is None
    assert await role(daemon, bearer(kept)) == "operator"
    answer = await daemon.call(
        "POST", "/api/auth/login", json={"email": "operator@x.test", "password": PASSWORD}
    )
    refused(answer, 401, "unauthenticated")


async def test_a_new_token_counts_at_once(daemon: Daemon, book: AccountBook) -> None:
    for name in ("viewer", "operator"):
        secret, _ = book.create_token(name, name)
        assert await role(daemon, bearer(secret)) == name


def test_a_token_ends_when_its_time_is_over(tmp_path: Path) -> None:
    now = [NOON]
    book = AccountBook(tmp_path, lambda: now[0])
    write_accounts(tmp_path, "viewer@x.test")
    day = timedelta(days=1)
    token, _ = book.create_token("operator", "ci", day)
    login, _ = book.create_token("viewer", "login", day, email="viewer@x.test")
    endless, _ = book.create_token("traefik", "traefik")
    now[0] += day - timedelta(seconds=1)
    assert book.identify(token) == Identity("token:ci", Role.OPERATOR)
    assert book.identify(login) == Identity("viewer@x.test", Role.VIEWER)
    now[0] += timedelta(seconds=1)
    assert book.identify(token) is None
    assert book.identify(login) is None
    now[0] += 3650 * day
    assert book.identify(endless) == Identity("token:traefik", Role.TRAEFIK)


def test_logins_that_are_over_are_forgotten_and_other_tokens_are_not(tmp_path: Path) -> None:
    now = [NOON]
    book = AccountBook(tmp_path, lambda: now[0])
    book.create_token("viewer", "login", timedelta(hours=1), email="viewer@x.test")
    book.create_token("viewer", "ci", timedelta(hours=1))
    now[0] += timedelta(hours=2)
    book.create_token("viewer", "new")
    assert [token.name for token in book.tokens()] == ["ci", "new"]


def test_no_token_is_like_another_and_what_is_kept_lets_nobody_in(tmp_path: Path) -> None:
    book = book_of(tmp_path)
    made = [book.create_token("operator", "x") for _ in range(50)]
    secrets = {secret for secret, _ in made}
    assert len(secrets) == len({token.id for _, token in made}) == 50
    assert all(len(secret) >= 40 for secret in secrets)
    kept = (tmp_path / "tokens.json").read_text()
    assert not any(secret in kept or secret[3:] in kept for secret in secrets)
    assert not any(book.identify(token.sha256) for _, token in made)
