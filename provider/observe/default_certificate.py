"""The default certificate: self-signed, made once, kept; it saves Traefik an RSA key a reload."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from provider.observe.pairs import UnusablePair, read_pair
from registry.engines.durable import write_durably

FOLDER = ".default"
CERT_FILE, KEY_FILE = f"{FOLDER}/cert.pem", f"{FOLDER}/key.pem"
_VALID = timedelta(days=825)
_RENEWED_BEFORE = timedelta(days=30)


def ensure_default_certificate(certs: Path, now: datetime | None = None) -> None:
    """Make `.default/{cert,key}.pem` when there is none, or it ends within 30 days."""
    at = now or datetime.now(UTC)
    try:
        if read_pair(certs, CERT_FILE, KEY_FILE).not_after - at > _RENEWED_BEFORE:
            return
    except UnusablePair:
        pass
    (certs / FOLDER).mkdir(parents=True, exist_ok=True)
    certificate, key = self_signed(["routebook.invalid"], at, at + _VALID)
    # Traefik may run as another user: whoever shares the folder's group may read the key.
    group = certs.stat().st_gid
    write_durably(certs / KEY_FILE, key, mode=0o640, group=group)
    write_durably(certs / CERT_FILE, certificate, mode=0o644, group=group)


def self_signed(names: list[str], not_before: datetime, not_after: datetime) -> tuple[bytes, bytes]:
    """A P-256 certificate for these DNS names, and its key, both in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    encoded_key = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(pem), encoded_key
