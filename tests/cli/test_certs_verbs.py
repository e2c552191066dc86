"""`routebook certs issue`, `trust` and `check`, as a process against a running daemon."""

from __future__ import annotations

import asyncio
import re
import shlex
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from provider.observe.default_certificate import self_signed
from registry.cli.inspection import covers_host, problems_of
from registry.cli.trusting import ways_to_trust
from tests.api.bodies import routed
from tests.api.steps import create, until_routed
from tests.cli.conftest import Shell
from tests.daemons import Daemon

NOW = datetime.now(UTC)


@asynccontextmanager
async def presenting(cert_file: Path, key_file: Path) -> AsyncIterator[str]:
    """The address of a server that presents this pair to everybody, as a Traefik would."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert_file, key_file)

    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


def self_made(folder: Path, *names: str, days: int = 9) -> tuple[Path, Path]:
    """A self-signed pair, as files."""
    pair = self_signed(list(names), NOW - timedelta(days=2), NOW + timedelta(days=days))
    files = folder / "own.crt", folder / "own.key"
    for file, content in zip(files, pair, strict=True):
        file.write_bytes(content)
    return files


def issued(daemon: Daemon, slug: str = "dev") -> tuple[Path, Path]:
    """The files of an environment."""
    folder = daemon.folders.certificates
    return folder / f"{slug}.crt", folder / f"{slug}.key"


async def test_issue_says_what_was_issued(daemon: Daemon, shell: Shell) -> None:
    made = await create(daemon, "dev", **routed("dev.test", "*.dev.test"))
    ended = await shell("certs", "issue", "--for", "dev")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("issued dev.crt and dev.key\n")
    for word in ("dev.test, *.dev.test", made["environment_id"], "Routebook development CA"):
        assert word in ended.out
    assert all(file.exists() for file in issued(daemon))
    as_json = await shell("certs", "issue", "--for", "dev", "--json")
    assert as_json.value["cert_file"] == "dev.crt"
    assert "PRIVATE" not in as_json.out + ended.out


async def test_a_dry_run_of_issue_makes_nothing(daemon: Daemon, shell: Shell) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    ended = await shell("certs", "issue", "--for", "dev", "--dry-run")
    assert ended.code == 0
    assert '/metadata/router/tls: nothing -> {"cert_file": "dev.crt"' in ended.out
    assert not issued(daemon)[0].exists()


async def test_a_refusal_says_place_and_cure(daemon: Daemon, shell: Shell) -> None:
    await create(daemon, "dev", **routed("dev.example.com"))
    ended = await shell("certs", "issue", "--for", "dev")
    assert ended.code == 1
    assert "name_not_permitted" in ended.err
    assert "/metadata/router/hostnames/0" in ended.err
    assert "ROUTEBOOK_DEV_CA_DOMAINS" in ended.err
    assert (await shell("certs", "trust")).code == 1


async def test_trust_writes_the_certificate_and_prints_commands_with_its_name(
    daemon: Daemon, shell: Shell, tmp_path: Path
) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    await shell("certs", "issue", "--for", "dev")
    file = tmp_path / "my ca.crt"
    ended = await shell("certs", "trust", "--out", str(file))
    assert (ended.code, ended.err) == (0, "")
    authority = x509.load_pem_x509_certificate(file.read_bytes())
    leaf = x509.load_pem_x509_certificate(issued(daemon)[0].read_bytes())
    leaf.verify_directly_issued_by(authority)
    quoted = shlex.quote(str(file))
    for title, command in (
        ("Debian, Ubuntu", f"sudo install -m 0644 {quoted} /usr/local/share/ca-certificates/"),
        ("Fedora, RHEL", "sudo update-ca-trust"),
        ("macOS", "sudo security add-trusted-cert -d -r trustRoot"),
        ("Windows", f'certutil -addstore -f Root "{file}"'),
        ("Firefox", "certutil -A -n routebook-dev-ca"),
        ("curl", f"curl --cacert {quoted} https://HOST/"),
        ("Python requests", f"REQUESTS_CA_BUNDLE={quoted}"),
        ("Node", f"NODE_EXTRA_CA_CERTS={quoted}"),
    ):
        assert title in ended.out
        assert command in ended.out
    assert authority.fingerprint(hashes.SHA256()).hex() in ended.out


async def test_trust_prints_the_certificate_alone_where_no_file_is_named(
    daemon: Daemon, shell: Shell
) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    await shell("certs", "issue", "--for", "dev")
    ended = await shell("certs", "trust")
    assert x509.load_pem_x509_certificates(ended.out.encode())
    assert ended.out.endswith("-----END CERTIFICATE-----\n")
    assert "curl --cacert routebook-dev-ca.crt" in ended.err
    as_json = await shell("certs", "trust", "--json")
    assert as_json.value["pem"] == ended.out
    assert as_json.value["domains"] == ["test", "localhost", "internal"]


async def test_check_passes_a_certificate_of_ours_and_says_who_trusts_it(
    daemon: Daemon, shell: Shell, tmp_path: Path
) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    await shell("certs", "issue", "--for", "dev")
    await until_routed(daemon, "dev.test")
    await shell("certs", "trust", "--out", str(tmp_path / "ca.crt"))
    async with presenting(*issued(daemon)) as address:
        words = ["certs", "check", "DEV.test.", "--address", address]
        ended = await shell(*words, "--json")
        shown = await shell(*words, "--ca", str(tmp_path / "ca.crt"))
    assert ended.code == 0, ended.err
    found = ended.value
    leaf = x509.load_pem_x509_certificate(issued(daemon)[0].read_bytes())
    assert found["host"] == "dev.test"
    assert found["presented"]["names"] == ["dev.test"]
    assert found["presented"]["days_left"] == 89
    assert found["presented"]["fingerprint"] == leaf.fingerprint(hashes.SHA256()).hex()
    assert found["covers"] is True
    assert found["trusted"]["dev_ca"] == {"trusted": True, "reason": None}
    assert found["trusted"]["system"]["trusted"] is False
    assert found["problems"] == []
    rows = dict(re.split(r"  +", line, maxsplit=1) for line in shown.out.splitlines())
    assert rows["trusted with our CA"] == rows["trusted with --ca"] == "yes"
    assert shown.err == ""


@pytest.mark.parametrize(
    ("names", "days", "words"),
    [(["other.test"], 9, "does not cover dev.test"), (["dev.test"], -1, "it ended ")],
)
async def test_check_fails_for_another_name_and_after_the_end(
    daemon: Daemon, shell: Shell, tmp_path: Path, names: Sequence[str], days: int, words: str
) -> None:
    async with presenting(*self_made(tmp_path, *names, days=days)) as address:
        ended = await shell("certs", "check", "dev.test", "--address", address)
    assert ended.code == 1
    assert words in ended.err
    assert "trusted by this system" in ended.out


async def test_check_needs_no_daemon_where_the_address_is_said(
    shell: Shell, tmp_path: Path
) -> None:
    async with presenting(*self_made(tmp_path, "dev.test")) as address:
        words = ["certs", "check", "dev.test", "--address", address]
        ended = await shell(*words, AGENT_API_URL="http://127.0.0.1:1")
    assert ended.code == 0
    assert ended.err.count("what it knows is left out") == 1


async def test_check_fails_where_the_given_ca_does_not_make_it_trusted(
    shell: Shell, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other, _ = self_made(tmp_path / "other", "dev.test")
    own, key = self_made(tmp_path, "dev.test")
    async with presenting(own, key) as address:
        words = ["certs", "check", "dev.test", "--address", address, "--ca"]
        passed = await shell(*words, str(own))
        failed = await shell(*words, str(other))
    assert passed.code == 0, passed.err
    assert failed.code == 1
    assert "it is not trusted with --ca: " in failed.err


async def test_a_ca_that_cannot_be_read_is_wrong_usage(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("no certificate")
    for file, reason in (("none.pem", "No such file"), ("empty.pem", "no certificate in PEM")):
        words = ["certs", "check", "dev.test", "--address", "127.0.0.1:1", "--ca"]
        ended = await shell(*words, str(tmp_path / file))
        assert (ended.code, ended.out) == (2, "")
        assert reason in ended.err


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1"])
async def test_check_says_when_there_is_no_tls(shell: Shell, address: str) -> None:
    ended = await shell("certs", "check", "dev.test", "--address", address)
    assert ended.code == (1 if ":" in address else 2)
    assert address in ended.err
    assert ended.out == ""


@pytest.mark.parametrize(
    ("names", "host", "covered"),
    [(["a.test"], "a.test", True), (["*.a.test"], "b.a.test", True),
     (["*.a.test"], "a.test", False), (["*.a.test"], "c.b.a.test", False),
     (["127.0.0.1"], "127.0.0.1", True), ([], "a.test", False)],
)  # fmt: skip
def test_a_wildcard_covers_one_label(names: list[str], host: str, covered: bool) -> None:
    assert covers_host(names, host) is covered


@pytest.mark.parametrize(("is_presented", "fails"), [(True, 0), (False, 1), (None, 0)])
def test_another_certificate_than_the_records_is_a_problem(
    is_presented: bool | None, fails: int
) -> None:
    found = {
        "host": "a.test",
        "covers": True,
        "presented": {"valid_now": True},
        "trusted": {},
        "expected": {"environment": "e", "cert_file": "a.crt", "is_presented": is_presented},
    }
    assert len(problems_of(found)) == fails


def test_a_file_name_is_one_word_of_each_command() -> None:
    for _, commands in ways_to_trust("a b'; rm -rf x.crt"):
        for command in commands:
            words = shlex.split(command, posix="certutil -addstore" not in command)
            assert "rm" not in words
