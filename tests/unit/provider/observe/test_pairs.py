"""Two files as a pair: what they are, and why they are none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from provider.observe.pairs import UnusablePair, parse_pair, read_pair
from tests.unit.provider.observe.pems import START, pem, put


def why_not(certificate: bytes, key: bytes) -> str:
    """Why these are no pair."""
    with pytest.raises(UnusablePair) as raised:
        parse_pair(certificate, key, "app.crt", "app.key")
    return str(raised.value)


def test_the_names_are_the_sans_and_the_cn_in_lower_case_and_sorted() -> None:
    found = parse_pair(*pem("WWW.App.test", "*.app.test", "app.test"), "app.crt", "app.key")
    assert found.names == ("*.app.test", "app.test", "www.app.test")


def test_the_end_is_that_of_the_certificate() -> None:
    found = parse_pair(*pem("app.test", days=3), "app.crt", "app.key")
    assert found.not_after == START + timedelta(days=3)


def test_a_chain_is_judged_by_its_first_certificate() -> None:
    (leaf, key), (issuer, _) = pem("leaf.test"), pem("ca.test")
    assert parse_pair(leaf + issuer, key, "app.crt", "app.key").names == ("leaf.test",)
    assert "is not the key of" in why_not(issuer + leaf, key)


def test_another_certificate_or_key_is_another_pair() -> None:
    one, two = pem("app.test", serial=1), pem("app.test", serial=2)
    prints = {parse_pair(*each, "app.crt", "app.key").fingerprint for each in (one, two)}
    assert len(prints) == 2
    assert parse_pair(*one, "a", "b").fingerprint == parse_pair(*one, "c", "d").fingerprint


def test_the_key_of_another_certificate_is_no_pair() -> None:
    reason = why_not(pem("app.test", serial=1)[0], pem("app.test", serial=2)[1])
    assert reason == "app.key is not the key of app.crt"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        pem("app.test")[0][:200],
        pem("app.test")[1],
    ],
    ids=["empty", "text", "not DER", "torn", "a key"],
)
def test_what_holds_no_certificate_is_said_to(content: bytes) -> None:
    assert why_not(content, pem("app.test")[1]) == "app.crt holds no certificate in PEM"


@pytest.mark.parametrize(
    "content",
    [b"", b"text", pem("app.test")[1][:100], pem("app.test")[0]],
    ids=["empty", "text", "torn", "a certificate"],
)
def test_what_holds_no_key_is_said_to(content: bytes) -> None:
    assert "app.key holds no private key" in why_not(pem("app.test")[0], content)


def test_a_key_with_a_password_cannot_be_used() -> None:
    key = serialization.load_pem_private_key(pem("app.test")[1], None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    assert "without a password" in why_not(pem("app.test")[0], locked)


def test_no_reason_holds_anything_of_the_key() -> None:
    certificate, key = pem("app.test")
    body = key.splitlines()[1].decode()
    assert body not in why_not(certificate, key[:-40])
    assert body not in why_not(pem("other.test")[0], key)


def test_an_rsa_pair_without_sans_is_known_by_its_cn_and_addresses_count() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Box.Test")])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
    )
    pem_key = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    plain = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    assert parse_pair(plain, pem_key, "a", "b").names == ("box.test",)
    assert "is not the key" in why_not(plain, _other_key())


def _other_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def test_files_are_read_from_inside_the_folder(tmp_path: Path) -> None:
    put(tmp_path, "app", pem("app.test"))
    assert read_pair(tmp_path, "app.crt", "app.key").names == ("app.test",)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    put(tmp_path, "app", pem("app.test"), only="crt")
    with pytest.raises(UnusablePair, match=r"^app\.key is not there$") as raised:
        read_pair(tmp_path, "app.crt", "app.key")
    assert not raised.value.outside


def test_a_folder_cannot_be_read_as_a_file(tmp_path: Path) -> None:
    put(tmp_path, "app", pem("app.test"), only="crt")
    (tmp_path / "app.key").mkdir()
    with pytest.raises(UnusablePair, match=r"app\.key cannot be read"):
        read_pair(tmp_path, "app.crt", "app.key")


@pytest.mark.parametrize("name", ["../app.crt", "link.crt", "folder/app.crt", "dangling.crt"])
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    certs = tmp_path / "certs"
    certs.mkdir()
    put(tmp_path, "app", pem("app.test"))
    put(certs, "app", pem("app.test"))
    (certs / "link.crt").symlink_to(tmp_path / "app.crt")
    (certs / "folder").symlink_to(tmp_path)
    (certs / "dangling.crt").symlink_to("../none.crt")
    with pytest.raises(UnusablePair, match="leads out of the certificate folder") as raised:
        read_pair(certs, name, "app.key")
    assert raised.value.outside


def test_a_link_inside_the_folder_is_followed(tmp_path: Path) -> None:
    put(tmp_path, "app", pem("app.test"))
    (tmp_path / "current.crt").symlink_to("app.crt")
    assert read_pair(tmp_path, "current.crt", "app.key").names == ("app.test",)


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "certs").symlink_to("real")
    put(tmp_path / "real", "app", pem("app.test"))
    assert read_pair(tmp_path / "certs", "app.crt", "app.key").names == ("app.test",)


def test_a_link_to_itself_is_an_unusable_pair(tmp_path: Path) -> None:
    (tmp_path / "app.crt").symlink_to("app.crt")
    with pytest.raises(UnusablePair):
        read_pair(tmp_path, "app.crt", "app.key")
