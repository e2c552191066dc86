"""`accounts.json` and `tokens.json`: who may read them, and what happens when nobody can."""

from __future__ import annotations

from pathlib import Path

import pytest

from provider.api.routes import ROUTES
from provider.auth import book as book_module
from provider.auth.book import AccountBook
from registry.errors import StoreUnavailable
from registry.store import utc_now
from tests.access.callers import bearer, book_of, everybody, quick_hash, write_accounts
from tests.api.steps import ALL, refused
from tests.conftest import StartDaemon
from tests.daemons import Daemon, Folders

BOTH = ("accounts.json", "tokens.json")
CORRUPT = ["{", "", "null", '{"version": 2}', '{"accounts": [{}], "tokens": [{}]}', "\0" * 40]


def mode(path: Path) -> int:
    """The permission bits of a file."""
    return path.stat().st_mode & 0o777


def test_only_we_may_read_them(tmp_path: Path) -> None:
    book = book_of(tmp_path)
    book.add_account("operator@x.test", "operator", "correct horse battery")
    book.create_token("viewer", "v")
    assert [mode(tmp_path / name) for name in BOTH] == [0o600, 0o600]
    book.change_account("operator@x.test", disabled=True)
    book.create_token("viewer", "w")
    assert [mode(tmp_path / name) for name in BOTH] == [0o600, 0o600]


def test_a_file_that_was_restored_for_all_to_read_is_closed_with_the_next_save(
    tmp_path: Path,
) -> None:
    write_accounts(tmp_path, "operator@x.test")
    book = book_of(tmp_path)
    book.create_token("viewer", "v")
    for name in BOTH:
        (tmp_path / name).chmod(0o644)
    book.change_account("operator@x.test", password=quick_hash("another one"))
    assert [mode(tmp_path / name) for name in BOTH] == [0o600, 0o600]


def test_whoever_is_told_of_a_first_account_meets_no_open_door(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book_module, "_LOOK_HOLDS_S", 0.2)
    daemons = book_of(tmp_path)
    assert daemons.is_unused()
    book_of(tmp_path).create_token("operator", "first")
    assert not daemons.is_unused()


@pytest.mark.parametrize("name", BOTH)
def test_a_file_that_is_put_there_closes_the_door_a_millisecond_later_whoever_asks_meanwhile(
    tmp_path: Path, name: str
) -> None:
    now_s = 0.0
    daemons = AccountBook(tmp_path, utc_now, clock_s=lambda: now_s)
    assert daemons.is_unused()
    (tmp_path / name).write_text("")
    answers = []
    for now_s in (0.0004, 0.0008, 0.0012):  # noqa: B007
        answers.append(daemons.is_unused())
    assert answers == [True, True, False]


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("content", CORRUPT)
async def test_a_file_that_cannot_be_read_lets_nobody_in(
    folders: Folders, start_daemon: StartDaemon, name: str, content: str
) -> None:
    headers = everybody(folders.data)
    if name == "tokens.json":
        (folders.data / "accounts.json").unlink()
    daemon = await start_daemon("--hold-s=0")
    (folders.data / name).write_text(content)
    for route in ROUTES:
        if route.access.value != "open":
            url = route.path.replace("{ref}", "x").replace("{id}", "x")
            body = None if route.method in ("GET", "DELETE") else {}
            answer = await daemon.call(route.method, url, json=body)
            assert answer.status in (401, 503), (route.method, route.path)
    login = {"email": "operator@x.test", "password": "correct horse battery"}
    assert (await daemon.call("POST", "/api/auth/login", json=login)).status in (401, 503)
    answer = await daemon.call("GET", ALL, headers=headers["stranger"])
    assert b"argon2" not in answer.content
    assert name.encode() in answer.content


@pytest.mark.parametrize("name", BOTH)
async def test_a_start_over_a_file_that_cannot_be_read_is_refused(
    folders: Folders, start_daemon: StartDaemon, name: str
) -> None:
    (folders.data / name).write_text("{")
    with pytest.raises(StoreUnavailable, match=name):
        await start_daemon()


async def test_who_mends_the_file_is_let_in_at_once(
    folders: Folders, start_daemon: StartDaemon
) -> None:
    who = everybody(folders.data)["operator"]
    daemon = await start_daemon()
    whole = (folders.data / "accounts.json").read_text()
    (folders.data / "accounts.json").write_text(whole[:-20])
    refused(await daemon.call("GET", ALL), 503, "store_unavailable")
    (folders.data / "accounts.json").write_text(whole)
    assert (await daemon.call("GET", ALL, headers=who)).status == 200
    refused(await daemon.call("GET", ALL), 401, "unauthenticated")


async def test_a_daemon_whose_accounts_cannot_be_read_is_alive(
    folders: Folders, start_daemon: StartDaemon
) -> None:
    everybody(folders.data)
    daemon = await start_daemon()
    (folders.data / "accounts.json").write_text("{")
    for path in ("/healthz", "/readyz"):
        assert (await daemon.call("GET", path)).status == 200


async def test_traefiks_token_does_not_depend_on_the_accounts(
    folders: Folders, start_daemon: StartDaemon
) -> None:
    who = everybody(folders.data)["traefik"]
    daemon = await start_daemon("--hold-s=0")
    (folders.data / "accounts.json").write_text("{")
    assert (await daemon.call("GET", "/traefik/config", headers=who)).status == 200


async def test_taking_the_last_token_away_lets_nobody_in(daemon: Daemon, folders: Folders) -> None:
    book = book_of(folders.data)
    secret, token = book.create_token("operator", "the only one")
    assert (await daemon.call("GET", ALL, headers=bearer(secret))).status == 200
    refused(await daemon.call("GET", ALL), 401, "unauthenticated")
    book.revoke(token.id)
    refused(await daemon.call("GET", ALL), 401, "unauthenticated")


@pytest.mark.parametrize("gone", BOTH)
async def test_a_door_that_was_closed_stays_closed_while_the_daemon_runs(
    folders: Folders, start_daemon: StartDaemon, gone: str
) -> None:
    everybody(folders.data)
    daemon = await start_daemon()
    for name in {*BOTH} - {gone}:
        (folders.data / name).unlink()
    refused(await daemon.call("GET", ALL), 401, "unauthenticated")
    (folders.data / gone).unlink()
    refused(await daemon.call("GET", ALL), 401, "unauthenticated")


async def test_a_folder_that_cannot_be_looked_at_opens_no_door(
    folders: Folders, start_daemon: StartDaemon
) -> None:
    everybody(folders.data)
    daemon = await start_daemon()
    aside = folders.data.rename(folders.data.with_name("aside"))
    folders.data.symlink_to(folders.data.name)  # each look is an error, as on a failing disk
    try:
        answer = await daemon.call("GET", "/api/auth/me")
        assert answer.status in (401, 503)
    finally:
        folders.data.unlink()
        aside.rename(folders.data)


async def test_a_login_where_nothing_can_be_locked_is_a_clear_problem(
    folders: Folders, start_daemon: StartDaemon
) -> None:
    write_accounts(folders.data, "operator@x.test")
    daemon = await start_daemon()
    (folders.data / ".accounts.lock").unlink(missing_ok=True)
    (folders.data / ".accounts.lock").mkdir()
    login = {"email": "operator@x.test", "password": "correct horse battery"}
    answer = await daemon.call("POST", "/api/auth/login", json=login)
    assert answer.status in (503, 507)
