"""`routebook accounts` and `tokens`: exit codes, JSON, and what they leave."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from registry.store import utc_now
from tests.access.callers import PASSWORD, bearer, write_accounts
from tests.access.processes import Ended, routebook
from tests.conftest import StartDaemon
from tests.daemons import Folders

OPERATOR = "operator@x.test"


@pytest.fixture
def data(folders: Folders) -> str:
    """The flag of a data folder."""
    return f"--data={folders.data}"


async def add(data: str, email: str = OPERATOR, password: str = PASSWORD) -> Ended:
    """Add an account."""
    words = ("accounts", "add", email, "--role=operator", "--password-stdin", data)
    return await routebook(*words, stdin=f"{password}\n")


async def test_an_account_is_added_listed_changed_and_disabled(
    data: str, start_daemon: StartDaemon
) -> None:
    added = await add(data)
    assert added.code == 0
    assert "routebook tokens create --role traefik" in added.err
    assert "Authorization: Bearer" in added.err
    daemon = await start_daemon()

    async def login(password: str) -> int:
        body = {"email": OPERATOR, "password": password}
        return (await daemon.call("POST", "/api/auth/login", json=body)).status

    assert await login(PASSWORD) == 200
    changed = await routebook(
        "accounts", "passwd", OPERATOR, "--password-stdin", data, stdin="another battery\n"
    )
    assert (changed.code, changed.err) == (0, "")
    assert await login(PASSWORD) == 401
    assert await login("another battery") == 200
    assert (await routebook("accounts", "disable", OPERATOR, data)).code == 0
    assert await login("another battery") == 401
    listed = await routebook("accounts", "list", "--json", data)
    assert listed.value == [{"email": OPERATOR, "role": "operator", "disabled": True}]
    table = (await routebook("accounts", "list", data)).out.splitlines()
    assert [line.split() for line in table] == [
        ["EMAIL", "ROLE", "DISABLED"],
        [OPERATOR, "operator", "true"],
    ]


async def test_a_token_is_printed_once_listed_and_revoked(
    data: str, start_daemon: StartDaemon
) -> None:
    words = ("tokens", "create", "--role=viewer", "--name=ci", "--days=30")
    created = (await routebook(*words, "--json", data)).value
    assert set(created) == {"token", "id", "role", "name", "expires_at"}
    assert (created["role"], created["name"]) == ("viewer", "ci")
    lasts = datetime.fromisoformat(created["expires_at"]) - utc_now()
    assert timedelta(days=29, hours=23) < lasts <= timedelta(days=30)
    plain = await routebook(*words, data)
    assert re.fullmatch(r"rb_[\w-]{43}\n", plain.out)
    daemon = await start_daemon()
    for secret in (created["token"], plain.out.strip()):
        assert (await daemon.call("GET", "/api/auth/me", headers=bearer(secret))).status == 200
    listed = (await routebook("tokens", "list", "--json", data)).value
    assert [set(row) for row in listed] == [{"id", "name", "role", "expires_at"}] * 2
    assert listed[0]["id"] == created["id"]
    assert (await routebook("tokens", "revoke", created["id"], data)).code == 0
    who = bearer(created["token"])
    assert (await daemon.call("GET", "/api/auth/me", headers=who)).status == 401


async def test_the_first_token_ends_open_mode_and_says_so_beside_the_token(data: str) -> None:
    first = await routebook("tokens", "create", "--role=viewer", "--json", data)
    assert first.value["role"] == "viewer"
    assert "From now on everybody has to say who they are, Traefik too." in first.err
    assert "routebook tokens create --role traefik" in first.err
    second = await routebook("tokens", "create", "--role=viewer", data)
    assert (second.code, second.err) == (0, "")


async def test_a_first_token_for_traefik_is_only_to_be_given_to_it(data: str) -> None:
    first = await routebook("tokens", "create", "--role=traefik", data)
    assert re.fullmatch(r"rb_[\w-]{43}\n", first.out)
    assert "Put it into Traefik's static configuration, and start Traefik anew" in first.err
    assert "tokens create" not in first.err


async def test_a_first_account_says_in_json_too_that_open_mode_ended(data: str) -> None:
    words = ("accounts", "add", OPERATOR, "--role=operator", "--password-stdin", "--json", data)
    added = await routebook(*words, stdin=f"{PASSWORD}\n")
    assert added.value == {"email": OPERATOR, "role": "operator"}
    assert "Traefik too" in added.err


async def test_a_token_without_days_never_expires(data: str) -> None:
    created = await routebook("tokens", "create", "--role=traefik", "--json", data)
    assert created.code == 0, created.err
    assert created.value["expires_at"] is None
    assert created.value["name"] == "traefik"


ADD, PASSWD = (
    "accounts add {} --role=viewer --password-stdin",
    "accounts passwd {} --password-stdin",
)
NO_ACCOUNT = "no account has the address 'nobody@x.test'; see `routebook accounts list`"
REFUSED = {
    "an address that is none": (ADD.format("nobody"), PASSWORD, "'nobody' is not an e-mail"),
    "a short password": (ADD.format("viewer@x.test"), "short", "12"),
    "an account that is there": (ADD.format(OPERATOR), PASSWORD, "`accounts passwd`"),
    "an unknown account": ("accounts disable nobody@x.test", "", NO_ACCOUNT),
    "a password for an unknown account": (PASSWD.format("nobody@x.test"), PASSWORD, NO_ACCOUNT),
    "an unknown token": (
        "tokens revoke 12345678",
        "",
        "no token has the id '12345678'; see `routebook tokens list`",
    ),
}
WRONG = (
    "accounts",
    "accounts add viewer@x.test --password-stdin",
    "accounts add viewer@x.test --role=admin --password-stdin",
    "accounts list --jsno",
    "tokens create --days=3",
    "tokens create --role=viewer --days=0",
    "tokens create --role=viewer --days=x",
    "tokens revoke",
    "acounts list",
)


@pytest.mark.parametrize("case", REFUSED)
async def test_what_is_refused_exits_with_1_and_says_why_in_a_line(
    folders: Folders, data: str, case: str
) -> None:
    words, stdin, why = REFUSED[case]
    write_accounts(folders.data, OPERATOR)
    before = (folders.data / "accounts.json").read_bytes()
    ended = await routebook(*words.split(), data, stdin=f"{stdin}\n")
    assert (ended.code, ended.out) == (1, "")
    assert re.fullmatch(r"routebook: .+\n", ended.err)
    assert why in ended.err
    assert (folders.data / "accounts.json").read_bytes() == before


@pytest.mark.parametrize("words", WRONG)
async def test_wrong_usage_exits_with_2(words: str, data: str) -> None:
    ended = await routebook(*words.split(), *([] if words == "accounts" else [data]))
    assert ended.code == 2
    assert ended.out == "" or words == "accounts"


async def test_a_folder_that_is_not_there_is_refused_and_not_made(tmp_path: Path) -> None:
    for words in (("accounts", "list"), ("tokens", "list")):
        ended = await routebook(*words, f"--data={tmp_path / 'no'}")
        assert ended.code == 1
        assert "--data" in ended.err
    assert not (tmp_path / "no").exists()


async def test_the_folder_can_come_from_the_environment(folders: Folders) -> None:
    write_accounts(folders.data, OPERATOR)
    ended = await routebook("accounts", "list", "--json", ROUTEBOOK_DATA=str(folders.data))
    assert [row["email"] for row in ended.value] == [OPERATOR]


@pytest.mark.parametrize("words", ["accounts disable", "accounts passwd --password-stdin"])
async def test_every_verb_takes_json(folders: Folders, data: str, words: str) -> None:
    write_accounts(folders.data, OPERATOR)
    ended = await routebook(*words.split(), OPERATOR, "--json", data, stdin=f"{PASSWORD}\n")
    assert ended.code == 0
    assert ended.value
