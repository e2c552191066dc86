"""The certificate folder as an inventory: what is in it, and which key belongs to what."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.hashes import SHA256

from provider.observe import certificate_files, pairs
from provider.observe.certificate_files import CertificateInventory
from provider.observe.default_certificate import ensure_default_certificate
from provider.observe.plumbing import CertificateFile
from tests.unit.provider.observe.pems import START, pem, put

NOW = datetime(2026, 2, 1, tzinfo=UTC)
APP, OTHER = pem("app.test", "*.app.test"), pem("other.test")
NAMED = [("app.crt", "app.key")]


def looked(folder: Path, *named: tuple[str, str]) -> list[CertificateFile]:
    """What is in the folder, with these pairs named by records."""
    return list(CertificateInventory(folder, lambda: NOW).look(named))


def only(folder: Path, *named: tuple[str, str]) -> CertificateFile:
    """The one certificate that there is."""
    (found,) = looked(folder, *named)
    return found


def der(certificate: bytes) -> bytes:
    """A PEM certificate in DER."""
    loaded = x509.load_pem_x509_certificate(certificate)
    return loaded.public_bytes(serialization.Encoding.DER)


def test_a_named_pair_is_shown_with_all_that_it_says(tmp_path: Path) -> None:
    put(tmp_path, "app", APP, mode=0o600)
    fingerprint = x509.load_pem_x509_certificate(APP[0]).fingerprint(SHA256()).hex()
    assert only(tmp_path, *NAMED) == CertificateFile(
        cert_file="app.crt",
        key_file="app.key",
        looked_at=NOW,
        names=("*.app.test", "app.test"),
        issuer="CN=app.test",
        not_before=START,
        not_after=START + timedelta(days=90),
        fingerprint=fingerprint,
        key_matches=True,
        key_mode=0o600,
    )


def test_what_no_record_names_is_found_by_content_with_the_key_beside_it(tmp_path: Path) -> None:
    put(tmp_path, "app", APP)
    (tmp_path / "sub").mkdir()
    put(tmp_path / "sub", "other", OTHER)
    found = looked(tmp_path)
    assert [(each.cert_file, each.key_file, each.problem) for each in found] == [
        ("app.crt", "app.key", None),
        ("sub/other.crt", "sub/other.key", None),
    ]


@pytest.mark.parametrize(
    ("certificate", "key"),
    [
        ("a.pem", "a.key"),
        ("a.pem", "a-key.pem"),
        ("fullchain.pem", "privkey.pem"),
        ("tls.crt", "tls.key"),
        ("a.txt", "quite-another-name"),
        ("both.pem", "both.pem"),
    ],
)
def test_a_key_is_known_by_its_public_half_whatever_it_is_called(
    tmp_path: Path, certificate: str, key: str
) -> None:
    (tmp_path / certificate).write_bytes(APP[0])
    with (tmp_path / key).open("ab") as file:
        file.write(APP[1])
    (tmp_path / "b.key").write_bytes(OTHER[1])
    found = only(tmp_path)
    assert (found.cert_file, found.key_file, found.key_matches) == (certificate, key, True)


def test_of_several_files_with_its_key_the_nearest_is_taken(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    put(tmp_path / "sub", "app", APP)
    (tmp_path / "app.key").write_bytes(APP[1])
    (tmp_path / "sub" / "aaa.key").write_bytes(APP[1])
    assert only(tmp_path).key_file == "sub/app.key"


def test_a_key_beside_it_that_does_not_match_is_shown_as_such(tmp_path: Path) -> None:
    put(tmp_path, "app", (APP[0], OTHER[1]))
    found = only(tmp_path)
    assert (found.key_file, found.key_matches) == ("app.key", False)
    assert found.problem == "app.key is not the key of app.crt"
    assert found.names == ("*.app.test", "app.test")


def test_a_certificate_without_a_key_cannot_be_served(tmp_path: Path) -> None:
    put(tmp_path, "app", APP, only="crt")
    found = only(tmp_path)
    assert (found.key_file, found.key_matches, found.key_mode) == (None, None, None)
    assert found.problem == "no key of app.crt is in the folder"


@pytest.mark.parametrize(("missing", "there"), [("app.crt", "key"), ("app.key", "crt")])
def test_a_named_file_that_is_missing_is_said(tmp_path: Path, missing: str, there: str) -> None:
    put(tmp_path, "app", APP, only=there)
    assert only(tmp_path, *NAMED).problem == f"{missing} is not there"


def test_a_pair_that_two_records_name_is_one(tmp_path: Path) -> None:
    put(tmp_path, "app", APP)
    assert only(tmp_path, *NAMED, *NAMED).problem is None


def test_a_chain_in_the_wrong_order_is_said(tmp_path: Path) -> None:
    put(tmp_path, "app", (OTHER[0] + APP[0], APP[1]))
    problem = "app.key is not the key of app.crt but of certificate 2 in it"
    assert problem in str(only(tmp_path, *NAMED).problem)


def test_a_chain_counts_by_its_first_certificate(tmp_path: Path) -> None:
    put(tmp_path, "app", (APP[0] + OTHER[0], APP[1]))
    found = only(tmp_path)
    assert (found.names, found.problem) == (("*.app.test", "app.test"), None)


def test_der_is_said_to_be_der(tmp_path: Path) -> None:
    put(tmp_path, "app", (der(APP[0]), APP[1]))
    assert "app.crt holds no certificate in PEM: it is in DER" in str(only(tmp_path).problem)


def test_a_key_in_der_or_with_a_password_is_said(tmp_path: Path) -> None:
    key = serialization.load_pem_private_key(APP[1], None)
    forms = serialization.Encoding, serialization.PrivateFormat.PKCS8
    plain = key.private_bytes(forms[0].DER, forms[1], serialization.NoEncryption())
    locked = key.private_bytes(
        forms[0].PEM, forms[1], serialization.BestAvailableEncryption(b"secret")
    )
    put(tmp_path, "app", (APP[0], plain))
    assert "it is in DER" in str(only(tmp_path, *NAMED).problem)
    put(tmp_path, "app", (APP[0], locked))
    assert "it has a password" in str(only(tmp_path, *NAMED).problem)
    assert only(tmp_path, *NAMED).key_matches is None


def test_a_file_that_is_called_a_certificate_and_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "torn.crt").write_bytes(b"torn")
    assert only(tmp_path).problem == "torn.crt holds no certificate in PEM"


def test_other_files_are_not_certificates(tmp_path: Path) -> None:
    for name in ("README.md", ".gitkeep", "dhparams.pem", "app.csr", "notes"):
        (tmp_path / name).write_text("nothing of the kind")
    (tmp_path / "lonely.key").write_bytes(APP[1])
    (tmp_path / "lonely-key.pem").write_bytes(APP[1])
    assert looked(tmp_path) == []


def test_what_is_ours_is_apart(tmp_path: Path) -> None:
    ensure_default_certificate(tmp_path)
    (tmp_path / ".live" / "x").mkdir(parents=True)
    (tmp_path / ".live" / "x" / "cert.pem").write_bytes(APP[0])
    assert looked(tmp_path) == []


def test_a_link_that_leads_outside_is_a_problem_and_never_followed(tmp_path: Path) -> None:
    certs = tmp_path / "certs"
    certs.mkdir()
    put(tmp_path, "app", APP)
    (certs / "app.crt").symlink_to(tmp_path / "app.crt")
    (certs / "folder").symlink_to(tmp_path)
    put(certs, "app", APP, only="key")
    for named in ([], NAMED):
        found = only(certs, *named)
        assert found.problem == "app.crt leads out of the certificate folder"
        assert (found.fingerprint, found.names) == (None, ())


def test_a_link_inside_the_folder_is_followed(tmp_path: Path) -> None:
    put(tmp_path, "2026", APP)
    (tmp_path / "current.crt").symlink_to("2026.crt")
    assert {each.problem for each in looked(tmp_path, ("current.crt", "2026.key"))} == {None}


def test_a_pipe_does_not_stop_the_look(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.crt")
    assert only(tmp_path).problem == "pipe.crt cannot be read: it is no file"


def test_a_file_that_is_too_large_is_said(tmp_path: Path) -> None:
    put(tmp_path, "app", (APP[0] + b"\n" * pairs.FILE_BYTES_MAX, APP[1]))
    assert only(tmp_path, *NAMED).problem == "app.crt is larger than 1048576 bytes"


def test_a_change_is_seen_and_what_stayed_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "app", APP)
    inventory = CertificateInventory(tmp_path)
    inventory.look(NAMED)
    read: list[str] = []
    reading = certificate_files.read_inside

    def watched(folder: Path, name: str) -> bytes:
        read.append(name)
        return reading(folder, name)

    monkeypatch.setattr(certificate_files, "read_inside", watched)
    inventory.look(NAMED)
    assert read == []
    put(tmp_path, "app", OTHER, only="crt")
    assert inventory.look(NAMED)[0].key_matches is False
    assert read == ["app.crt"]
    put(tmp_path, "app", OTHER, only="key")
    assert inventory.look(NAMED)[0].problem is None


def test_a_change_of_permissions_alone_is_seen(tmp_path: Path) -> None:
    put(tmp_path, "app", APP, mode=0o600)
    inventory = CertificateInventory(tmp_path)
    assert inventory.look(NAMED)[0].key_mode == 0o600
    (tmp_path / "app.key").chmod(0o644)
    assert inventory.look(NAMED)[0].key_mode == 0o644


def test_named_pairs_count_before_all_other_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificate_files, "FILES_MAX", 2)
    put(tmp_path, "app", APP)
    put(tmp_path, "aaa", OTHER)
    assert [each.cert_file for each in looked(tmp_path, *NAMED)] == ["app.crt"]
    found = looked(tmp_path, ("aaa.crt", "aaa.key"), *NAMED)
    assert [each.problem for each in found] == [None, "not looked at: more than 2 files"]


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert looked(tmp_path / "none") == []
    assert only(tmp_path / "none", *NAMED).problem == "app.crt is not there"


def test_nothing_of_a_key_is_kept(tmp_path: Path) -> None:
    put(tmp_path, "app", APP)
    inventory = CertificateInventory(tmp_path)
    shown = repr(inventory.look(NAMED)) + repr(vars(inventory))
    for line in APP[1].decode().splitlines()[1:-1]:
        assert line not in shown
