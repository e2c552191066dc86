"""Where we listen: never beyond this machine without accounts; over TLS by two settings."""

from __future__ import annotations

import shlex
import ssl
from pathlib import Path

import aiohttp
import pytest

from provider.settings import WrongSetting, read_settings
from tests.access.callers import bearer, book_of, everybody, write_accounts
from tests.access.processes import routebook
from tests.api.bodies import body
from tests.api.steps import ALL, refused
from tests.conftest import StartDaemon, StartProcess
from tests.daemons import Folders, call

BEYOND = ["0.0.0.0:0", "[::]:0", "192.0.2.1:8700", "routebook.test:8700"]


@pytest.mark.parametrize("listen", BEYOND)
async def test_beyond_this_machine_it_takes_accounts(
    start_daemon: StartDaemon, folders: Folders, listen: str
) -> None:
    with pytest.raises(WrongSetting) as refusal:
        await start_daemon(f"--listen={listen}")
    assert f"accounts add EMAIL --role operator --data {folders.data}" in str(refusal.value)
    assert f"tokens create --role traefik --data {folders.data}" in str(refusal.value)


async def test_the_command_exits_with_2_and_names_the_two_that_mend_it(
    start_process: StartProcess,
) -> None:
    process = await start_process("--listen=0.0.0.0:0", listening=False)
    assert await process.ended() == 2
    assert "routebook accounts add EMAIL --role operator" in process.said
    assert "routebook tokens create --role traefik" in process.said
    assert "Traceback" not in process.said


async def test_the_two_commands_mend_it_where_there_is_no_data_folder_yet(tmp_path: Path) -> None:
    data = tmp_path / "not there yet"
    serve = ("serve", "--listen=0.0.0.0:0", f"--data={data}", f"--projects={tmp_path}")
    refusal = await routebook(*serve)
    assert refusal.code == 2
    for line in refusal.err.splitlines():
        words = shlex.split(line.replace("EMAIL", "operator@x.test"))
        if words[:1] == ["routebook"] and words[1] in ("accounts", "tokens"):
            stdin = "correct horse battery\n" * 2
            password = ["--password-stdin"] if words[1] == "accounts" else []
            done = await routebook(*words[1:], *password, stdin=stdin)
            assert done.code == 0, done.err


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "127.0.0.1:0"])
async def test_with_accounts_it_listens_there_and_strangers_are_refused(
    folders: Folders, start_daemon: StartDaemon, listen: str
) -> None:
    headers = everybody(folders.data)
    daemon = await start_daemon(f"--listen={listen}")
    refused(await daemon.call("GET", ALL), 401, "unauthenticated")
    assert (await daemon.call("GET", ALL, headers=headers["viewer"])).status == 200


async def test_a_token_alone_is_enough_to_listen_there(
    folders: Folders, start_daemon: StartDaemon
) -> None:
    book_of(folders.data).create_token("traefik", "traefik")
    daemon = await start_daemon("--listen=0.0.0.0:0")
    refused(await daemon.call("GET", ALL), 401, "unauthenticated")


async def test_beyond_this_machine_it_never_opens_when_the_accounts_go(
    folders: Folders, start_daemon: StartDaemon
) -> None:
    write_accounts(folders.data, "operator@x.test")
    daemon = await start_daemon("--listen=0.0.0.0:0")
    (folders.data / "accounts.json").unlink()
    for path in (ALL, "/traefik/config", "/api/history"):
        refused(await daemon.call("GET", path), 401, "unauthenticated")
    assert (await daemon.call("GET", "/api/health")).value.keys() == {"status"}


async def test_two_settings_make_it_speak_https_and_only_that(
    folders: Folders, start_daemon: StartDaemon, pair: tuple[Path, Path]
) -> None:
    secret, _ = book_of(folders.data).create_token("viewer", "v")
    flags = f"--tls-cert-file={pair[0]}", f"--tls-key-file={pair[1]}"
    daemon = await start_daemon(*flags)
    trust = ssl.create_default_context(cafile=str(pair[0]))
    async with aiohttp.ClientSession(f"https://localhost:{daemon.port}") as session:
        answer = await call(session, "GET", ALL, headers=bearer(secret), ssl=trust)
        assert answer.status == 200
        assert (await call(session, "GET", ALL, ssl=trust)).status == 401
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await call(session, "GET", ALL)
    with pytest.raises(aiohttp.ClientError):
        await daemon.call("GET", "/healthz")


async def test_a_body_of_many_tls_records_arrives_as_it_was_sent(
    start_daemon: StartDaemon, pair: tuple[Path, Path]
) -> None:
    daemon = await start_daemon(f"--tls-cert-file={pair[0]}", f"--tls-key-file={pair[1]}")
    trust = ssl.create_default_context(cafile=str(pair[0]))
    said = {f"s{number}": f"{number % 10}" * 1900 for number in range(100)}
    records = [body(slug, description=words) for slug, words in said.items()]
    async with aiohttp.ClientSession(f"https://localhost:{daemon.port}") as session:
        sent = {"environments": records}
        answer = await call(session, "POST", f"{ALL}:apply", ssl=trust, json=sent)
    assert answer.status == 200, answer.content
    stored = {each["slug"]: each["description"] for each in daemon.folders.stored()}
    assert stored == said


async def test_open_mode_over_https_is_for_our_own_origin(
    start_daemon: StartDaemon, pair: tuple[Path, Path]
) -> None:
    daemon = await start_daemon(f"--tls-cert-file={pair[0]}", f"--tls-key-file={pair[1]}")
    trust = ssl.create_default_context(cafile=str(pair[0]))
    base = f"https://localhost:{daemon.port}"
    async with aiohttp.ClientSession(base) as session:
        answer = await call(session, "GET", ALL, ssl=trust, headers={"Origin": base})
        assert answer.status == 200
        answer = await call(session, "GET", ALL, ssl=trust, headers={"Origin": "https://localhost"})
        refused(answer, 403, "host_not_allowed")


def test_one_of_the_two_settings_alone_is_wrong(pair: tuple[Path, Path]) -> None:
    for flag in (f"--tls-cert-file={pair[0]}", f"--tls-key-file={pair[1]}"):
        with pytest.raises(WrongSetting, match="tls_cert_file, tls_key_file"):
            read_settings([flag], environ={})


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"])
async def test_a_pair_that_cannot_be_used_is_a_wrong_setting(
    start_daemon: StartDaemon, pair: tuple[Path, Path], content: bytes | None
) -> None:
    cert, key = pair
    key.unlink() if content is None else key.write_bytes(content)
    with pytest.raises(WrongSetting, match="tls_cert_file, tls_key_file"):
        await start_daemon(f"--tls-cert-file={cert}", f"--tls-key-file={key}")
