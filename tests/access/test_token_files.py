"""Token files: compose secrets, which count as accounts."""

from __future__ import annotations

from pathlib import Path

import pytest

from provider.settings import WrongSetting, read_settings
from tests.access.callers import bearer
from tests.api.steps import ALL, refused
from tests.conftest import StartDaemon
from tests.daemons import Daemon
from tests.safety.records import record

OPERATOR, TRAEFIK = "operator-token-of-compose", "traefik-token-of-compose"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Two secrets, as compose mounts them."""
    files = {"operator": tmp_path / "operator_token", "traefik": tmp_path / "traefik_token"}
    files["operator"].write_text(f"{OPERATOR}\n")
    files["traefik"].write_text(TRAEFIK)
    return files


@pytest.fixture
async def daemon(files: dict[str, Path], start_daemon: StartDaemon) -> Daemon:
    """A daemon that has no accounts but the two files."""
    flags = (f"--{role}-token-file={path}" for role, path in files.items())
    return await start_daemon(*flags, "--hold-s=0")


async def status(daemon: Daemon, secret: str, path: str = ALL) -> int:
    """The status of a GET with this token."""
    return (await daemon.call("GET", path, headers=bearer(secret))).status


async def test_each_file_gives_its_role_and_no_other(daemon: Daemon) -> None:
    me = await daemon.call("GET", "/api/auth/me", headers=bearer(OPERATOR))
    assert me.value == {"actor": "token:operator-file", "role": "operator", "open": False}
    answer = await daemon.call("POST", ALL, json=record("dev"), headers=bearer(OPERATOR))
    assert answer.status == 201
    assert await status(daemon, TRAEFIK, "/traefik/config") == 200
    refused(await daemon.call("GET", ALL, headers=bearer(TRAEFIK)), 403, "forbidden")


async def test_they_close_the_open_mode(daemon: Daemon) -> None:
    refused(await daemon.call("GET", ALL), 401, "unauthenticated")
    assert (await daemon.call("GET", "/api/health")).value == {"status": "ok"}


async def test_a_secret_that_is_replaced_counts_at_once(
    daemon: Daemon, files: dict[str, Path]
) -> None:
    new = files["operator"].with_name("new")
    new.write_text("the next token of the operator")
    new.replace(files["operator"])
    assert await status(daemon, OPERATOR) == 401
    assert await status(daemon, "the next token of the operator") == 200
    assert await status(daemon, TRAEFIK, "/traefik/config") == 200


async def test_a_secret_that_is_written_over_counts_at_once(
    daemon: Daemon, files: dict[str, Path]
) -> None:
    files["operator"].write_text("a longer token, written into the same file")
    assert await status(daemon, OPERATOR) == 401
    assert await status(daemon, "a longer token, written into the same file") == 200


async def test_a_secret_behind_a_link_that_is_swapped_counts_at_once(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    link = tmp_path / "..data"
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "token").write_text(f"the {name} token")
    link.symlink_to("first")
    daemon = await start_daemon(f"--operator-token-file={link / 'token'}")
    assert await status(daemon, "the first token") == 200
    (tmp_path / "new").symlink_to("second")
    (tmp_path / "new").replace(link)
    assert await status(daemon, "the first token") == 401
    assert await status(daemon, "the second token") == 200


@pytest.mark.parametrize("content", [None, "", " \n", b"\xff\xfe"])
async def test_a_secret_that_is_gone_empty_or_no_text_lets_nobody_in(
    daemon: Daemon, files: dict[str, Path], content: str | bytes | None
) -> None:
    if content is None:
        files["operator"].unlink()
    else:
        files["operator"].write_bytes(content.encode() if isinstance(content, str) else content)
    for headers in ({}, bearer(OPERATOR), bearer(""), {"Authorization": "Basic Og=="}):
        refused(await daemon.call("GET", ALL, headers=headers), 401, "unauthenticated")
    files["operator"].write_text(f"{OPERATOR} again")
    assert await status(daemon, f"{OPERATOR} again") == 200


async def test_logout_leaves_a_token_of_a_file(daemon: Daemon) -> None:
    answer = await daemon.call("POST", "/api/auth/logout", json={}, headers=bearer(OPERATOR))
    assert answer.status == 204
    assert await status(daemon, OPERATOR) == 200


@pytest.mark.parametrize("content", [None, "", "\n"])
def test_a_file_that_is_missing_or_empty_is_no_setting(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content)
    with pytest.raises(WrongSetting, match="operator_token_file"):
        read_settings([f"--operator-token-file={path}"], environ={})
