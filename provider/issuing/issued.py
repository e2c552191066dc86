"""Certificate files that we issued, told from those that a person put beside them.

`data/state/issued.json` knows the digests of what was issued, never a key. It is written before
the files are, so that files which a crash left half replaced are still known as ours.
"""

from __future__ import annotations

import hashlib
import json
import stat
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from provider.issuing.leaves import Authority, is_signed_by
from registry.engines.durable import as_registry_errors, sync_folder, write_beside, write_durably

_REMEMBERED = timedelta(days=365)  # beyond the end of the certificate
_UNREADABLE = (ValueError, TypeError, IndexError, UnsupportedAlgorithm, x509.DuplicateExtension)


class PairNames(NamedTuple):
    """The names of two files in the certificate folder."""

    cert_file: str
    key_file: str


class IssuedPairs:
    """The pairs in the certificate folder that we issued."""

    def __init__(self, certs: Path, ledger: Path) -> None:
        self._certs, self._ledger = certs, ledger

    def foreign(self, names: PairNames, authority: Authority | None) -> list[str]:
        """Those of the two files that are there and are not of us."""
        certificate = self._certificate(names.cert_file, authority)
        known = self._known("key") | (
            {key_digest(certificate.public_key())} if certificate else set()
        )
        foreign = [] if certificate or self._is_absent(names.cert_file) else [names.cert_file]
        if not self._is_absent(names.key_file) and self._key_digest(names.key_file) not in known:
            foreign.append(names.key_file)
        return foreign

    def is_ours(self, names: PairNames, authority: Authority | None) -> bool:
        """Whether both are there, and of us."""
        there = not any(map(self._is_absent, names))
        return there and not self.foreign(names, authority)

    def put(self, names: PairNames, certificate: x509.Certificate, key_pem: bytes) -> None:
        """Replace both files, the key first, each by a rename; what served goes on being served.

        Files that are there keep mode and group; new ones have the folder's group, the key 0640,
        since Traefik may run as another user. Raises DiskFull and StoreUnavailable.
        """
        self._remember(certificate)
        pem = certificate.public_bytes(Encoding.PEM)
        with as_registry_errors(names.cert_file), ExitStack() as unfinished:
            # Both are whole on disk before either is put in place: what can fail has not, and the
            # two renames follow each other at once.
            new = [
                (self._beside(name, content, mode, unfinished), self._certs / name)
                for name, content, mode in (
                    (names.key_file, key_pem, 0o640),
                    (names.cert_file, pem, 0o644),
                )
            ]
            for temporary, target in new:
                temporary.replace(target)
            sync_folder(self._certs)

    def _beside(self, name: str, content: bytes, mode: int, unfinished: ExitStack) -> Path:
        group = self._certs.stat().st_gid if self._is_absent(name) else None
        temporary = Path(write_beside(self._certs / name, (content,), mode, group))
        unfinished.callback(temporary.unlink, missing_ok=True)
        return temporary

    def _is_absent(self, name: str) -> bool:
        try:
            (self._certs / name).lstat()
        except FileNotFoundError:
            return True
        return False

    def _certificate(self, name: str, authority: Authority | None) -> x509.Certificate | None:
        """The certificate in a file, when it is alone there and of us."""
        content = self._content(name)
        try:
            [certificate] = x509.load_pem_x509_certificates(content)
            ours = fingerprint(certificate) in self._known("certificate") or (
                authority is not None and is_signed_by(certificate, authority.certificate)
            )
        except _UNREADABLE:
            return None
        return certificate if ours else None

    def _key_digest(self, name: str) -> str | None:
        try:
            return key_digest(load_pem_private_key(self._content(name), None).public_key())
        except _UNREADABLE:
            return None

    def _content(self, name: str) -> bytes:
        """Nothing of what cannot be read, and of a link: it leads to a file of somebody."""
        path = self._certs / name
        try:
            return path.read_bytes() if stat.S_ISREG(path.lstat().st_mode) else b""
        except OSError:
            return b""

    def _known(self, what: str) -> set[str]:
        return {str(row[what]) for row in self._rows() if what in row}

    def _rows(self) -> list[dict[str, str]]:
        """A file that cannot be read knows nothing: then fewer files are taken for ours."""
        try:
            rows = json.loads(self._ledger.read_bytes())
            return [row for row in rows if isinstance(row, dict)]
        except (OSError, ValueError, TypeError):
            return []

    def _remember(self, certificate: x509.Certificate) -> None:
        row = {
            "certificate": fingerprint(certificate),
            "key": key_digest(certificate.public_key()),
            "not_after": certificate.not_valid_after_utc.isoformat(),
        }
        oldest = (certificate.not_valid_before_utc - _REMEMBERED).isoformat()
        rows = [row for row in self._rows() if str(row.get("not_after")) > oldest]
        with as_registry_errors(self._ledger.name):
            self._ledger.parent.mkdir(parents=True, exist_ok=True)
        write_durably(self._ledger, json.dumps([*rows, row], indent=1).encode(), mode=0o600)


def fingerprint(certificate: x509.Certificate) -> str:
    """The SHA-256 of its DER in hex, as Traefik and browsers show it."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def key_digest(key: PublicKeyTypes) -> str:
    """The SHA-256 of a public key's DER in hex."""
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()
