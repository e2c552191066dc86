"""A presented certificate as facts, what is wrong with it, and the rows that say so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from registry.fields import instant_text
from registry.names import canonical_pattern, covers

_TRUSTED = {
    "system": "trusted by this system",
    "dev_ca": "trusted with our CA",
    "ca_file": "trusted with --ca",
}


def facts_of(der: bytes, now: datetime | None = None) -> dict[str, Any]:
    """What a certificate in DER says of itself; `days_left` is negative when it has ended."""
    certificate, at = x509.load_der_x509_certificate(der), now or datetime.now(UTC)
    left = certificate.not_valid_after_utc - at
    return {
        "names": _names(certificate),
        "issuer": certificate.issuer.rfc4514_string(),
        "self_signed": certificate.issuer == certificate.subject,
        "not_before": instant_text(certificate.not_valid_before_utc),
        "not_after": instant_text(certificate.not_valid_after_utc),
        "days_left": left.days,
        "valid_now": certificate.not_valid_before_utc <= at < certificate.not_valid_after_utc,
        "fingerprint": certificate.fingerprint(hashes.SHA256()).hex(),
    }


def covers_host(names: Sequence[str], host: str) -> bool:
    """Whether one of the names covers a canonical host, as clients judge (RFC 6125)."""
    return any(covers(name, host) for name in names)


def problems_of(found: Mapping[str, Any]) -> list[str]:
    """What makes a check fail, in words."""
    return list(_problems(found))


def _problems(found: Mapping[str, Any]) -> Iterator[str]:
    presented, expected = found["presented"], found["expected"]
    if not found["covers"]:
        yield f"the certificate does not cover {found['host']}"
    if not presented["valid_now"]:
        ended = presented["days_left"] < 0
        yield f"it ended {presented['not_after']}" if ended else "it is not valid yet"
    if (by_file := found["trusted"].get("ca_file")) and not by_file["trusted"]:
        yield f"it is not trusted with --ca: {by_file['reason']}"
    if expected and expected["is_presented"] is False:
        yield f"it is not the certificate of {expected['cert_file']} ({expected['environment']})"


def rows_of(found: Mapping[str, Any]) -> list[tuple[str, object]]:
    """The facts as names and values."""
    presented, expected = found["presented"], found["expected"]
    rows: list[tuple[str, object]] = [
        ("host", f"{found['host']} at {found['address']}"),
        ("names", ", ".join(presented["names"])),
        ("covers the host", "yes" if found["covers"] else "no"),
        ("issuer", presented["issuer"] + (", itself" if presented["self_signed"] else "")),
        ("valid", f"{presented['not_before']} to {presented['not_after']}"),
        ("days left", presented["days_left"]),
        ("fingerprint", presented["fingerprint"]),
    ]
    for who, trust in found["trusted"].items():
        words = "yes" if trust["trusted"] else f"no: {trust['reason']}"
        rows.append((_TRUSTED[who], words))
    if expected:
        same = {True: "yes", False: "no", None: "?"}[expected["is_presented"]]
        rows.append(("is the record's file", f"{same}, {expected['cert_file']}"))
    return rows


def _names(certificate: x509.Certificate) -> list[str]:
    """Its DNS names and addresses, canonical where they can be; a common name counts no more."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    given = [*found.get_values_for_type(x509.DNSName)]
    given += map(str, found.get_values_for_type(x509.IPAddress))
    return [_canonical(name) for name in given]


def _canonical(name: str) -> str:
    try:
        return canonical_pattern(name)
    except ValueError:
        return name
