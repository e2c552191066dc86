"""Asking for certificates, and what is then in the folder."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from provider.observe.default_certificate import self_signed
from tests.daemons import Answer, Daemon

CERTIFICATES = "/api/certificates"
CA = f"{CERTIFICATES}/ca"
NAMES = {"cert_file": "dev.crt", "key_file": "dev.key"}


async def ask(daemon: Daemon, ref: str = "dev", **more: Any) -> Answer:
    """Ask for a certificate."""
    return await daemon.call("POST", CERTIFICATES, json={"environment": ref}, **more)


async def issue(daemon: Daemon, ref: str = "dev", **more: Any) -> dict[str, Any]:
    """What was issued, as the answer says it."""
    answer = await ask(daemon, ref, **more)
    assert answer.status == 201, answer.value
    issued: dict[str, Any] = answer.value
    return issued


def certificate(daemon: Daemon, name: str = "dev.crt") -> x509.Certificate:
    """The certificate in the folder."""
    return x509.load_pem_x509_certificate((daemon.folders.certificates / name).read_bytes())


def matches(daemon: Daemon, slug: str = "dev") -> bool:
    """Whether key and certificate in the folder belong together."""
    key = load_pem_private_key((daemon.folders.certificates / f"{slug}.key").read_bytes(), None)
    return bool(key.public_key() == certificate(daemon, f"{slug}.crt").public_key())


def put_pair(folder: Path, slug: str = "dev", *suffixes: str) -> dict[str, bytes]:
    """A pair, or half of one, that a person made."""
    now = datetime.now(UTC)
    pair = self_signed([f"{slug}.test"], now, now + timedelta(days=9))
    contents = dict(zip(("crt", "key"), pair, strict=True))
    for suffix in suffixes or ("crt", "key"):
        (folder / f"{slug}.{suffix}").write_bytes(contents[suffix])
    return contents
