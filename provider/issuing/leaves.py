"""What the development CA signs, and for which names. Pure: keys and times are given.

Extensions as RFC 5280 asks for them: 4.2.1.10 has name constraints.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from registry.names import canonical_pattern, is_address
from registry.schema import Environment

CA_VALID = timedelta(days=3650)
LEAF_VALID = timedelta(days=90)
BACKDATED = timedelta(hours=1)  # clocks of clients that are behind
_COMMON_NAME_MAX = 64
_LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


class Wanted(NamedTuple):
    """A canonical name for a certificate, and the place in the record that asks for it."""

    pointer: str
    name: str


@dataclass(frozen=True)
class Authority:
    """The development CA: its certificate, and its key, which no text form ever shows."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def __repr__(self) -> str:
        return f"Authority({self.certificate.subject.rfc4514_string()!r})"

    @property
    def domains(self) -> tuple[str, ...]:
        """The domains that its name constraints permit."""
        return permitted_domains(self.certificate)


def ca_certificate(
    key: ec.EllipticCurvePrivateKey, domains: Sequence[str], now: datetime
) -> x509.Certificate:
    """A self-signed CA for server certificates below these domains and on loopback addresses."""
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    # A name of its own: of two CAs with one name clients try the wrong key.
    name = _name(f"Routebook development CA {identifier.digest.hex()[:8]}")
    permitted: list[x509.GeneralName] = [x509.DNSName(domain) for domain in domains]
    # Without an address here, addresses would be free (RFC 5280, 4.2.1.10).
    permitted += [x509.IPAddress(network) for network in _LOOPBACK]
    return (
        _builder(name, name, key.public_key(), now, now + CA_VALID)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )


def leaf_certificate(
    public_key: ec.EllipticCurvePublicKey, names: Sequence[str], by: Authority, now: datetime
) -> x509.Certificate:
    """A server certificate for these canonical names; it ends with the CA at the latest."""
    issuer, not_after = by.certificate, min(now + LEAF_VALID, by.certificate.not_valid_after_utc)
    # No address: OpenSSL would hold it, as a common name, against the domains that are permitted.
    fit = [each for each in names if len(each) <= _COMMON_NAME_MAX and not is_address(each)][:1]
    subject = _name(fit[0]) if fit else x509.Name([])
    ca_identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        _builder(subject, issuer.subject, public_key, now, not_after)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        # Critical when the subject is empty (RFC 5280, 4.2.1.6).
        .add_extension(x509.SubjectAlternativeName(map(_general, names)), critical=not fit)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ca_identifier), False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .sign(by.key, hashes.SHA256())
    )


def permitted_domains(ca: x509.Certificate) -> tuple[str, ...]:
    """The domains in a CA's name constraints. Raises ValueError where it has none."""
    try:
        constraints = ca.extensions.get_extension_for_class(x509.NameConstraints)
    except x509.ExtensionNotFound as error:
        raise ValueError("it has no name constraints") from error
    permitted = constraints.value.permitted_subtrees or ()
    domains = tuple(each.value for each in permitted if isinstance(each, x509.DNSName))
    if not constraints.critical or not domains:
        raise ValueError("its name constraints permit every name")
    return domains


def is_within(name: str, domains: Iterable[str]) -> bool:
    """Whether a canonical name, or a wildcard, is of these domains, or a loopback address."""
    if is_address(name):
        return any(ipaddress.ip_address(name) in network for network in _LOOPBACK)
    host = name.removeprefix("*.")
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def wanted_names(environment: Environment) -> tuple[Wanted, ...]:
    """What a certificate is to cover: `tls.domains`, else the host names of the router.

    Each name once; none for an environment without a router.
    """
    router = environment.router
    if router is None:
        return ()
    if router.tls is not None and router.tls.domains:
        pointer, given = "/metadata/router/tls/domains", router.tls.domains
    else:
        pointer, given = "/metadata/router/hostnames", router.hostnames or []
    places: dict[str, str] = {}
    for index, name in enumerate(given):
        places.setdefault(canonical_pattern(name), f"{pointer}/{index}")
    if not places:
        places = {canonical_pattern(environment.host.hostname): "/host/hostname"}
    return tuple(Wanted(pointer, name) for name, pointer in places.items())


def is_signed_by(certificate: x509.Certificate, ca: x509.Certificate) -> bool:
    """Whether this very CA signed it."""
    try:
        certificate.verify_directly_issued_by(ca)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _general(name: str) -> x509.GeneralName:
    return x509.IPAddress(ipaddress.ip_address(name)) if is_address(name) else x509.DNSName(name)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _usage(*wanted: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in wanted for usage in _USAGES})


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    now: datetime,
    not_after: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(not_after)
    )
