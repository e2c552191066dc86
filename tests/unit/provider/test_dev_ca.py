"""The development CA: what it is, what it signs, and what it never does."""

from __future__ import annotations

import os
import shutil
import ssl
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provider.issuing.dev_ca import DevCa
from provider.issuing.leaves import Authority, Wanted, is_within, leaf_certificate, wanted_names
from registry.errors import DevCaUnusable, NameNotPermitted, RegistryError, StoreUnavailable
from registry.schema import Environment
from tests.api.bodies import routed, stored

NOW = datetime.now(UTC).replace(microsecond=0)
DOMAINS = ("test", "localhost", "internal")


def wanted(*names: str) -> tuple[Wanted, ...]:
    """Names as if the router's hosts asked for them."""
    return tuple(Wanted(f"/metadata/router/hostnames/{i}", name) for i, name in enumerate(names))


def ca_in(folder: Path, *domains: str, at: datetime = NOW) -> DevCa:
    """The CA of a data folder, as a daemon has it that starts at this time."""
    return DevCa(folder / "dev_ca", domains or DOMAINS, lambda: at)


def made(folder: Path) -> Authority:
    """The CA, after its first use."""
    ca = ca_in(folder)
    ca.sign(wanted("a.test"))
    authority = ca.look()
    assert authority is not None
    return authority


def forged(authority: Authority, *names: str) -> tuple[x509.Certificate, bytes]:
    """A leaf that the CA's key signs past every check of ours, and its key in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = leaf_certificate(key.public_key(), names, authority, NOW)
    return leaf, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def handshake(folder: Path, host: str, leaf: x509.Certificate, key: bytes, ca: Authority) -> None:
    """A client that trusts this CA alone, in memory. Raises ssl.SSLError as it would."""
    (folder / "leaf.pem").write_bytes(leaf.public_bytes(Encoding.PEM) + key)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(folder / "leaf.pem")
    asking = ssl.create_default_context(cadata=ca.certificate.public_bytes(Encoding.PEM).decode())
    asking.verify_flags |= ssl.VERIFY_X509_STRICT
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = asking.wrap_bio(back, there, server_hostname=host)
    server = serving.wrap_bio(there, back, server_side=True)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert client.getpeercert()


def test_it_is_made_on_first_use_with_a_key_for_its_owner_alone(tmp_path: Path) -> None:
    assert ca_in(tmp_path).look() is None
    assert list(tmp_path.iterdir()) == []
    ca_in(tmp_path).sign(wanted("a.test"))
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in (tmp_path / "dev_ca", *(tmp_path / "dev_ca").iterdir())
    }
    assert modes == {"dev_ca": 0o700, "ca.key": 0o600, "ca.crt": 0o644}
    assert [path.name for path in tmp_path.iterdir()] == ["dev_ca"]


def test_it_says_what_it_may(tmp_path: Path) -> None:
    certificate = made(tmp_path).certificate
    extensions = {each.oid: each for each in certificate.extensions}
    basic = extensions[x509.BasicConstraints.oid]
    usage = extensions[x509.KeyUsage.oid]
    limits = extensions[x509.NameConstraints.oid]
    assert basic.critical
    assert usage.critical
    assert limits.critical
    assert (basic.value.ca, basic.value.path_length) == (True, 0)
    assert usage.value.key_cert_sign
    assert usage.value.crl_sign
    assert not usage.value.digital_signature
    assert [str(each.value) for each in limits.value.permitted_subtrees] == [
        *DOMAINS, "127.0.0.0/8", "::1/128",
    ]  # fmt: skip
    assert x509.SubjectKeyIdentifier.oid in extensions
    assert certificate.not_valid_after_utc - NOW == timedelta(days=3650)
    assert isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)


def test_a_leaf_is_a_server_of_its_names_for_ninety_days(tmp_path: Path) -> None:
    names = "a.test", "*.a.test", "127.0.0.1", "::1", "localhost"
    leaf = ca_in(tmp_path).sign(wanted(*names)).certificate
    sans = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert sans.get_values_for_type(x509.DNSName) == ["a.test", "*.a.test", "localhost"]
    assert [*map(str, sans.get_values_for_type(x509.IPAddress))] == ["127.0.0.1", "::1"]
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert leaf.not_valid_before_utc == NOW - timedelta(hours=1)
    assert leaf.not_valid_after_utc == NOW + timedelta(days=90)
    assert [each.value for each in leaf.subject] == ["a.test"]


def test_a_first_name_that_is_too_long_for_a_common_name_is_a_san_alone(tmp_path: Path) -> None:
    name = f"{'a' * 60}.{'b' * 60}.test"
    leaf = ca_in(tmp_path).sign(wanted(name)).certificate
    sans = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert sans.critical
    assert sans.value.get_values_for_type(x509.DNSName) == [name]
    assert leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME) == []


def test_a_leaf_never_outlives_the_ca(tmp_path: Path) -> None:
    end = made(tmp_path).certificate.not_valid_after_utc
    late = ca_in(tmp_path, at=end - timedelta(days=2)).sign(wanted("a.test"))
    assert late.certificate.not_valid_after_utc == end


@pytest.mark.parametrize(
    ("signed_for", "host"),
    [("x.test", "x.test"), ("*.x.test", "a.x.test"), ("127.0.0.1", "127.0.0.1"),
     ("localhost", "localhost"), (f"{'a' * 63}.test", f"{'a' * 63}.test")],
)  # fmt: skip
def test_who_trusts_the_ca_accepts_its_leaf(tmp_path: Path, signed_for: str, host: str) -> None:
    authority = made(tmp_path)
    signed = ca_in(tmp_path).sign(wanted(signed_for))
    handshake(tmp_path, host, signed.certificate, signed.key_pem, authority)


@pytest.mark.parametrize(
    ("names", "host"),
    [(["example.com"], "example.com"), (["a.test", "example.com"], "a.test"),
     (["192.0.2.7"], "192.0.2.7"), (["nottest"], "nottest"), (["*.example.com"], "a.example.com")],
)  # fmt: skip
def test_who_trusts_the_ca_rejects_what_its_stolen_key_signs_for_others(
    tmp_path: Path, names: list[str], host: str
) -> None:
    authority = made(tmp_path)
    leaf, key = forged(authority, *names)
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        handshake(tmp_path, host, leaf, key, authority)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here")
@pytest.mark.parametrize(
    ("name", "good"), [("x.test", True), ("*.x.test", True), ("::1", True), ("::2", False),
                       ("example.com", False), ("test.example.com", False)],
)  # fmt: skip
def test_openssl_keeps_the_constraints(tmp_path: Path, name: str, good: bool) -> None:
    leaf, _ = forged(made(tmp_path), name)
    (tmp_path / "leaf.crt").write_bytes(leaf.public_bytes(Encoding.PEM))
    words = ["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "dev_ca/ca.crt"]
    run = subprocess.run(
        ["openssl", *words, "leaf.crt"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (run.returncode == 0) is good, run.stdout + run.stderr
    assert good or "permitted subtree violation" in run.stdout + run.stderr


@pytest.mark.parametrize(
    ("name", "within"),
    [("test", True), ("a.test", True), ("*.test", True), ("*.a.test", True), ("atest", False),
     ("test.com", False), ("127.9.9.9", True), ("::1", True), ("128.0.0.1", False),
     ("localhost", True), ("x.internal", True)],
)  # fmt: skip
def test_a_domain_is_itself_and_what_is_below(name: str, within: bool) -> None:
    assert is_within(name, DOMAINS) is within


def test_a_name_outside_is_refused_with_its_place_before_a_ca_is_made(tmp_path: Path) -> None:
    with pytest.raises(NameNotPermitted) as refused:
        ca_in(tmp_path).sign(wanted("a.test", "a.example.com"))
    [fault] = refused.value.errors
    assert fault.pointer == "/metadata/router/hostnames/1"
    assert "test, localhost, internal" in fault.message
    assert "ROUTEBOOK_DEV_CA_DOMAINS" in fault.message
    assert list(tmp_path.iterdir()) == []


def test_a_domain_that_was_set_later_is_refused_with_how_to_have_a_new_ca(tmp_path: Path) -> None:
    authority = made(tmp_path)
    later = ca_in(tmp_path, "test", "corp.example")
    with pytest.raises(NameNotPermitted, match="move the folder dev_ca of the data folder away"):
        later.sign(wanted("a.corp.example"))
    assert later.sign(wanted("a.test")).certificate.issuer == authority.certificate.subject
    with pytest.raises(NameNotPermitted):  # taken out of the setting, though the CA may
        later.sign(wanted("localhost"))
    (tmp_path / "dev_ca").rename(tmp_path / "old")
    assert later.sign(wanted("a.corp.example"))


def test_many_first_uses_at_once_make_one_ca(tmp_path: Path) -> None:
    ca = ca_in(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        leaves = [*pool.map(lambda i: ca.sign(wanted(f"a{i}.test")).certificate, range(16))]
    assert len({leaf.issuer for leaf in leaves}) == 1
    authority = ca.look()
    assert authority is not None
    for leaf in leaves:
        leaf.verify_directly_issued_by(authority.certificate)


def test_what_a_crash_left_of_a_first_use_is_swept(tmp_path: Path) -> None:
    left_over = tmp_path / ".dev_ca.abc.part"
    left_over.mkdir()
    (left_over / "ca.key").write_text("half")
    made(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["dev_ca"]


def _nothing(_folder: Path) -> None:
    """Leaves the files as they are."""


@pytest.mark.parametrize(
    ("damage", "at", "reason"),
    [
        (lambda ca: (ca / "ca.key").unlink(), NOW, "ca.key cannot be read"),
        (lambda ca: (ca / "ca.crt").unlink(), NOW, "ca.crt cannot be read"),
        (lambda ca: (ca / "ca.crt").write_text("rubbish"), NOW, "is not PEM"),
        (lambda ca: (ca / "ca.key").write_bytes(b""), NOW, "is not PEM"),
        (lambda ca: (ca / "ca.key").write_bytes(other_key()), NOW, "is not the key of"),
        (_nothing, NOW + timedelta(days=3650), "expired"),
    ],
)
def test_a_broken_or_expired_ca_is_said_and_left_as_it_is(
    tmp_path: Path, damage: object, at: datetime, reason: str
) -> None:
    made(tmp_path)
    folder = tmp_path / "dev_ca"
    damage(folder)  # type: ignore[operator]
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for use in (lambda ca: ca.look(), lambda ca: ca.sign(wanted("a.test"))):
        with pytest.raises(DevCaUnusable, match=reason) as refused:
            use(ca_in(tmp_path, at=at))
        assert "PRIVATE" not in str(refused.value)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def other_key() -> bytes:
    """The key of somebody else."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_a_ca_without_constraints_is_not_used(tmp_path: Path) -> None:
    from provider.observe.default_certificate import self_signed

    (tmp_path / "dev_ca").mkdir()
    certificate, key = self_signed(["Anything CA"], NOW, NOW + timedelta(days=9))
    (tmp_path / "dev_ca" / "ca.crt").write_bytes(certificate)
    (tmp_path / "dev_ca" / "ca.key").write_bytes(key)
    with pytest.raises(DevCaUnusable, match="name constraints"):
        ca_in(tmp_path).sign(wanted("a.test"))


def test_a_folder_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StoreUnavailable):
        ca_in(tmp_path).sign(wanted("a.test"))
    assert list(tmp_path.iterdir()) == []


def test_no_text_form_shows_a_key(tmp_path: Path) -> None:
    authority, signed = made(tmp_path), ca_in(tmp_path).sign(wanted("a.test"))
    assert "PRIVATE" not in f"{authority!r} {signed!r} {authority} {signed}"


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        (routed("A.test.", "*.b.test", "a.test"),
         [("/metadata/router/hostnames/0", "a.test"),
          ("/metadata/router/hostnames/1", "*.b.test")]),
        (routed("a.test", tls={"domains": ["*.a.test"]}),
         [("/metadata/router/tls/domains/0", "*.a.test")]),
        (routed(), [("/host/hostname", "nightshift-dev.test")]),
        ({}, []),
    ],
)  # fmt: skip
def test_the_names_are_those_of_tls_domains_else_the_hosts(
    changes: dict[str, object], names: list[tuple[str, str]]
) -> None:
    assert list(wanted_names(Environment.model_validate(stored(**changes)))) == names


def test_errors_are_of_the_registry() -> None:
    assert issubclass(DevCaUnusable, RegistryError)
