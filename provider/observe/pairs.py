"""Reading a certificate and its key from two files: what they are, and whether they match."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtensionOID, NameOID

# TypeError: the key has a password. UnsupportedAlgorithm: a curve that nobody uses any more.
_UNREADABLE = (ValueError, TypeError, IndexError, UnsupportedAlgorithm, x509.DuplicateExtension)


class UnusablePair(ValueError):
    """Why two files are no pair, in words that name the file and never its content.

    `outside` says that a name leads out of the folder, through a link for instance; `mismatch`
    that both are fine, and the key is that of another certificate.
    """

    def __init__(self, reason: str, *, outside: bool = False, mismatch: bool = False) -> None:
        super().__init__(reason)
        self.outside, self.mismatch = outside, mismatch


@dataclass(frozen=True)
class PairFiles:
    """The two contents of a pair that parses and matches. `names` as Traefik keys it."""

    certificate: bytes
    key: bytes
    names: tuple[str, ...]
    not_after: datetime

    @property
    def fingerprint(self) -> str:
        """64 hex digits over both contents: another certificate or key is another pair."""
        return hashlib.sha256(self.certificate + b"\0" + self.key).hexdigest()


def read_pair(folder: Path, cert_file: str, key_file: str) -> PairFiles:
    """Both files, from inside `folder`. Raises UnusablePair."""
    certificate, key = _inside(folder, cert_file), _inside(folder, key_file)
    return parse_pair(
        _content(certificate, cert_file), _content(key, key_file), cert_file, key_file
    )


def parse_pair(certificate: bytes, key: bytes, cert_file: str, key_file: str) -> PairFiles:
    """Two contents as a pair. Raises UnusablePair when one does not parse or they do not match."""
    spki = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    try:
        leaf = x509.load_pem_x509_certificates(certificate)[0]
        names, not_after = _names(leaf), leaf.not_valid_after_utc
        certified = leaf.public_key().public_bytes(*spki)
    except _UNREADABLE as error:
        raise UnusablePair(f"{cert_file} holds no certificate in PEM") from error
    try:
        private = load_pem_private_key(key, password=None)
        own = private.public_key().public_bytes(*spki)
    except _UNREADABLE as error:
        raise UnusablePair(f"{key_file} holds no private key in PEM without a password") from error
    if own != certified:
        raise UnusablePair(f"{key_file} is not the key of {cert_file}", mismatch=True)
    return PairFiles(certificate, key, names, not_after)


def _inside(folder: Path, name: str) -> Path:
    try:
        root, path = folder.resolve(), (folder / name).resolve()
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead in a circle
        raise UnusablePair(f"{name} leads nowhere: {error}", outside=True) from error
    if not path.is_relative_to(root):
        raise UnusablePair(f"{name} leads out of the certificate folder", outside=True)
    return path


def _content(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UnusablePair(f"{name} is not there") from error
    except OSError as error:
        raise UnusablePair(f"{name} cannot be read: {error.strerror}") from error


def _names(leaf: x509.Certificate) -> tuple[str, ...]:
    """Lower-case SANs and CN, sorted (traefik pkg/tls/certificate.go)."""
    common = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    names = {str(attribute.value) for attribute in common}
    try:
        sans = leaf.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    except x509.ExtensionNotFound:
        sans = None
    if isinstance(sans, x509.SubjectAlternativeName):
        names.update(sans.get_values_for_type(x509.DNSName))
        names.update(str(address) for address in sans.get_values_for_type(x509.IPAddress))
    return tuple(sorted(name.lower() for name in names))
