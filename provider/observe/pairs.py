"""Reading a certificate and its key from two files: what they are, and whether they match."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtensionOID, NameOID

from registry.engines.reading import Signature

FILE_BYTES_MAX = 1024 * 1024
_ISSUER_MAX = 500
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


@dataclass(frozen=True, slots=True)
class Leaf:
    """The first certificate of a file, which is the one that is served; `names` as Traefik's.

    `fingerprint` is the SHA-256 of its DER in hex. `public` stands for its public key, as
    `parse_key` gives it, and `further` for those of the certificates that follow.
    """

    names: tuple[str, ...]
    issuer: str
    not_before: datetime
    not_after: datetime
    fingerprint: str
    public: str
    further: tuple[str, ...]


def read_pair(folder: Path, cert_file: str, key_file: str) -> PairFiles:
    """Both files, from inside `folder`. Raises UnusablePair."""
    certificate, key = _inside(folder, cert_file), _inside(folder, key_file)
    return parse_pair(
        _content(certificate, cert_file), _content(key, key_file), cert_file, key_file
    )


def read_inside(folder: Path, name: str) -> bytes:
    """The content of a file of 1 MiB at most, from inside `folder`. Raises UnusablePair."""
    return _content(_inside(folder, name), name)


def signature_of(path: Path) -> Hashable:
    """What a write changes, and mode and group, which copies have too; None while there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return Signature.of(status), status.st_mode, status.st_gid


def parse_pair(certificate: bytes, key: bytes, cert_file: str, key_file: str) -> PairFiles:
    """Two contents as a pair. Raises UnusablePair when one does not parse or they do not match."""
    leaf = parse_certificate(certificate, cert_file)
    problem = mismatch(leaf, parse_key(key, key_file), cert_file, key_file)
    if problem is not None:
        raise UnusablePair(problem, mismatch=True)
    return PairFiles(certificate, key, leaf.names, leaf.not_after)


def parse_certificate(content: bytes, name: str) -> Leaf:
    """The certificates of a PEM file. Raises UnusablePair."""
    try:
        first, *others = x509.load_pem_x509_certificates(content)
        return Leaf(
            names=_names(first),
            issuer=first.issuer.rfc4514_string()[:_ISSUER_MAX],
            not_before=first.not_valid_before_utc,
            not_after=first.not_valid_after_utc,
            fingerprint=first.fingerprint(SHA256()).hex(),
            public=_public(first),
            further=tuple(map(_public, others)),
        )
    except _UNREADABLE as error:
        der = f": it is in DER; `openssl x509 -inform der -in {name}` makes PEM of it"
        words = der if _is_der(content) else ""
        raise UnusablePair(f"{name} holds no certificate in PEM{words}") from error


def parse_key(content: bytes, name: str) -> str:
    """What stands for the public half of a private key in PEM, to compare. Raises UnusablePair."""
    words = f"{name} holds no private key in PEM without a password"
    try:
        return _public(load_pem_private_key(content, password=None))
    except TypeError as error:
        raise UnusablePair(f"{words}: it has a password") from error
    except _UNREADABLE as error:
        raise UnusablePair(f"{words}{': it is in DER' * _is_der_key(content)}") from error


def mismatch(leaf: Leaf, public: str, cert_file: str, key_file: str) -> str | None:
    """Why this key is not the one of the first certificate; None when it is."""
    if public == leaf.public:
        return None
    words = f"{key_file} is not the key of {cert_file}"
    if public in leaf.further:
        number = leaf.further.index(public) + 2
        return f"{words} but of certificate {number} in it: the host's own goes first"
    return words


def _public(holder: x509.Certificate | PrivateKeyTypes) -> str:
    spki = holder.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()


def _is_der(content: bytes) -> bool:
    try:
        x509.load_der_x509_certificate(content)
    except _UNREADABLE:
        return False
    return True


def _is_der_key(content: bytes) -> bool:
    try:
        load_der_private_key(content, password=None)
    except TypeError:
        return True
    except _UNREADABLE:
        return False
    return True


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
        if not stat.S_ISREG(path.stat().st_mode):  # to open a pipe would wait for its other end
            raise UnusablePair(f"{name} cannot be read: it is no file")
        with path.open("rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError as error:
        raise UnusablePair(f"{name} is not there") from error
    except OSError as error:
        raise UnusablePair(f"{name} cannot be read: {error.strerror}") from error
    if len(content) > FILE_BYTES_MAX:
        raise UnusablePair(f"{name} is larger than {FILE_BYTES_MAX} bytes")
    return content


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
