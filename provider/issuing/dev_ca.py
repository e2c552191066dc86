"""The development CA on disk: made on first use, kept, and never replaced by itself.

`ca.key` (0600) and `ca.crt` in a folder of mode 0700. The folder comes into being by one rename,
so that there is a whole CA or none.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import structlog
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from provider.issuing.leaves import Authority, Wanted, ca_certificate, is_within, leaf_certificate
from registry.engines.durable import UNFINISHED, as_registry_errors, sync_folder, write_durably
from registry.errors import DevCaUnusable, FieldError, NameNotPermitted

CERT_FILE, KEY_FILE = "ca.crt", "ca.key"
_log = structlog.get_logger()


@dataclass(frozen=True)
class Signed:
    """A new certificate, and its key in PEM, which no text form ever shows."""

    certificate: x509.Certificate
    key_pem: bytes = field(repr=False)

    @property
    def certificate_pem(self) -> bytes:
        """The certificate alone: the CA is trusted directly, so there is no chain."""
        return self.certificate.public_bytes(Encoding.PEM)


class DevCa:
    """The CA in `folder`; it may sign for `domains`, which are canonical host names.

    A CA that exists keeps the constraints that it was made with, whatever `domains` says later.
    """

    def __init__(self, folder: Path, domains: Sequence[str], clock: Callable[[], datetime]) -> None:
        self._folder, self._domains, self._clock = folder, tuple(domains), clock
        self._turn = threading.Lock()

    def look(self) -> Authority | None:
        """The CA; None when there is none yet. Raises DevCaUnusable."""
        paths = [self._folder / CERT_FILE, self._folder / KEY_FILE]
        if not any(map(os.path.lexists, paths)):
            return None
        try:
            certificate, key = (path.read_bytes() for path in paths)
            authority = _authority(certificate, key)
        except OSError as error:
            name = Path(str(error.filename)).name
            raise self._unusable(f"{name} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise self._unusable(str(error)) from error
        not_after = authority.certificate.not_valid_after_utc
        if not_after <= self._clock():
            raise self._unusable(f"it expired on {not_after:%Y-%m-%d}")
        return authority

    def check(self, wanted: Sequence[Wanted]) -> None:
        """Raises NameNotPermitted with the place of each name that it may not sign for."""
        listed = ", ".join(self._domains) or "nothing"
        _refuse(
            [each for each in wanted if not is_within(each.name, self._domains)],
            f"the development CA signs for {listed} and what is below, and loopback addresses: use "
            "such a name, or add its domain to ROUTEBOOK_DEV_CA_DOMAINS",
        )
        authority = self.look()
        domains = authority.domains if authority else self._domains
        _refuse(
            [each for each in wanted if not is_within(each.name, domains)],
            f"the development CA that there is was made for {', '.join(domains)} alone; "
            f"{self._anew()}",
        )

    def sign(self, wanted: Sequence[Wanted]) -> Signed:
        """A leaf and its key for these names; the first one makes the CA.

        Raises NameNotPermitted, DevCaUnusable, DiskFull and StoreUnavailable.
        """
        with self._turn:
            self.check(wanted)
            authority = self.look() or self._made()
        key = ec.generate_private_key(ec.SECP256R1())
        names = [each.name for each in wanted]
        leaf = leaf_certificate(key.public_key(), names, authority, self._clock())
        return Signed(leaf, _key_pem(key))

    def _made(self) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        made = Authority(ca_certificate(key, self._domains, self._clock()), key)
        parent, name = self._folder.parent, self._folder.name
        with as_registry_errors(name):
            for left_over in parent.glob(f".{name}.*{UNFINISHED}"):
                shutil.rmtree(left_over, ignore_errors=True)
            unfinished = Path(tempfile.mkdtemp(UNFINISHED, f".{name}.", parent))  # mode 0700
            try:
                certificate = made.certificate.public_bytes(Encoding.PEM)
                write_durably(unfinished / KEY_FILE, _key_pem(key), mode=0o600)
                write_durably(unfinished / CERT_FILE, certificate, mode=0o644)
                unfinished.rename(self._folder)  # refused where there is a folder with files
            except BaseException:
                shutil.rmtree(unfinished, ignore_errors=True)
                raise
            sync_folder(parent)
        _log.info("dev_ca_made", folder=str(self._folder), domains=list(self._domains))
        return made

    def _unusable(self, reason: str) -> DevCaUnusable:
        return DevCaUnusable(
            f"the development CA in {self._folder.name}/ cannot be used: {reason}; put it back "
            f"from a backup, or {self._anew()}"
        )

    def _anew(self) -> str:
        return (
            f"to have a new one move the folder {self._folder.name} of the data folder away, issue "
            "each certificate again and trust the new CA (`routebook certs trust`)"
        )


def _authority(certificate_pem: bytes, key_pem: bytes) -> Authority:
    """Raises ValueError, in words without contents."""
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        key = load_pem_private_key(key_pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError(f"{CERT_FILE} or {KEY_FILE} is not PEM") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or (
        key.public_key() != certificate.public_key()
    ):
        raise ValueError(f"{KEY_FILE} is not the key of {CERT_FILE}")
    authority = Authority(certificate, key)
    if not authority.domains:
        raise ValueError("it permits no domain")
    return authority


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _refuse(outside: Sequence[Wanted], right: str) -> None:
    if outside:
        names = ", ".join(each.name for each in outside)
        faults = [FieldError(each.pointer, f"{each.name}: {right}") for each in outside]
        raise NameNotPermitted(f"no development certificate for {names}: {right}", faults)
