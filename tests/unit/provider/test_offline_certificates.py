"""The certificates of a folder judged without a daemon: what is a fault, what a warning."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from provider.observe.certificates import CertificateFolder
from provider.observe.default_certificate import ensure_default_certificate
from tests.daemons import Folders
from tests.records import merged
from tests.unit.provider.observe.pems import START, pem, put
from tests.unit.provider.offline import TLS, judged, lines, place, routed, write


@pytest.mark.parametrize(
    ("only", "key", "reason"),
    [
        ("key", "cert_file", "app.crt is not there"),
        ("crt", "key_file", "app.key is not there"),
    ],
)
async def test_a_certificate_that_is_not_there_is_a_fault_at_the_name_of_the_file(
    folders: Folders, only: str, key: str, reason: str
) -> None:
    put(folders.certificates, "app", pem("dev.test"), only=only, mode=0o600)
    write(folders, routed(tls=TLS), routed("two", tls=TLS))
    file = TLS[key]
    found = await judged(folders)
    assert lines(found) == [
        f"{place(folders, file, nth)}: /metadata/router/tls/{key}: {reason}" for nth in (1, 2)
    ]
    assert {fault.code for fault in found.faults} == {"certificate_left_out"}
    assert found.left_out == found.faults


@pytest.mark.parametrize(
    ("stem", "content", "key", "reason"),
    [
        ("app.crt", b"torn", "cert_file", "app.crt holds no certificate in PEM"),
        ("app.key", b"torn", "key_file", "app.key holds no private key in PEM without a password"),
        ("app.key", pem("dev.test", serial=2)[1], "key_file", "app.key is not the key of app.crt"),
    ],
)
async def test_a_pair_that_is_none_is_a_fault(
    folders: Folders, stem: str, content: bytes, key: str, reason: str
) -> None:
    put(folders.certificates, "app", pem("dev.test"), mode=0o600)
    (folders.certificates / stem).write_bytes(content)
    write(folders, routed(tls=TLS))
    assert lines(await judged(folders)) == [
        f"{place(folders, stem)}: /metadata/router/tls/{key}: {reason}"
    ]


async def test_a_certificate_out_of_the_folder_is_a_fault_though_nothing_is_routed(
    folders: Folders, tmp_path: Path
) -> None:
    put(tmp_path, "app", pem("dev.test"), mode=0o600)
    for name in ("app.crt", "app.key"):
        (folders.certificates / name).symlink_to(tmp_path / name)
    write(folders, merged(routed(tls=TLS), {"lifecycle": {"state": "planned"}}))
    found = await judged(folders)
    assert lines(found) == [
        f"{place(folders, 'app.crt')}: /metadata/router/tls/cert_file: "
        "app.crt leads out of the certificate folder"
    ]
    assert found.faults[0].code == "invalid_record"


async def test_a_record_that_claims_nothing_needs_no_certificate(folders: Folders) -> None:
    put(folders.certificates, "other", pem("other.test"), mode=0o600)
    write(folders, merged(routed(tls=TLS), {"lifecycle": {"state": "planned"}}))
    found = await judged(folders)
    assert found.findings == ()
    assert found.certificates == 1


async def test_where_there_is_no_certificate_at_all_an_absent_one_is_a_warning(
    folders: Folders,
) -> None:
    (folders.certificates / ".gitkeep").touch()
    write(folders, routed(tls=TLS), routed("two", tls=TLS))
    found = await judged(folders)
    assert found.faults == []
    assert [str(each) for each in found.warnings] == [
        f"{place(folders, 'app.crt')}: /metadata/router/tls/cert_file: "
        "app.crt is not there, nor is any other certificate, as in a checkout: not judged"
    ]
    assert found.left_out == found.warnings


async def test_an_expired_certificate_is_a_fault_and_stays_in_the_document(
    folders: Folders,
) -> None:
    put(folders.certificates, "app", pem("dev.test", days=90), mode=0o600)
    write(folders, routed(tls=TLS))
    found = await judged(folders, START + timedelta(days=90))
    assert lines(found) == [
        f"{place(folders, 'app.crt')}: /metadata/router/tls/cert_file: app.crt ended on 2026-04-01"
    ]
    assert found.document is not None
    assert b"/certs/.live/" in found.document.body
    assert found.left_out == []


@pytest.mark.parametrize(("days", "warned"), [(59, False), (60, True), (89, True)])
async def test_a_certificate_that_ends_within_30_days_is_one_warning(
    folders: Folders, days: int, warned: bool
) -> None:
    put(folders.certificates, "app", pem("dev.test", "two.test", days=90), mode=0o600)
    write(folders, routed(tls=TLS), routed("two", tls=TLS))
    found = await judged(folders, START + timedelta(days=days))
    assert found.faults == []
    assert [each.message for each in found.warnings] == ["app.crt ends on 2026-04-01"] * warned


async def test_a_key_that_everyone_can_read_is_a_warning(folders: Folders) -> None:
    put(folders.certificates, "app", pem("dev.test"), mode=0o644)
    write(folders, routed(tls=TLS))
    found = await judged(folders)
    assert found.faults == []
    assert [str(each) for each in found.warnings] == [
        f"{place(folders, 'app.key')}: /metadata/router/tls/key_file: "
        "app.key can be read by everyone (mode 0644)"
    ]


async def test_a_certificate_for_other_hosts_is_a_warning(folders: Folders) -> None:
    put(folders.certificates, "app", pem("*.dev.test", "dev.test"), mode=0o600)
    hosts = ["dev.test", "a.dev.test", "*.dev.test", "a.b.dev.test", "other.test"]
    write(folders, routed(tls=TLS, hostnames=hosts))
    found = await judged(folders)
    assert [each.message for each in found.warnings] == [
        "app.crt is not for a.b.dev.test, other.test"
    ]


async def test_a_certificate_of_a_record_without_tls_routers_may_be_for_other_hosts(
    folders: Folders,
) -> None:
    put(folders.certificates, "app", pem("other.test"), mode=0o600)
    write(folders, routed(tls=TLS, entrypoints=["web"]))
    assert (await judged(folders)).findings == ()
    assert (await judged(folders, tls_entrypoints=frozenset({"web"}))).findings != ()


async def test_a_last_good_copy_that_is_there_is_used_and_said(folders: Folders) -> None:
    write(folders, routed(tls=TLS))
    put(folders.certificates, "app", pem("dev.test"), mode=0o600)
    before = await judged(folders)
    assert before.document is not None
    CertificateFolder(folders.certificates, "/certs").look("app.crt", "app.key")  # it copies
    put(folders.certificates, "app", pem("dev.test", serial=2), only="key", mode=0o600)
    found = await judged(folders)
    assert found.document is not None
    assert found.document.body == before.document.body
    (line,) = lines(found)
    assert line.endswith("app.key is not the key of app.crt; its last good copy stays in service")


async def test_a_default_certificate_that_is_not_made_yet_is_a_warning(folders: Folders) -> None:
    found = await judged(folders, default_certificate=True)
    assert found.faults == []
    assert [str(each) for each in found.warnings] == [
        f"{folders.certificates}/.default/cert.pem:1:1: "
        ".default/cert.pem is not there; `serve` makes it"
    ]
    ensure_default_certificate(folders.certificates)
    found = await judged(folders, default_certificate=True)
    assert found.findings == ()
    assert found.document is not None
    assert b"defaultCertificate" in found.document.body
