"""Records and certificate pairs for the catalogue of an e2e test."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509

from provider.observe.default_certificate import self_signed

PROJECT = {"id": "alpha", "name": "Alpha", "contacts": [{"name": "Ada", "role": "owner"}]}
OLD, NEW = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"


def body(slug: str, state: str = "active", **router: Any) -> dict[str, Any]:
    """What a POST needs; the host is `<slug>.test`."""
    return {
        "project_id": "alpha",
        "slug": slug,
        "name": slug,
        "host": {"hostname": f"{slug}.test"},
        "lifecycle": {"state": state},
        "metadata": {"router": {"entrypoints": ["web"], **router}},
    }


def record(slug: str, created_at: str = NEW, **router: Any) -> dict[str, Any]:
    """A whole record for a hand edit; its id is `env-<slug>`."""
    return {
        "environment_id": f"env-{slug}",
        **body(slug, **router),
        "owner": {"name": "Ada"},
        "health": {"status": "unknown"},
        "created_at": created_at,
        "updated_at": created_at,
    }


def pair(*names: str, days: int = 7) -> tuple[bytes, bytes]:
    """A self-signed certificate and its key; the CN is the first name."""
    now = datetime.now(UTC)
    return self_signed(list(names), now - timedelta(hours=1), now + timedelta(days=days))


def serial(certificate: bytes | x509.Certificate | None) -> int:
    """What tells one certificate from the next for the same names."""
    if isinstance(certificate, bytes):
        certificate = x509.load_pem_x509_certificate(certificate)
    return certificate.serial_number if certificate else 0


def put(path: Path, content: bytes, *, rename: bool = True) -> None:
    """Write a file by rename, or over the old one in place."""
    if not rename:
        path.write_bytes(content)
        return
    new = path.with_name(f"{path.name}~")
    new.write_bytes(content)
    os.replace(new, path)  # noqa: PTH105
